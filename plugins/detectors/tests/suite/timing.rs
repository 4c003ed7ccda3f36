//! Writes whose counts arrive late (scenarios 25-41 of tests/README.md): counters alone would miss
//! them. Options make counters decide whenever they may.

use std::time::{Duration, Instant};

use respaldo_detectors::DetectorOptions;
use respaldo_domain::changes::Reason;
use respaldo_engine::ports::{FaultKind, Interrupt};
use respaldo_tests::{Client, Cluster};

use crate::bench::{
    Bench, counters_and_spot_check, counters_only, counting_cluster, write_and_report,
};

struct Source {
    cluster: Cluster,
    url: String,
}

const TABLES: usize = 8;

impl Source {
    fn start() -> Self {
        let cluster = counting_cluster();
        let url = cluster.owned_database("tiempos", "dueno");
        cluster.psql("postgres", "GRANT pg_read_all_stats TO dueno");
        let table = |n| format!("CREATE TABLE t{n} (n int); INSERT INTO t{n} VALUES (0)");
        let tables = (0..TABLES).map(table).collect::<Vec<_>>().join(";");
        write_and_report(&url, &tables);
        Self { cluster, url }
    }

    fn bench(&self, options: &DetectorOptions) -> Bench {
        Bench::new("pg-stat", options, &self.url, &self.cluster.url("tiempos"))
    }

    fn client(&self) -> Client {
        Client::connect(&self.url)
    }

    /// Runs statements in a session that has ended, and so has reported, afterwards.
    fn run(&self, sql: &str) {
        write_and_report(&self.url, sql);
    }
}

fn with_deadline(seconds: f64) -> DetectorOptions {
    DetectorOptions {
        barrier_deadline_s: seconds,
        ..counters_only()
    }
}

/// Two commits, the second of which is not reported for ten seconds.
fn write_and_stay(client: &mut Client, table: &str) {
    client.exec(&format!("INSERT INTO {table} VALUES (1)"));
    client.exec(&format!("INSERT INTO {table} VALUES (2)"));
}

#[test]
fn sessions_that_wrote_and_went_idle_are_waited_for() {
    let source = Source::start();
    let bench = source.bench(&counters_only());
    let base = bench.full();
    let (mut pool, mut fresh) = (source.client(), source.client());
    write_and_stay(&mut pool, "t0");
    fresh.exec("INSERT INTO t1 VALUES (1)");
    let mut killed = source.client();
    write_and_stay(&mut killed, "t2");
    source.cluster.psql(
        "tiempos",
        &format!("SELECT pg_terminate_backend({})", killed.pid()),
    );
    let next = bench.upon(&base);
    assert_eq!(
        next.figure("barrier"),
        "\"complete\"",
        "{:?}",
        next.detection.figures
    );
    assert!(next.figure("waited_ms").parse::<u64>().unwrap() > 8_000);
    for dumped in ["t0", "t1", "t2"] {
        assert!(!next.keeps(dumped), "{dumped}");
    }
    assert_eq!(next.count(&Reason::CountersEqual), TABLES - 3);
    // Reported after the reading before that snapshot: counted, and refuted by the fingerprint.
    let third = bench.upon(&next);
    assert_eq!(third.reason("t0"), Reason::XminEqual);
    // The pool is idle for long by now; sessions of ours may be ending.
    assert!(third.figure("waited_ms").parse::<u64>().unwrap() < 8_000);
    assert_eq!(bench.upon(&third).count(&Reason::CountersEqual), TABLES);
}

#[test]
fn sessions_that_never_become_idle_leave_the_word_to_the_fingerprint() {
    let source = Source::start();
    let bench = source.bench(&with_deadline(1.0));
    let base = bench.full();
    let hidden: &[&[&str]] = &[
        &["BEGIN", "SELECT 1"],
        &["BEGIN; SELECT pg_sleep(0.1)"],
        &["SET application_name = 'x'; BEGIN; SELECT 1"],
    ];
    let mut clients: Vec<_> = hidden.iter().map(|_| source.client()).collect();
    for (number, (client, statements)) in clients.iter_mut().zip(hidden).enumerate() {
        write_and_stay(client, &format!("t{number}"));
        statements
            .iter()
            .for_each(|statement| client.exec(statement));
    }
    let next = bench.upon(&base);
    assert_eq!(next.figure("barrier"), "\"incomplete\"");
    assert!(
        next.figure("barrier_held_by")
            .contains("idle in transaction")
    );
    for number in 0..TABLES {
        let kept = next.keeps(&format!("t{number}"));
        assert_eq!(kept, number >= hidden.len(), "t{number}");
    }
    assert_eq!(next.count(&Reason::XminEqual), TABLES - hidden.len());
}

#[test]
fn what_an_overtaken_attempt_waited_is_not_waited_again() {
    let source = Source::start();
    let mut bench = source.bench(&with_deadline(30.0));
    let base = bench.full();
    let mut client = source.client();
    write_and_stay(&mut client, "t0");
    client.exec("BEGIN");
    client.exec("SELECT 1");
    bench.spent = Duration::from_secs(29);
    let next = bench.upon(&base);
    let waited: u64 = next.figure("waited_ms").parse().unwrap();
    assert!(waited < 5_000, "{waited} ms");
    assert!(!next.keeps("t0") && next.keeps("t1"));
}

/// Statements during which counts are withheld; each commits a write first.
const BUSY: &[&str] = &[
    "INSERT INTO t0 VALUES (1); SELECT pg_sleep(20)",
    "BEGIN; INSERT INTO t1 VALUES (1); COMMIT; SELECT pg_sleep(20)",
    "CALL works()",
];

#[test]
fn busy_sessions_leave_the_word_to_the_fingerprint() {
    let source = Source::start();
    source.run(
        "CREATE PROCEDURE works() LANGUAGE plpgsql AS $$ BEGIN
           INSERT INTO t2 VALUES (1); COMMIT; PERFORM pg_sleep(20); END $$",
    );
    let bench = source.bench(&with_deadline(1.0));
    let base = bench.full();
    // One session per message, all of which commit at once or in the middle and go on working.
    let mut first = source.client();
    write_and_stay(&mut first, "t0");
    let busy: Vec<_> = BUSY
        .iter()
        .map(|sql| {
            let url = source.url.clone();
            std::thread::spawn(move || {
                let _ = Client::connect(&url).try_exec(sql);
            })
        })
        .collect();
    let mut watch = source.client();
    while watch.one("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") != "3" {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(watch);
    let next = bench.upon(&base);
    assert_eq!(next.figure("barrier"), "\"incomplete\"");
    assert!(!next.keeps("t0") && !next.keeps("t1") && !next.keeps("t2"));
    assert!(next.keeps("t3"));
    source.cluster.terminate_sessions("tiempos");
    for thread in busy {
        thread.join().unwrap();
    }
}

#[test]
fn a_write_between_the_snapshot_and_the_second_reading_is_found_next_time() {
    let source = Source::start();
    let bench = source.bench(&counters_only());
    let base = bench.full();
    source.run("INSERT INTO t1 VALUES (1)");
    let second = bench.upon_while(&base, || {
        source.run("INSERT INTO t0 VALUES (1); INSERT INTO t1 VALUES (2)");
    });
    assert_eq!(second.reason("t0"), Reason::XminEqual);
    assert_eq!(second.reason("t1"), Reason::XminDiffers);
    let third = bench.upon(&second);
    assert!(!third.keeps("t0") && !third.keeps("t1"));
    assert!(bench.upon(&third).keeps("t0"));
}

#[test]
fn writers_in_progress_at_the_snapshot_are_judged_by_what_they_do_later() {
    let source = Source::start();
    let bench = source.bench(&with_deadline(0.5));
    let base = bench.full();
    let (mut commits, mut rolls_back, mut savepoint) =
        (source.client(), source.client(), source.client());
    commits.exec("BEGIN; INSERT INTO t0 VALUES (1)");
    rolls_back.exec("BEGIN; INSERT INTO t1 VALUES (1)");
    savepoint.exec("BEGIN; INSERT INTO t2 VALUES (1); SAVEPOINT s; INSERT INTO t3 VALUES (1)");
    let mut within = source.client();
    within.exec("BEGIN; SAVEPOINT s; INSERT INTO t5 VALUES (1); RELEASE s; SELECT 1");
    within.exec("DO $$ BEGIN INSERT INTO t6 VALUES (1); EXCEPTION WHEN OTHERS THEN NULL; END $$");
    let mut preparing = source.client();
    preparing.exec("BEGIN; INSERT INTO t4 VALUES (1); PREPARE TRANSACTION 'p'");
    drop(preparing);
    let second = bench.upon(&base);
    for table in ["t0", "t1", "t2", "t3", "t4", "t5", "t6"] {
        assert!(second.keeps(table), "{table}");
    }
    commits.exec("COMMIT");
    rolls_back.exec("ROLLBACK");
    savepoint.exec("ROLLBACK TO s; COMMIT");
    within.exec("COMMIT");
    source.client().exec("COMMIT PREPARED 'p'");
    drop((commits, rolls_back, savepoint, within));
    let third = bench.upon(&second);
    for (table, keeps) in [
        ("t0", false),
        ("t1", true),
        ("t2", false),
        ("t3", true),
        ("t4", false),
        ("t5", false),
        ("t6", false),
        ("t7", true),
    ] {
        assert_eq!(third.keeps(table), keeps, "{table}");
    }
}

#[test]
fn a_forgotten_transaction_elsewhere_costs_no_precision() {
    let source = Source::start();
    source.cluster.psql("postgres", "CREATE TABLE x (i int)");
    source.cluster.psql(
        "postgres",
        "BEGIN; INSERT INTO x VALUES (1); PREPARE TRANSACTION 'old'",
    );
    let bench = source.bench(&DetectorOptions::default());
    let base = bench.full();
    source.run("INSERT INTO t0 VALUES (1)");
    let next = bench.upon(&base);
    assert_eq!(next.count(&Reason::XminEqual), TABLES - 1);
}

#[test]
fn uncounted_writes_are_found_by_the_spot_check_and_end_the_trust() {
    let source = Source::start();
    let bench = source.bench(&DetectorOptions {
        spot_check_bytes: 8192 * 3,
        ..counters_and_spot_check()
    });
    let base = bench.full();
    source.cluster.psql(
        "tiempos",
        "SET track_counts = off; INSERT INTO t0 VALUES (1); INSERT INTO t7 VALUES (1)",
    );
    let next = bench.upon(&base);
    assert_eq!(next.reason("t0"), Reason::SpotCheckFailed);
    assert_eq!(next.reason("t7"), Reason::XminDiffers);
    assert_eq!(next.detection.alarms.len(), 1);
    assert_eq!(next.count(&Reason::XminEqual), TABLES - 2);
    source.cluster.psql(
        "tiempos",
        "SET track_counts = off; INSERT INTO t6 VALUES (1)",
    );
    let last = bench.upon(&next);
    assert!(!last.keeps("t6"));
    assert_eq!(
        last.figure("counters"),
        "\"a writer of this chain does not report\""
    );
    assert_eq!(bench.upon(&last).figure("counters_distrusted"), "true");
    // A differential is compared with the full, which knew nothing of that writer.
    let differential = bench.upon_knowing(base, &last);
    assert_eq!(
        differential.figure("counters"),
        "\"a writer of this chain does not report\""
    );
}

#[test]
fn the_spot_check_goes_round_all_tables() {
    let source = Source::start();
    let bench = source.bench(&DetectorOptions {
        spot_check_bytes: 8192 * 3,
        ..counters_and_spot_check()
    });
    let mut backup = bench.full();
    for round in 0..3 {
        backup = bench.upon(&backup);
        assert_eq!(backup.figure("spot_checked"), "3");
        assert_eq!(backup.count(&Reason::XminEqual), 3, "round {round}");
    }
}

#[test]
fn configured_ways_not_to_count_leave_the_word_to_the_fingerprint() {
    let source = Source::start();
    let ways = [
        (
            "ALTER ROLE lector SET track_counts = off",
            "ALTER ROLE lector RESET ALL",
        ),
        (
            "ALTER DATABASE tiempos SET track_counts = off",
            "ALTER DATABASE tiempos RESET ALL",
        ),
        (
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET track_counts = off AS 'SELECT 1'",
            "DROP FUNCTION f()",
        ),
        (
            "GRANT SET ON PARAMETER track_counts TO lector",
            "REVOKE SET ON PARAMETER track_counts FROM lector",
        ),
    ];
    let bench = source.bench(&counters_only());
    for (way, back) in ways {
        let base = bench.full();
        source.cluster.psql("tiempos", way);
        source.cluster.psql(
            "tiempos",
            "SET track_counts = off; INSERT INTO t0 VALUES (1)",
        );
        let next = bench.upon(&base);
        assert!(next.figure("counters").contains("track_counts"), "{way}");
        assert!(!next.keeps("t0"), "{way}");
        source.cluster.psql("tiempos", back);
        // What was written while the switch was on is in no baseline.
        source.cluster.psql(
            "tiempos",
            "SET track_counts = off; INSERT INTO t0 VALUES (1)",
        );
        assert!(!bench.upon(&next).keeps("t0"), "{way}");
    }
}

#[test]
fn a_session_that_hides_what_it_does_is_not_believed() {
    let source = Source::start();
    let bench = source.bench(&with_deadline(0.5));
    let base = bench.full();
    source
        .cluster
        .psql("postgres", "ALTER ROLE postgres SET track_activities = off");
    let mut hiding = Client::connect(&source.cluster.url("tiempos"));
    hiding.exec("INSERT INTO t0 VALUES (1)");
    let next = bench.upon(&base);
    assert!(
        next.figure("barrier_held_by").contains("disabled"),
        "{:?}",
        next.detection.figures
    );
    assert!(!next.keeps("t0"));
}

#[test]
fn an_interrupted_scan_ends_soon() {
    let source = Source::start();
    source.run(
        "CREATE TABLE grande AS SELECT repeat('x', 3000) AS v FROM generate_series(1, 100000)",
    );
    let url = source.cluster.url("tiempos");
    let bench = Bench::new(
        "content-hash",
        &DetectorOptions::default(),
        &source.url,
        &url,
    );
    let interrupt = Interrupt::default();
    let flag = interrupt.clone();
    let watching = std::thread::spawn(move || {
        let mut client = Client::connect(&url);
        let scanning = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' \
                        AND query LIKE '%grande%' AND pid <> pg_backend_pid()";
        while client.one(scanning) == "0" {
            std::thread::sleep(Duration::from_millis(5));
        }
        flag.set();
        Instant::now()
    });
    let fault = bench.interrupted(interrupt);
    assert_eq!(fault.kind, FaultKind::Cancelled);
    assert!(watching.join().unwrap().elapsed() < Duration::from_secs(5));
}
