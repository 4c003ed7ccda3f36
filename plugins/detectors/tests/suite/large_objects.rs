//! Large objects, as one unit (scenario 18 of tests/README.md).

use respaldo_detectors::DetectorOptions;
use respaldo_domain::changes::{Reason, Verdict};
use respaldo_tests::Cluster;

use crate::bench::{
    Backup, Bench, counters_only, counting_cluster, let_see_everything, write_and_report,
};

fn word(backup: &Backup) -> (Verdict, Reason) {
    let word = &backup.detection.large_objects;
    (word.verdict, word.reason.clone())
}

const CHANGES: &[&str] = &[
    "SELECT lo_put(101, 0, 'otra')",
    "SELECT lo_create(102)",
    "SELECT lo_unlink(102)",
    "SELECT lo_truncate(lo_open(101, 131072), 1)",
    "GRANT SELECT ON LARGE OBJECT 101 TO lector",
    "ALTER LARGE OBJECT 101 OWNER TO escritor",
    "COMMENT ON LARGE OBJECT 101 IS 'nota'",
];

#[test]
fn whatever_changes_large_objects_is_seen_by_roles_that_may_read_their_pages() {
    for (detector, role) in [
        ("xmin", "postgres"),
        ("pg-stat", "dueno"),
        ("content-hash", "dueno"),
        ("pg-stat", "postgres"),
    ] {
        let cluster = Cluster::start();
        let_see_everything(&cluster);
        let url = cluster.new_database("objetos");
        let bench = Bench::new(
            detector,
            &DetectorOptions::default(),
            &cluster.url_as(role, "objetos"),
            &url,
        );
        let empty = bench.full();
        let still_empty = bench.upon(&empty);
        assert_eq!(word(&still_empty).0, Verdict::Unchanged);
        cluster.psql("objetos", "SELECT lo_from_bytea(101, 'hola')");
        let mut backup = bench.upon(&still_empty);
        assert_eq!(word(&backup).0, Verdict::Changed);
        for change in CHANGES {
            let unchanged = bench.upon(&backup);
            assert_eq!(
                word(&unchanged).0,
                Verdict::Unchanged,
                "{detector} before {change}"
            );
            cluster.psql("objetos", change);
            backup = bench.upon(&unchanged);
            assert_eq!(word(&backup).0, Verdict::Changed, "{detector} {change}");
        }
        assert_eq!(backup.detection.large_objects.count, Some(1));
    }
}

#[test]
fn a_plain_role_dumps_them_unless_counters_clear_them() {
    let cluster = counting_cluster();
    let url = cluster.owned_database("objetos", "dueno");
    write_and_report(&url, "SELECT lo_from_bytea(101, 'hola')");
    let blind = Bench::new("pg-stat", &DetectorOptions::default(), &url, &url);
    let next = blind.upon(&blind.full());
    assert_eq!(word(&next), (Verdict::Unknown, Reason::NotExamined));

    cluster.psql("postgres", "GRANT pg_read_all_stats TO dueno");
    let bench = Bench::new("pg-stat", &counters_only(), &url, &url);
    let base = bench.full();
    let next = bench.upon(&base);
    assert_eq!(word(&next), (Verdict::Unchanged, Reason::CountersEqual));
    cluster.psql_as("dueno", "objetos", "SELECT lo_put(101, 0, 'otra')");
    assert_ne!(word(&bench.upon(&next)).0, Verdict::Unchanged);
}
