//! Materialized views are computed again by a restore, in the right order (case 69).

use respaldo_tests::{Client, Cluster, Journey, Snapshot, assert_equal};

#[test]
fn materialized_views_are_refreshed_and_empty_ones_stay_empty() {
    let cluster = Cluster::start();
    let mut client = Client::connect(&cluster.new_database("live"));
    client.exec(
        "CREATE TABLE t AS SELECT g AS id, g % 5 AS k FROM generate_series(1, 60) g;
         CREATE MATERIALIZED VIEW zero AS SELECT k, count(*) AS n FROM t GROUP BY k;
         CREATE UNIQUE INDEX zero_k ON zero (k);
         CREATE MATERIALIZED VIEW above AS SELECT sum(n) AS n FROM zero;
         CREATE MATERIALIZED VIEW never AS SELECT id FROM t WITH NO DATA",
    );
    let mut journey = Journey::new(&cluster, "live");
    journey.backup("full");
    for change in [
        "INSERT INTO t VALUES (61, 9); REFRESH MATERIALIZED VIEW zero; REFRESH MATERIALIZED VIEW above",
        "DELETE FROM t WHERE k = 1; REFRESH MATERIALIZED VIEW CONCURRENTLY zero; REFRESH MATERIALIZED VIEW above",
        "REFRESH MATERIALIZED VIEW above",
    ] {
        change
            .split(';')
            .for_each(|statement| client.exec(statement));
        let point = journey.backup("inc");
        let whole = Snapshot::take(&cluster.url("live"));
        let copy = format!("copy of {}", point.id);
        journey.restore(&point, &copy);
        assert_equal(&whole, &Snapshot::take(&cluster.url(&copy)));
    }
    let last = journey.points().last().unwrap();
    assert_eq!(last.dumped(), [""; 0], "a refresh changes no table");
}
