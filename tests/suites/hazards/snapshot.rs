//! What happens between the snapshot and the locks, or while the data is read (cases 55 to 58, 61).

use respaldo_tests::journey::is_done;
use respaldo_tests::{Client, Cluster, Journey};

const TABLES: &str = "
    DROP TABLE IF EXISTS a, b, c; DROP TYPE IF EXISTS mood;
    CREATE TYPE mood AS ENUM ('calm', 'wild');
    CREATE TABLE a AS SELECT g AS id, 'a' || g AS v, 'calm'::mood AS m FROM generate_series(1, 40) g;
    CREATE TABLE b AS SELECT g AS id, 'b' || g AS v, 'wild'::mood AS m FROM generate_series(1, 40) g";

/// Stops an incremental at `step`, does `ddl`, lets it go on: it must be of the state after the DDL,
/// under another snapshot.
fn overtake(journey: &mut Journey<'_>, client: &mut Client, step: &str, ddl: &str) {
    client.exec(TABLES);
    journey.backup("full");
    client.exec("UPDATE a SET v = v || '!' WHERE id < 9");
    let args = ["backup", "inc", "--json"];
    let held = journey.respaldo().hold_at_step(step, &args);
    client.exec(ddl);
    let outcome = held.release();
    let point = journey.remember(&outcome);
    let steps = journey.respaldo().steps_passed();
    let snapshots = steps.iter().filter(|s| *s == "backup.snapshot").count();
    assert!(snapshots > 1, "no other snapshot after {ddl}: {steps:?}");
    let found = journey.differences(&point);
    assert!(found.is_empty(), "after {ddl}: {found:#?}");
}

#[test]
fn ddl_between_the_snapshot_and_the_locks_leads_to_another_snapshot() {
    let cluster = Cluster::start();
    let mut client = Client::connect(&cluster.new_database("live"));
    let mut journey = Journey::new(&cluster, "live");
    for ddl in [
        "TRUNCATE b",
        "TRUNCATE a; INSERT INTO a SELECT g, 'fresh', 'wild' FROM generate_series(1, 40) g",
        "ALTER TABLE b ALTER id TYPE bigint",
        "VACUUM FULL b",
        "ALTER TABLE b RENAME TO c",
        "ALTER TABLE a RENAME TO c; ALTER TABLE b RENAME TO a; ALTER TABLE c RENAME TO b",
        "DROP TABLE b",
        "DROP TABLE b; CREATE TABLE b AS SELECT 41 - g AS id, 'n' || g AS v, 'calm'::mood AS m FROM generate_series(1, 40) g",
        "ALTER TABLE b ADD x int DEFAULT 7",
        "ALTER TYPE mood RENAME VALUE 'wild' TO 'mild'",
    ] {
        overtake(&mut journey, &mut client, "backup.verdicts", ddl);
    }
}

#[test]
fn an_enum_label_renamed_while_the_data_was_read_leads_to_another_snapshot() {
    let cluster = Cluster::start();
    let mut client = Client::connect(&cluster.new_database("live"));
    let mut journey = Journey::new(&cluster, "live");
    for step in ["backup.dump", "backup.dumped"] {
        let ddl = "ALTER TYPE mood RENAME VALUE 'calm' TO 'quiet'";
        overtake(&mut journey, &mut client, step, ddl);
    }
}

#[test]
fn a_sequence_never_comes_back_behind_its_tables() {
    let cluster = Cluster::start();
    let mut client = Client::connect(&cluster.new_database("live"));
    client.exec(
        "CREATE TABLE t (id serial, v int); INSERT INTO t (v) SELECT 1 FROM generate_series(1, 10)",
    );
    let journey = Journey::new(&cluster, "live");
    let args = ["backup", "full", "--json"];
    for step in ["backup.verdicts", "backup.dump", "backup.dumped"] {
        let before: u32 = client.one("SELECT max(id) FROM t").parse().unwrap();
        let held = journey.respaldo().hold_at_step(step, &args);
        client.exec("INSERT INTO t (v) SELECT 2 FROM generate_series(1, 5)");
        let outcome = held.release();
        assert!(is_done(&outcome), "{outcome:#?}");
        let made = outcome.json();
        let (id, copy) = (made["id"].to_string(), format!("copy {step}"));
        let restore = ["restore", "--id", &id, "--target-db", &copy, "--create"];
        journey.respaldo().ok(&restore);
        let restored = cluster.psql(&copy, "SELECT max(id), nextval('t_id_seq') FROM t");
        let (rows, next) = restored.split_once('|').unwrap();
        assert_eq!(rows, before.to_string(), "{step}");
        assert!(next.parse::<u32>().unwrap() > before, "{step}: {restored}");
    }
}
