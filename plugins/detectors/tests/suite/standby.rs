//! A hot standby as the source, and its promotion (scenarios 49 and 70 of tests/README.md).

use respaldo_detectors::DetectorOptions;
use respaldo_domain::changes::Reason;
use respaldo_tests::Cluster;

use crate::bench::{Bench, counters_only};

#[test]
fn a_standby_is_watched_by_the_fingerprint_and_its_promotion_breaks_the_lineage() {
    let cluster = Cluster::start();
    cluster.new_database("espejo");
    cluster.psql(
        "espejo",
        "CREATE TABLE t (n int); CREATE TABLE u (n int); INSERT INTO u VALUES (1)",
    );
    let standby = cluster.standby();
    let url = standby.url("espejo");
    let xmin = Bench::new("xmin", &DetectorOptions::default(), &url, &url);
    let layered = Bench::new("pg-stat", &counters_only(), &url, &url);
    let bases = [xmin.full(), layered.full()];
    cluster.psql("espejo", "INSERT INTO t VALUES (1)");
    cluster.wait_for_replay(&standby);
    let next = [xmin.upon(&bases[0]), layered.upon(&bases[1])];
    for backup in &next {
        assert_eq!(backup.reason("t"), Reason::XminDiffers);
        assert_eq!(backup.reason("u"), Reason::XminEqual);
    }
    let counters = next[1].figure("counters");
    let expected = if cluster.major() < 15 {
        "before PostgreSQL 15"
    } else {
        "standby"
    };
    assert!(counters.contains(expected), "{counters}");

    standby.promote();
    let promoted = xmin.upon(&next[0]);
    assert_eq!(promoted.reason("u"), Reason::Lineage);
}
