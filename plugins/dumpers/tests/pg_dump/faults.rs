//! What goes wrong is a fault of the right kind, never a success.

use std::io::{self, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use respaldo_dumpers::DumperOptions;
use respaldo_engine::ports::{Context, FaultKind, Interrupt, Progress};
use respaldo_tests::Client;

use crate::bench::Bench;

const LARGE: &str = "
    CREATE TABLE grande AS SELECT i, repeat(md5(i::text), 20) AS v FROM generate_series(1, 100000) i;
    CREATE TABLE otra AS SELECT 1 AS i;
";

/// Does something once some rows have passed.
struct AtFirstBytes<F: Fn() + Send + Sync>(AtomicU64, F);

impl<F: Fn() + Send + Sync> Progress for AtFirstBytes<F> {
    fn step(&self, _name: &'static str, _total_bytes: Option<u64>) {}
    fn table(&self, _name: &str) {}
    fn bytes(&self, count: u64) {
        if self.0.fetch_add(count, Ordering::SeqCst) == 0 {
            self.1();
        }
    }
}

fn kind(bench: &Bench, cx: &Context) -> FaultKind {
    let mut snapshot = bench.snapshot();
    let request = bench.request(&mut snapshot, |_| true);
    match bench.dump_watched(&request, &DumperOptions::default(), cx) {
        Err(fault) => fault.kind,
        Ok(_) => panic!("it succeeded"),
    }
}

#[test]
fn a_killed_backend_is_a_fault() {
    let bench = Arc::new(Bench::new(LARGE));
    let killer = Arc::clone(&bench);
    let kill = move || {
        let count = killer.cluster.psql(
            "postgres",
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE application_name LIKE 'respaldo pg_dump %'",
        );
        assert_eq!(count, "1");
    };
    let cx = Context::new(
        Interrupt::default(),
        Arc::new(AtFirstBytes(AtomicU64::new(0), kill)),
    );
    assert_eq!(kind(&bench, &cx), FaultKind::Unavailable);
}

#[test]
fn an_interrupted_dump_is_cancelled_and_leaves_no_session() {
    let bench = Bench::new(LARGE);
    let interrupt = Interrupt::default();
    let stop = interrupt.clone();
    let progress = AtFirstBytes(AtomicU64::new(0), move || stop.set());
    assert_eq!(
        kind(&bench, &Context::new(interrupt, Arc::new(progress))),
        FaultKind::Cancelled
    );
    let mut client = Client::connect(&bench.cluster.url("postgres"));
    let left =
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'respaldo pg_dump %'";
    let gone = (0..5000).any(|_| client.one(left) == "0");
    assert!(gone);
}

#[test]
fn a_lock_that_is_not_had_in_time_is_told_apart() {
    let bench = Bench::new(LARGE);
    let mut holder = Client::connect(&bench.cluster.url("origen"));
    let mut snapshot = bench.snapshot();
    let request = bench.request(&mut snapshot, |_| true);
    holder.exec("BEGIN; LOCK TABLE otra IN ACCESS EXCLUSIVE MODE");
    let fault = bench
        .dump(&request, &DumperOptions::default())
        .map(drop)
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Locked, "{fault}");
}

#[test]
fn a_snapshot_that_is_gone_is_a_fault() {
    let bench = Bench::new(LARGE);
    let request = bench.request(&mut bench.snapshot(), |_| true);
    assert!(bench.dump(&request, &DumperOptions::default()).is_err());
}

/// A disk with room for that many bytes.
struct Small(u64);

impl Write for Small {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len() as u64)
            .ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Small {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Ok(0)
    }
}

#[test]
fn a_full_disk_is_told_apart() {
    let bench = Bench::new(LARGE);
    let mut snapshot = bench.snapshot();
    let request = bench.request(&mut snapshot, |_| true);
    let dumper = respaldo_dumpers::by_name("pg-dump", &bench.tools().into()).unwrap();
    let fault = dumper
        .dump(&request, &mut Small(300_000), &Context::quiet())
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Full, "{fault}");
}
