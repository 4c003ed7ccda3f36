//! A subscriber as the source: its worker writes for others, and reports when it likes (case 39).

use std::time::Duration;

use respaldo_tests::respaldo::wait_until;
use respaldo_tests::{Client, Cluster, Journey, Respaldo};

use crate::COUNTERS_DECIDE;

const TABLE: &str = "CREATE TABLE t (n int PRIMARY KEY, v text)";

/// Waits until `sql` says `wanted` on the subscriber.
fn until(client: &mut Client, sql: &str, wanted: &str) {
    let reached = || client.one(sql) == wanted;
    assert!(
        wait_until(Duration::from_mins(1), reached),
        "never {wanted}: {sql}"
    );
}

#[test]
fn what_a_subscription_brings_is_backed_up_though_its_worker_never_rests() {
    let publisher = Cluster::builder()
        .at_least(15)
        .conf("wal_level", "logical")
        .start();
    let mut writer = Client::connect(&publisher.new_database("shop"));
    writer.exec(TABLE);
    writer.exec("INSERT INTO t VALUES (0, 'copied'); CREATE PUBLICATION p FOR TABLE t");

    let cluster = Cluster::builder().at_least(15).start();
    let mut client = Client::connect(&cluster.new_database("live"));
    client.exec(TABLE);
    client.exec("CREATE TABLE quiet AS SELECT 1 AS n");
    let source = format!(
        "host=127.0.0.1 port={} user=postgres dbname=shop",
        publisher.port()
    );
    client.exec(&format!(
        "CREATE SUBSCRIPTION s CONNECTION '{source}' PUBLICATION p"
    ));
    until(
        &mut client,
        "SELECT min(srsubstate::text) FROM pg_subscription_rel",
        "r",
    );

    let config = format!("{COUNTERS_DECIDE}barrier_deadline_s = 2.0\n");
    let driver = Respaldo::new(&cluster, "live").config(&config);
    let mut journey = Journey::with(&cluster, "live", driver);
    journey.backup("full");
    for round in 1..=3 {
        // The second of two transactions is the one whose counts are held back.
        writer.exec(&format!("INSERT INTO t VALUES ({round}, 'applied')"));
        writer.exec(&format!("UPDATE t SET v = 'again' WHERE n = {}", round - 1));
        let last = format!("SELECT v FROM t WHERE n = {}", round - 1);
        until(&mut client, &last, "again");
        let point = journey.backup("inc");
        assert_eq!(point.dumped(), ["public.t"], "round {round}");
        assert_eq!(
            point.reason("public.quiet"),
            "xmin_igual",
            "the worker was believed"
        );
    }
    // A copy does not begin to subscribe by itself: that is the one thing different about it.
    for point in journey.points().to_vec() {
        let found = journey.differences(&point);
        let [only] = found.as_slice() else {
            panic!("{}: {found:#?}", point.archive());
        };
        assert!(only.starts_with("subscription s: "), "{only}");
        assert_eq!(
            only.replacen("\"subenabled\": true", "\"subenabled\": false", 1)
                .split_once(" <> ")
                .map(|(source, copy)| source.trim_start_matches("subscription s: ") == copy),
            Some(true),
            "{only}"
        );
    }
}
