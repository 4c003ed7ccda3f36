//! The engine at work.

use std::thread;
use std::time::Duration;

use respaldo_tests::Repository;
use respaldo_tests::respaldo::wait_until;

use super::scene::{DB, LONG, Scene, end};

#[test]
fn what_was_never_made_is_made_at_once_and_only_once() {
    let scene = Scene::open();
    let service = scene.serve();
    scene.wait_for_backups(1);
    assert_eq!(scene.wait_for_state("PROFESIONAL"), "");
    // A few beats more.
    thread::sleep(Duration::from_secs(4));
    assert_eq!(scene.made(), ["FULL"]);
    end(service);

    let service = scene.serve();
    scene.wait_for_state("PROFESIONAL");
    thread::sleep(Duration::from_secs(4));
    end(service);
    assert_eq!(scene.made(), ["FULL"], "a restart repeats nothing");
    assert_eq!(scene.dumps(), 0);
}

#[test]
fn two_services_on_one_database_make_one_backup() {
    let scene = Scene::open();
    let (one, other) = (scene.serve(), scene.serve());
    scene.wait_for_backups(1);
    thread::sleep(Duration::from_secs(4));
    assert_eq!(scene.made(), ["FULL"]);
    one.kill();
    // What is due again is made by the other.
    let listed = scene.respaldo.ok(&["list", "--json"]).json();
    scene.respaldo.ok(&["delete", &listed[0]["id"].to_string()]);
    scene.wait_for_backups(1);
    thread::sleep(Duration::from_secs(3));
    assert_eq!(scene.made(), ["FULL"]);
    end(other);
}

#[test]
fn a_backup_under_way_may_end_when_the_service_is_stopped() {
    let scene = Scene::open();
    let service = scene.respaldo.hold_at_step("backup.dump", &["serve"]);
    let mut held = service;
    held.running().signal("TERM");
    thread::sleep(Duration::from_secs(1));
    assert!(!held.running().has_ended(), "it waits for its run");
    held.release().expect_code(0);
    assert_eq!(scene.made(), ["FULL"]);
}

#[test]
fn a_backup_that_cannot_end_in_time_is_stopped_and_leaves_nothing_half() {
    let mut scene = Scene::open();
    scene.respaldo = scene.respaldo.env("RESPALDO_SUPERVISOR__STOP_WITHIN", "1");
    let mut held = scene.respaldo.hold_at_step("backup.store", &["serve"]);
    held.running().signal("TERM");
    // Longer than it may take to end by itself.
    thread::sleep(Duration::from_secs(3));
    assert!(!held.running().has_ended(), "it is in the middle of a step");
    held.release().expect_code(0);
    assert_eq!(scene.made(), [""; 0]);
    let repository = Repository::of(&scene.respaldo);
    let mut left = repository.files();
    left.retain(|key| {
        !key.starts_with(".respaldo/") || key.contains("intents") || key.contains("spool")
    });
    assert!(left.is_empty(), "{left:?}");
    let rows = "SELECT string_agg(estado, ' ') FROM seguridad.backup_manifest";
    assert_eq!(scene.cluster.psql(DB, rows).trim(), "FALLIDO");
    let service = scene.serve();
    scene.wait_for_backups(1);
    end(service);
}

#[test]
fn a_service_that_is_killed_in_the_middle_of_a_backup_makes_it_when_it_is_back() {
    let scene = Scene::open();
    let held = scene.respaldo.hold_at_step("backup.dump", &["serve"]);
    held.kill();
    assert_eq!(scene.made().len(), 0);
    let service = scene.serve();
    scene.wait_for_backups(1);
    assert!(wait_until(LONG, || scene.made() == ["FULL"]));
    end(service);
}
