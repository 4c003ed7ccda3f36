//! Commits that a crash loses: their transaction ids come again with other content (case 48).

use respaldo_tests::{Client, Cluster, Journey, Respaldo};

use crate::NO_CATALOG;

/// A server that takes its time to write commits that nobody waits for.
fn lazy() -> Cluster {
    let cluster = Cluster::builder()
        .conf("wal_writer_delay", "10000")
        .conf("wal_level", "minimal")
        .conf("max_wal_senders", "0")
        .conf("autovacuum", "off")
        .conf("checkpoint_timeout", "1h")
        .start();
    let mut client = Client::connect(&cluster.new_database("live"));
    client.exec("CREATE TABLE t AS SELECT g AS id, 'old' AS v FROM generate_series(1, 60) g");
    client.exec("CHECKPOINT");
    drop(client);
    cluster
}

/// Changes a row without waiting for the disk; gives the row's transaction id.
fn update(cluster: &Cluster, value: &str) -> String {
    let mut client = Client::connect(&cluster.url("live"));
    client.exec("SET synchronous_commit = off");
    client.exec(&format!("UPDATE t SET v = '{value}' WHERE id = 1"));
    client.one("SELECT xmin FROM t WHERE id = 1")
}

fn value(cluster: &Cluster) -> String {
    Client::connect(&cluster.url("live")).one("SELECT v FROM t WHERE id = 1")
}

#[test]
fn a_transaction_id_that_came_again_after_a_crash_fools_nobody() {
    // Now and then the server writes the commit all the same; then it is tried again.
    for attempt in 0..12 {
        let cluster = lazy();
        let driver = Respaldo::new(&cluster, "live").config(NO_CATALOG);
        let mut journey = Journey::with(&cluster, "live", driver);
        let lost = update(&cluster, "lost");
        journey.backup("full");
        cluster.crash();
        let came_again = value(&cluster) == "old" && update(&cluster, "other") == lost;
        if !came_again {
            println!("attempt {attempt}: the commit was not lost");
            continue;
        }
        let point = journey.backup("inc");
        assert_eq!(point.dumped(), ["public.t"], "{point:#?}");
        journey.check();
        return;
    }
    panic!("no commit was ever lost: this test shows nothing");
}

#[test]
fn what_a_backup_has_seen_survives_a_crash_where_it_leaves_a_witness() {
    let cluster = lazy();
    let mut journey = Journey::new(&cluster, "live");
    update(&cluster, "seen");
    journey.backup("full");
    cluster.crash();
    assert_eq!(value(&cluster), "seen");
    let point = journey.backup("inc");
    assert_eq!(point.dumped(), [""; 0], "{point:#?}");
    update(&cluster, "after");
    assert_eq!(journey.backup("inc").dumped(), ["public.t"]);
    journey.check();
}
