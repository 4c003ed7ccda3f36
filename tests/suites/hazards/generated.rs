//! Generated columns: their rows are in no backup, what they are made of is (case 12).

use respaldo_tests::{Client, Cluster, Journey, Respaldo};

use crate::COUNTERS_DECIDE;

const CONTENT: &str = "[detector]\nuse = \"content-hash\"\n";

const TABLES: &str = "
    CREATE TABLE t (n int, stored int GENERATED ALWAYS AS (n * 2) STORED);
    INSERT INTO t SELECT g FROM generate_series(0, 40) g;
    CREATE TABLE apart AS SELECT 1 AS id";

/// What can be done to a generated column, from which version on, and whether the rows that a
/// backup holds are others afterwards.
const CHANGES: &[(u32, &str, bool)] = &[
    (
        13,
        "ALTER TABLE t ADD more int GENERATED ALWAYS AS (n + 7) STORED",
        true,
    ),
    (13, "ALTER TABLE t ALTER stored DROP EXPRESSION", true),
    (13, "UPDATE t SET stored = -stored WHERE n = 4", true),
    (
        17,
        "ALTER TABLE t ALTER more SET EXPRESSION AS (n + 8)",
        false,
    ),
    (
        18,
        "ALTER TABLE t ADD seen int GENERATED ALWAYS AS (n * 3) VIRTUAL",
        false,
    ),
    (
        18,
        "ALTER TABLE t ALTER seen SET EXPRESSION AS (n * 4)",
        false,
    ),
    (18, "UPDATE t SET n = 100 WHERE n = 4", true),
    (13, "ALTER TABLE t DROP more", false),
    (13, "DELETE FROM t WHERE n = 7", true),
];

fn follow(cluster: &Cluster, db: &str, config: &str) {
    let mut client = Client::connect(&cluster.new_database(db));
    client.exec(TABLES);
    let driver = Respaldo::new(cluster, db).config(config);
    let mut journey = Journey::with(cluster, db, driver);
    journey.backup("full");
    let known = |since: &u32| cluster.major() >= *since;
    for (_, change, rows_differ) in CHANGES.iter().filter(|(since, ..)| known(since)) {
        client.exec(change);
        let dumped = journey.backup("inc");
        let dumped = dumped.dumped();
        assert!(!dumped.contains(&"public.apart"), "{change}: {dumped:?}");
        assert!(!rows_differ || dumped == ["public.t"], "{change}");
    }
    journey.check();
}

#[test]
fn generated_columns_follow_their_expressions() {
    let cluster = Cluster::start();
    follow(&cluster, "by counters", COUNTERS_DECIDE);
    follow(&cluster, "by content", CONTENT);
}

/// The columns that a backup holds.
fn rows(cluster: &Cluster, db: &str) -> String {
    cluster.psql(db, "SELECT n, stored FROM t ORDER BY n")
}

#[test]
fn a_column_that_cannot_be_computed_for_some_row_is_no_obstacle() {
    let cluster = Cluster::start();
    if cluster.major() < 18 {
        return; // stored columns are computed before the row is
    }
    for (db, config) in [("by counters", COUNTERS_DECIDE), ("by content", CONTENT)] {
        let mut client = Client::connect(&cluster.new_database(db));
        client.exec(TABLES);
        client.exec("ALTER TABLE t ADD fails int GENERATED ALWAYS AS (100 / n) VIRTUAL");
        client.try_exec("SELECT * FROM t").unwrap_err();
        let driver = Respaldo::new(&cluster, db).config(config);
        for (kind, change) in [
            ("full", "SELECT 1"),
            ("inc", "UPDATE t SET n = -1 WHERE n = 1"),
            ("inc", "DELETE FROM t WHERE n > 30"),
        ] {
            client.exec(change);
            let made = driver.ok(&["backup", kind, "--json"]).json();
            let (id, copy) = (made["id"].to_string(), format!("{db}, {}", made["id"]));
            driver.ok(&["restore", "--id", &id, "--target-db", &copy, "--create"]);
            assert_eq!(
                rows(&cluster, &copy),
                rows(&cluster, db),
                "{copy}: {change}"
            );
        }
    }
}
