//! Who is inside the database while it is to be replaced.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use respaldo_tests::{Client, DbImage, Scene, assert_equal};

/// A bank to be replaced, what it holds now and what it is to hold.
fn prepared() -> (Scene, String, DbImage, DbImage) {
    let scene = Scene::open();
    let archive = scene.backup_name("full");
    let then = scene.image();
    scene.add_branch(50);
    let live = scene.image();
    (scene, archive, then, live)
}

fn replace(archive: &str) -> [&str; 6] {
    ["restore", "--id", archive, "--replace", "--yes", "--json"]
}

#[test]
fn open_transactions_and_locks_of_other_sessions_do_not_stop_it() {
    let (scene, archive, then, live) = prepared();
    let mut idle = scene.client();
    idle.exec("BEGIN; INSERT INTO bank.branch VALUES (51, 'never committed')");
    let mut holder = scene.client();
    holder.exec("BEGIN; LOCK TABLE bank.account IN ACCESS EXCLUSIVE MODE");
    let outcome = scene.respaldo.run(&replace(&archive));
    assert!(outcome.is_done(), "{outcome:#?}");
    assert!(
        idle.try_exec("COMMIT").is_err(),
        "a session lived on in the old database"
    );
    assert_equal(&then, &scene.image());
    assert_equal(&live, &scene.image_of(&scene.kept_databases()[0]));
}

#[test]
fn a_client_that_keeps_reconnecting_does_not_stop_it_and_finds_the_new_database() {
    let (scene, archive, then, _) = prepared();
    let url = scene.cluster.url_as("dueno", "bank");
    let (stop, connected) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    if let Ok(mut client) = Client::try_connect(&url) {
                        connected.fetch_add(1, Ordering::Relaxed);
                        // Ended by the restore in the middle, perhaps.
                        let _ = client.try_exec("SELECT count(*) FROM bank.branch");
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
            });
        }
        let outcome = scene.respaldo.run(&replace(&archive));
        let before = connected.load(Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(300));
        stop.store(true, Ordering::Relaxed);
        assert!(outcome.is_done(), "{outcome:#?}");
        assert!(
            connected.load(Ordering::Relaxed) > before,
            "nobody came in afterwards"
        );
    });
    assert_equal(&then, &scene.image());
}

#[test]
fn a_superusers_session_that_an_owner_may_not_end_leaves_the_old_database_open() {
    let (scene, archive, _, live) = prepared();
    let mut superuser = Client::connect(&scene.cluster.url("bank"));
    superuser.exec("BEGIN; SELECT 1");
    // Found before anything is built.
    let held = scene.respaldo.run(&replace(&archive));
    held.expect_error(12, "target-in-use");
    assert!(held.stdout.contains("session"), "{held:#?}");
    superuser.exec("SELECT count(*) FROM bank.branch; COMMIT");
    drop(superuser);
    // And where the session comes later, when the new database is to take its place.
    let held = scene
        .respaldo
        .hold_at_step("restore.load", &replace(&archive));
    let mut superuser = Client::connect(&scene.cluster.url("bank"));
    superuser.exec("BEGIN; SELECT 1");
    held.release().expect_error(12, "target-in-use");
    superuser.exec("SELECT count(*) FROM bank.branch; COMMIT");
    assert_equal(&live, &scene.image());
    scene.add_branch(52);
    assert!(scene.scratch_databases().is_empty() && scene.kept_databases().is_empty());
    drop(superuser);
    let outcome = scene.respaldo.run(&replace(&archive));
    assert!(outcome.is_done(), "{outcome:#?}");
}

#[test]
fn a_prepared_transaction_leaves_the_old_database_open_or_stays_in_it() {
    let (scene, archive, _, live) = prepared();
    scene
        .client()
        .exec("BEGIN; UPDATE bank.branch SET city = city; PREPARE TRANSACTION 'later'");
    let outcome = scene.respaldo.run(&replace(&archive));
    let old = if outcome.is_done() {
        scene.kept_databases()[0].clone()
    } else {
        "bank".to_owned()
    };
    assert_equal(&live, &scene.image_of(&old));
    scene
        .cluster
        .psql_as("dueno", &old, "COMMIT PREPARED 'later'");
    assert!(scene.scratch_databases().is_empty());
}
