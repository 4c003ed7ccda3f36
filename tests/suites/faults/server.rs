//! The server dies, connections are cut, runs meet, the operator loses patience.

use std::time::Duration;

use respaldo_tests::respaldo::wait_until;
use respaldo_tests::{Client, DbImage, Scene, assert_equal, diff};

const FULL: [&str; 3] = ["backup", "full", "--json"];

/// Ends every session of the product, as a network that breaks would.
fn cut_connections(scene: &Scene) {
    scene.cluster.psql(
        "postgres",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name LIKE 'respaldo%' AND pid <> pg_backend_pid()",
    );
}

/// The next full works, restores, and nothing of what broke is left.
fn assert_recovered(scene: &Scene, when: &str) {
    scene.wait_for_the_lease();
    let next = scene.respaldo.run(&FULL);
    assert!(next.is_done(), "{when}, then: {next:#?}");
    scene.assert_tidy(when);
    scene.assert_restores(next.json()["nombre"].as_str().unwrap(), &scene.image());
}

/// A crash makes sequences jump: their values are logged ahead.
fn assert_same_but_sequences(before: &DbImage, after: &DbImage) {
    let mut lines = diff(before, after);
    lines.retain(|line| !line.starts_with("sequence values"));
    assert!(lines.is_empty(), "{lines:#?}");
}

#[test]
fn a_server_that_is_gone_before_the_dump_fails_the_backup_and_nothing_else() {
    let scene = Scene::open();
    let held = scene.respaldo.hold_at_step("backup.dump", &FULL);
    scene.cluster.stop_immediately();
    let outcome = held.release();
    assert_eq!(outcome.code, Some(12), "{outcome:#?}");
    assert!(scene.repository.sealed().is_empty());
    scene.cluster.start_again();
    assert_recovered(&scene, "the server was gone before the dump");
}

#[test]
fn a_server_that_crashes_in_the_middle_of_the_dump_fails_the_backup_and_nothing_else() {
    let scene = Scene::open();
    scene.client().exec(
        "CREATE TABLE bank.big AS
           SELECT g, repeat(md5(g::text), 30) AS fill FROM generate_series(1, 80000) g",
    );
    let mut watcher = Client::connect(&scene.cluster.url("postgres"));
    let mut running = scene.respaldo.spawn(&FULL);
    let copying = "SELECT pid FROM pg_stat_activity
                   WHERE query LIKE 'COPY %bank.big%' AND state = 'active'";
    let mut copier = None;
    wait_until(Duration::from_mins(1), || {
        copier = watcher.column(copying).first().cloned();
        copier.is_some() || running.has_ended()
    });
    let pid = copier
        .expect("the dump of the big table was never seen")
        .parse()
        .unwrap();
    drop(watcher);
    scene.cluster.kill_backend(pid);
    let outcome = running.wait(Duration::from_mins(1));
    assert!(matches!(outcome.code, Some(11 | 12)), "{outcome:#?}");
    assert!(scene.repository.sealed().is_empty());
    let up = || Client::try_connect(&scene.cluster.url("bank")).is_ok();
    assert!(
        wait_until(Duration::from_mins(1), up),
        "{}",
        scene.cluster.log()
    );
    assert_recovered(&scene, "a backend was killed in the middle of the dump");
}

#[test]
fn a_connection_that_is_cut_during_a_backup_seals_nothing() {
    for step in ["backup.dump", "backup.dumped", "backup.manifest"] {
        let scene = Scene::open();
        let held = scene.respaldo.hold_at_step(step, &FULL);
        cut_connections(&scene);
        let outcome = held.release();
        assert!(
            matches!(outcome.code, Some(11 | 12)),
            "cut at {step}: {outcome:#?}"
        );
        assert!(scene.repository.sealed().is_empty(), "cut at {step}");
        assert_recovered(&scene, &format!("cut at {step}"));
    }
}

#[test]
fn a_connection_that_is_cut_during_a_restore_leaves_the_target_as_it_was() {
    let scene = Scene::open();
    let archive = scene.backup_name("full");
    scene.add_branch(50);
    let before = scene.image();
    let args = ["restore", "--id", &archive, "--replace", "--yes", "--json"];
    for step in [
        "restore.definitions",
        "restore.load",
        "restore.verify",
        "restore.swap",
    ] {
        let held = scene.respaldo.hold_at_step(step, &args);
        cut_connections(&scene);
        let outcome = held.release();
        // A step that opens its own connections may not even notice.
        if !outcome.is_done() {
            assert_eq!(outcome.code, Some(12), "cut at {step}: {outcome:#?}");
            assert_equal(&before, &scene.image());
        }
        assert!(scene.scratch_databases().is_empty(), "cut at {step}");
        if outcome.is_done() {
            scene.add_branch(50);
        }
    }
    assert_recovered(&scene, "connections were cut during restores");
}

#[test]
fn a_server_that_is_gone_during_a_restore_leaves_the_old_database() {
    let scene = Scene::open();
    let archive = scene.backup_name("full");
    scene.add_branch(50);
    let before = scene.image();
    let args = ["restore", "--id", &archive, "--replace", "--yes", "--json"];
    let held = scene.respaldo.hold_at_step("restore.load", &args);
    scene.cluster.stop_immediately();
    let outcome = held.release();
    assert_eq!(outcome.code, Some(12), "{outcome:#?}");
    scene.cluster.start_again();
    assert_same_but_sequences(&before, &scene.image());
    let next = scene.respaldo.run(&args);
    assert!(next.is_done(), "{next:#?}");
    scene.assert_tidy("the server was gone during a restore");
}

#[test]
fn a_second_run_is_turned_away_while_the_first_works() {
    let scene = Scene::open();
    let first = scene.backup_name("full");
    let held = scene.respaldo.hold_at_step("backup.dump", &FULL);
    scene
        .respaldo
        .run(&["backup", "inc", "--json"])
        .expect_error(11, "lease-held");
    let in_place = ["restore", "--id", &first, "--replace", "--yes", "--json"];
    scene.respaldo.run(&in_place).expect_error(11, "lease-held");
    scene
        .respaldo
        .run(&["delete", &first, "--json"])
        .expect_error(11, "lease-held");
    let outcome = held.release();
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert_eq!(scene.repository.sealed().len(), 2);
    scene.assert_tidy("two runs met");
}

#[test]
fn no_backup_is_made_while_the_database_is_being_replaced() {
    let scene = Scene::open();
    let archive = scene.backup_name("full");
    let in_place = ["restore", "--id", &archive, "--replace", "--yes", "--json"];
    let held = scene.respaldo.hold_at_step("restore.load", &in_place);
    scene.respaldo.run(&FULL).expect_error(11, "lease-held");
    let outcome = held.release();
    assert!(outcome.is_done(), "{outcome:#?}");
}

#[test]
fn an_operator_who_stops_a_run_gets_130_and_no_litter() {
    for signal in ["INT", "TERM"] {
        let scene = Scene::open();
        let mut held = scene.respaldo.hold_at_step("backup.dump", &FULL);
        held.running().signal(signal);
        let outcome = held.release();
        outcome.expect_error(130, "interrupted");
        assert!(scene.repository.sealed().is_empty(), "{signal}");
        scene.assert_tidy(signal);
        assert_recovered(&scene, signal);
    }
}

#[test]
fn an_operator_who_stops_a_restore_keeps_the_old_database() {
    let scene = Scene::open();
    let archive = scene.backup_name("full");
    scene.add_branch(50);
    let before = scene.image();
    let args = ["restore", "--id", &archive, "--replace", "--yes", "--json"];
    let mut held = scene.respaldo.hold_at_step("restore.load", &args);
    held.running().signal("TERM");
    held.release().expect_error(130, "interrupted");
    assert_equal(&before, &scene.image());
    scene.assert_tidy("a restore was stopped");
}
