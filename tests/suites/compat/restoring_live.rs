//! A restore in place while the application is at work (defects 30 to 33).

use std::time::{Duration, Instant};

use respaldo_tests::{Client, Cluster};

use crate::scene::{Kept, Scene, in_place};

fn table_and_full(scene: &Scene<'_>) -> Kept {
    scene.sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, 'kept' FROM generate_series(1, 1000) g");
    scene.keep("full")
}

/// Defects 30 and 33.
#[test]
fn locks_and_open_transactions_neither_spoil_nor_block_a_restore_in_place() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    let full = table_and_full(&scene);
    scene.sql("UPDATE t SET v = 'today'");
    let mut locker = scene.session();
    locker.exec("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    let mut reader = scene.session();
    reader.exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    let started = Instant::now();
    scene.restore_in_place(&full);
    assert!(started.elapsed() < Duration::from_mins(1));
    assert_eq!(scene.sql("SELECT DISTINCT v FROM t"), "kept");
    assert!(
        locker.try_exec("UPDATE t SET v = 'late'").is_err(),
        "nobody is left inside the old database"
    );
    assert!(reader.try_exec("SELECT 1").is_err());
}

/// Defect 33.
#[test]
fn a_session_that_may_not_be_ended_keeps_the_old_database_in_place() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    let full = table_and_full(&scene);
    scene.sql("UPDATE t SET v = 'today'");
    let mut administrator = Client::connect(&cluster.url(&scene.db));
    administrator.exec("BEGIN; SELECT count(*) FROM t");
    scene.refuses_in_place(&full.made, 12, "target-in-use");
    assert_eq!(administrator.one("SELECT DISTINCT v FROM t"), "today");
    drop(administrator);
    scene.restore_in_place(&full);
}

/// Defect 31.
#[test]
fn what_the_application_writes_during_a_restore_is_not_mixed_in() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    let full = table_and_full(&scene);
    let mut application = scene.session();
    let mut held = scene
        .respaldo
        .hold_at_step("restore.indexes", &in_place(&full.made));
    for id in 1001..1024 {
        application.exec(&format!("INSERT INTO t VALUES ({id}, 'during')"));
    }
    assert!(!held.running().has_ended());
    let restored = held.release();
    restored.expect_code(0);
    assert_eq!(scene.sql("SELECT count(*), max(v) FROM t"), "1000|kept");
    let old = restored.json()["anterior"].as_str().unwrap().to_owned();
    assert_eq!(
        cluster.psql(&old, "SELECT count(*) FROM t"),
        "1023",
        "and it is not lost"
    );
}

/// Defect 32.
#[test]
fn a_backup_during_a_restore_in_place_waits_its_turn() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    let full = table_and_full(&scene);
    scene.sql("INSERT INTO t VALUES (0, 'today')");
    let held = scene
        .respaldo
        .hold_at_step("restore.load", &in_place(&full.made));
    scene.refused(11, "lease-held", &["backup", "inc", "--json"]);
    held.release().expect_code(0);
    let next = scene.keep("inc");
    assert_eq!(next.made.json["motivo_full"], "otra_linea");
    assert_eq!(scene.restored(&next, "SELECT count(*) FROM t"), "1000");
    let listed = scene
        .respaldo
        .ok(&["list", "--json", "--all-states"])
        .json();
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed:#}");
}
