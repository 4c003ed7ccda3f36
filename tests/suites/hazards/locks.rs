//! Locks that others want, and locks that others hold (case 59).

use std::thread::{self, JoinHandle};
use std::time::Duration;

use respaldo_tests::respaldo::wait_until;
use respaldo_tests::{Client, Cluster, Journey, Respaldo, diff};

use crate::NO_CATALOG;

const TABLES: &str =
    "CREATE TABLE a AS SELECT g AS id FROM generate_series(1, 50) g; CREATE TABLE b AS TABLE a";

/// Runs a statement in a session of its own, and comes back when it waits for a lock.
fn queue(cluster: &Cluster, url: &str, statement: &'static str) -> JoinHandle<Result<(), String>> {
    let mut waiter = Client::connect(url);
    let pid = waiter.pid();
    let thread = thread::spawn(move || waiter.try_exec(statement));
    let waits = format!("SELECT count(*) FROM pg_locks WHERE pid = {pid} AND NOT granted");
    let waiting = || cluster.psql("live", &waits) != "0";
    assert!(
        wait_until(Duration::from_secs(10), waiting),
        "{statement} waits for nothing"
    );
    thread
}

#[test]
fn a_truncate_that_queues_behind_a_backup_stops_neither() {
    let cluster = Cluster::start();
    let url = cluster.new_database("live");
    let mut client = Client::connect(&url);
    client.exec(TABLES);
    let mut journey = Journey::new(&cluster, "live");
    journey.backup("full");
    client.exec("INSERT INTO a VALUES (51); INSERT INTO b VALUES (51)");
    let args = ["backup", "inc", "--json"];
    let held = journey.respaldo().hold_at_step("backup.dump", &args);
    let waiter = queue(&cluster, &url, "TRUNCATE a");
    let outcome = held.release();
    waiter.join().unwrap().unwrap();
    let point = journey.remember(&outcome);
    let steps = journey.respaldo().steps_passed();
    let snapshots = steps.iter().filter(|s| *s == "backup.snapshot").count();
    assert!(snapshots > 1, "the backup did not give way: {steps:?}");
    assert_eq!(journey.differences(&point), [""; 0]);
}

/// Tables `a` and `b` with a full backup, upon which definitions are taken over.
fn with_definitions_taken_over<'c>(cluster: &'c Cluster, client: &mut Client) -> Journey<'c> {
    client.exec(TABLES);
    let driver = Respaldo::new(cluster, "live").config(NO_CATALOG);
    let driver = driver.env("RESPALDO_DUMPER__TAKE_OVER_FROM", "0");
    let mut journey = Journey::with(cluster, "live", driver);
    journey.backup("full");
    journey
}

#[test]
fn a_table_that_is_kept_may_be_truncated_while_another_is_dumped() {
    let cluster = Cluster::start();
    let url = cluster.new_database("live");
    let mut client = Client::connect(&url);
    let mut journey = with_definitions_taken_over(&cluster, &mut client);
    client.exec("INSERT INTO a VALUES (51)");
    let args = ["backup", "inc", "--json"];
    let held = journey.respaldo().hold_at_step("backup.dump", &args);
    let before = journey.image_of("live");
    client.exec("SET lock_timeout = '2s'; TRUNCATE b; DROP TABLE b");
    let dumped_is_locked = client.try_exec("TRUNCATE a");
    assert!(dumped_is_locked.is_err());
    let point = journey.remember(&held.release());
    assert_eq!(point.dumped(), ["public.a"]);
    let steps = journey.respaldo().steps_passed();
    let snapshots = steps.iter().filter(|s| *s == "backup.snapshot").count();
    assert_eq!(snapshots, 1, "{steps:?}");
    journey.restore(&point, "copy");
    assert_eq!(diff(&before, &journey.image_of("copy")), [""; 0]);
}

#[test]
fn what_is_truncated_after_it_was_looked_at_is_looked_at_again_locked_or_not() {
    for change in ["", "INSERT INTO a VALUES (51)"] {
        for ddl in [
            "TRUNCATE b",
            "ALTER TABLE b ALTER id TYPE text",
            "DROP TABLE b",
        ] {
            let cluster = Cluster::start();
            let url = cluster.new_database("live");
            let mut client = Client::connect(&url);
            let mut journey = with_definitions_taken_over(&cluster, &mut client);
            client.exec(change);
            let args = ["backup", "inc", "--json"];
            let held = journey.respaldo().hold_at_step("backup.fence", &args);
            client.exec(ddl);
            let point = journey.remember(&held.release());
            let steps = journey.respaldo().steps_passed();
            let snapshots = steps.iter().filter(|s| *s == "backup.snapshot").count();
            assert_eq!(snapshots, 2, "{change}, {ddl}: {steps:?}");
            assert_eq!(journey.differences(&point), [""; 0], "{change}, {ddl}");
        }
    }
}

#[test]
fn a_table_that_somebody_keeps_locked_is_an_error_in_a_bounded_time() {
    let cluster = Cluster::start();
    let url = cluster.new_database("live");
    let mut client = Client::connect(&url);
    client.exec("CREATE TABLE a AS SELECT 1 AS id");
    let mut journey = Journey::new(&cluster, "live");
    journey.backup("full");
    client.exec("BEGIN; LOCK a IN ACCESS EXCLUSIVE MODE");
    let outcome = journey.respaldo().run(&["backup", "inc", "--json"]);
    outcome.expect_code(12);
    assert_eq!(outcome.json()["error"]["codigo"], "lock-timeout");
    client.exec("INSERT INTO a VALUES (2); COMMIT");
    journey.backup("inc");
    journey.check();
}

#[test]
fn rows_of_a_prepared_transaction_are_in_the_backup_after_its_commit() {
    let cluster = Cluster::start();
    let url = cluster.new_database("live");
    let mut client = Client::connect(&url);
    client.exec("CREATE TABLE a AS SELECT 1 AS id");
    let mut journey = Journey::new(&cluster, "live");
    client.exec("BEGIN; INSERT INTO a VALUES (2); PREPARE TRANSACTION 'later'");
    journey.backup("full");
    let unchanged = journey.backup("inc");
    assert_eq!(unchanged.dumped(), [""; 0]);
    Client::connect(&url).exec("COMMIT PREPARED 'later'");
    let changed = journey.backup("inc");
    assert_eq!(changed.dumped(), ["public.a"]);
    journey.check();
}
