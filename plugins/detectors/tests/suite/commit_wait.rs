//! A commit that waits for a standby (scenario 35): the session is idle late, and still has not
//! reported what it committed before.

use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use respaldo_detectors::DetectorOptions;
use respaldo_domain::changes::Reason;
use respaldo_tests::respaldo::wait_until;
use respaldo_tests::{Client, Cluster};

use crate::bench::{Bench, counters_only, write_and_report};

/// A server does not take more than one report of a session in this time.
const BETWEEN_REPORTS: Duration = Duration::from_secs(1);

/// A session that committed an unreported write, and whose next commit waits.
struct Hiding {
    /// The table of the unreported write.
    table: String,
    pid: i32,
    commit: JoinHandle<Client>,
}

/// A server whose commits wait for a standby that never comes, where a session asks for it.
fn waiting_cluster() -> (Cluster, String) {
    let cluster = Cluster::builder()
        .at_least(15)
        .conf("synchronous_standby_names", "nobody")
        .conf("synchronous_commit", "local")
        .start();
    let url = cluster.owned_database("espera", "dueno");
    cluster.psql("postgres", "GRANT pg_read_all_stats TO dueno");
    let tables = (0..10).map(|n| format!("CREATE TABLE t{n} (n int)"));
    let tables = tables.collect::<Vec<_>>().join(";");
    let others =
        "CREATE TABLE ruido (n int); CREATE TABLE tarde (n int); CREATE TABLE quieta (n int)";
    write_and_report(&url, &format!("{tables}; {others}"));
    (cluster, url)
}

impl Hiding {
    /// Reports, writes, and begins a commit that waits; `None` where that took so long that the
    /// write may have been reported, too.
    fn begin(cluster: &Cluster, url: &str, attempt: usize) -> Option<Self> {
        let table = format!("t{attempt}");
        let mut session = Client::connect(url);
        let pid = session.pid();
        thread::sleep(BETWEEN_REPORTS + Duration::from_millis(200));
        let clock = Instant::now();
        session.exec("INSERT INTO ruido VALUES (1)"); // reported at once: the last report is long ago
        session.exec(&format!("INSERT INTO {table} VALUES (1)"));
        let commit = thread::spawn(move || {
            session.exec("SET synchronous_commit = on; INSERT INTO tarde VALUES (1)");
            session
        });
        let waits = format!("SELECT wait_event FROM pg_stat_activity WHERE pid = {pid}");
        let waiting = || cluster.psql("postgres", &waits) == "SyncRep";
        assert!(
            wait_until(Duration::from_secs(30), waiting),
            "no commit waits"
        );
        let hiding = Self { table, pid, commit };
        if clock.elapsed() < BETWEEN_REPORTS {
            return Some(hiding);
        }
        cluster.psql("postgres", &format!("SELECT pg_cancel_backend({pid})"));
        hiding.commit.join().unwrap();
        None
    }

    /// Lets the commit end; gives the session, which is idle then.
    fn release(self, cluster: &Cluster) -> Client {
        cluster.psql(
            "postgres",
            "ALTER SYSTEM SET synchronous_standby_names = ''",
        );
        cluster.psql("postgres", "SELECT pg_reload_conf()");
        let session = self.commit.join().unwrap();
        let idle = format!(
            "SELECT state FROM pg_stat_activity WHERE pid = {}",
            self.pid
        );
        assert_eq!(cluster.psql("postgres", &idle), "idle");
        session
    }
}

#[test]
fn a_session_that_is_idle_after_a_commit_that_waited_may_still_hide_a_write() {
    let (cluster, url) = waiting_cluster();
    let options = DetectorOptions {
        barrier_deadline_s: 1.0,
        ..counters_only()
    };
    let bench = Bench::new("pg-stat", &options, &url, &cluster.url("espera"));
    let base = bench.full();
    let hiding = (0..10).find_map(|attempt| Hiding::begin(&cluster, &url, attempt));
    let hiding = hiding.unwrap();
    let (table, pid) = (hiding.table.clone(), hiding.pid);
    let mut session = None;
    let next = bench.upon_while(&base, || {
        // Idle since more than a second after the snapshot, which would do but for the wait.
        thread::sleep(Duration::from_millis(1_500));
        session = Some(hiding.release(&cluster));
        let counted = format!("SELECT pg_stat_get_tuples_inserted('{table}'::regclass)");
        assert_eq!(
            cluster.psql("espera", &counted),
            "0",
            "the write is no longer hidden"
        );
    });
    let held_by = next.figure("barrier_held_by");
    assert_eq!(next.figure("barrier"), "\"incomplete\"", "{held_by}");
    assert!(
        held_by.contains(&format!("client backend {pid} (idle)")),
        "{held_by}"
    );
    assert_eq!(next.reason(&table), Reason::XminDiffers);
    // What waited was not visible to that snapshot.
    assert_eq!(next.reason("tarde"), Reason::XminEqual);
    assert_eq!(bench.upon(&next).reason("tarde"), Reason::XminDiffers);
    drop(session);
}
