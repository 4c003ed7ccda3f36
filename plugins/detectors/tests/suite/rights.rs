//! What a detector does where it may not look.

use respaldo_detectors::DetectorOptions;
use respaldo_domain::changes::{Reason, Verdict};
use respaldo_tests::{Client, Cluster, schema};

use crate::bench::{Bench, counters_only, counting_cluster, let_see_everything};

#[test]
fn without_sight_of_other_sessions_the_fingerprint_does_all() {
    let cluster = counting_cluster();
    let url = cluster.owned_database("ciego", "dueno");
    cluster.psql_as(
        "dueno",
        "ciego",
        "CREATE TABLE t (n int); CREATE TABLE u (n int)",
    );
    let bench = Bench::new("pg-stat", &counters_only(), &url, &url);
    let base = bench.full();
    let mut hidden = Client::connect(&cluster.url("ciego"));
    hidden.exec("INSERT INTO t VALUES (1)");
    let next = bench.upon(&base);
    assert!(next.figure("counters").contains("pg_read_all_stats"));
    assert_eq!(
        (next.reason("t"), next.reason("u")),
        (Reason::XminDiffers, Reason::XminEqual)
    );
}

#[test]
fn a_table_somebody_waits_for_is_dumped_and_stops_nothing_else() {
    let cluster = Cluster::start();
    let url = cluster.owned_database("cola", "dueno");
    cluster.psql_as(
        "dueno",
        "cola",
        "CREATE TABLE t (n int); CREATE TABLE u (n int)",
    );
    let options = DetectorOptions {
        lock_timeout_s: 0.3,
        ..DetectorOptions::default()
    };
    let bench = Bench::new("xmin", &options, &url, &url);
    let base = bench.full();
    let mut locking = Client::connect(&url);
    let next = bench.upon_while(&base, || {
        locking.exec("BEGIN; LOCK TABLE t");
        // The truth is read later, when the lock is gone.
        let pid = locking.pid();
        let address = cluster.url("postgres");
        std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_secs(4));
            Client::connect(&address).exec(&format!("SELECT pg_terminate_backend({pid})"));
        });
    });
    assert_eq!(next.word("t"), (Verdict::Unknown, Reason::NotExamined));
    assert_eq!(next.word("u"), (Verdict::Unchanged, Reason::XminEqual));
    assert_eq!(next.detection.alarms, [""; 0]);
    assert_eq!(next.detection.unexamined.len(), 1);
}

#[test]
fn users_casts_and_functions_mislead_no_detector() {
    let cluster = Cluster::start();
    let_see_everything(&cluster);
    let url = cluster.owned_database("hostil", "dueno");
    schema::load(&cluster, "hostil", "dueno");
    schema::load_hostile_part(&cluster, "hostil");
    for (name, options) in [
        ("xmin", DetectorOptions::default()),
        ("content-hash", DetectorOptions::default()),
        ("pg-stat", counters_only()),
    ] {
        let bench = Bench::new(
            name,
            &options,
            &cluster.url("hostil"),
            &cluster.url("hostil"),
        );
        let base = bench.full();
        let next = bench.upon(&base);
        assert_eq!(next.detection.alarms, Vec::<String>::new(), "{name}");
        assert_eq!(next.detection.unexamined, [""; 0], "{name}");
        let dumped: Vec<_> = next
            .detection
            .tables
            .iter()
            .filter(|word| word.verdict != Verdict::Unchanged)
            .map(|word| &word.reason)
            .collect();
        let excused = |reason: &&&Reason| !matches!(reason, Reason::Fragile | Reason::AccessMethod);
        assert_eq!(
            dumped.iter().filter(excused).count(),
            0,
            "{name}: {dumped:?}"
        );
    }
    drop(url);
}
