//! A service follows the hours that are stored, also past what it slept through.

use std::fs;

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use respaldo_tests::plugins::RustPlugin;
use respaldo_tests::respaldo::{Running, wait_until};

use super::scene::{DB, LONG, OWNER, Scene, end, put_library};

/// A service whose full was made, and nothing else is due for hours.
fn at_rest(scene: &Scene) -> Running {
    let service = scene.serve();
    scene.wait_for_backups(1);
    scene.wait_for_state("PROFESIONAL");
    service
}

/// The next minute that is so far away that a service hears of it before.
fn soon() -> DateTime<Utc> {
    let at = Utc::now() + TimeDelta::seconds(70);
    at - TimeDelta::seconds(at.second().into()) - TimeDelta::nanoseconds(at.nanosecond().into())
}

/// Stores the hour of incrementals as the application does, and waits until the service has heard of it.
fn store(scene: &Scene, at: DateTime<Utc>) {
    let known = scene
        .respaldo
        .folder()
        .join("backups_incrementales/.respaldo/schedule.json");
    let remembered = || fs::read(&known).unwrap_or_default();
    let before = remembered();
    let rule = format!(
        r#"{{"INCREMENTAL": {{"hour": {}, "minute": {}}}}}"#,
        at.hour(),
        at.minute()
    );
    scene.cluster.psql_as(
        OWNER,
        DB,
        &format!(
            "INSERT INTO seguridad.config_sistema (clave, valor, tipo) \
             VALUES ('backup_schedules', '{rule}', 'TEXT') \
             ON CONFLICT (clave) DO UPDATE SET valor = excluded.valor"
        ),
    );
    assert!(wait_until(LONG, || remembered() != before), "not followed");
    assert!(Utc::now() < at, "it was heard of too late to be proven");
}

#[test]
fn an_hour_stored_by_another_program_is_followed_without_a_restart() {
    let scene = Scene::open();
    let service = at_rest(&scene);
    let at = soon();
    store(&scene, at);
    assert_eq!(scene.made(), ["FULL"], "it is not due yet");
    scene.wait_for_backups(2);
    assert!(Utc::now() >= at);
    assert_eq!(scene.made(), ["INCREMENTAL", "FULL"]);
    end(service);
}

#[test]
fn what_was_due_while_the_machine_slept_is_made_once_when_it_wakes() {
    let scene = Scene::open();
    let service = at_rest(&scene);
    let at = soon();
    store(&scene, at);
    service.signal("STOP");
    let later = at + TimeDelta::seconds(2);
    assert!(wait_until(LONG, || Utc::now() >= later));
    assert_eq!(scene.made(), ["FULL"]);
    service.signal("CONT");
    scene.wait_for_backups(2);
    // Whatever it finds due from now on it would make at its next beats.
    let beats = Utc::now() + TimeDelta::seconds(4);
    assert!(wait_until(LONG, || Utc::now() >= beats));
    assert_eq!(scene.made(), ["INCREMENTAL", "FULL"]);
    end(service);
}

#[test]
fn a_plugin_whose_file_is_replaced_goes_on_as_it_was_until_its_hash_is_allowed() {
    let scene = Scene::open();
    let (library, sha256) = scene.install_sink();
    let objects = scene.use_sink(&library, &sha256);
    let service = at_rest(&scene);
    let at = soon();
    store(&scene, at);
    put_library(&RustPlugin::Folder.library(), &library);
    let incrementals = || fs::read_dir(objects.join("incremental")).map_or(0, Iterator::count);
    assert!(wait_until(LONG, || incrementals() > 0), "none was made");
    end(service);
    // Whoever starts now has another file in front of it.
    let other = scene.respaldo.run(&["backup", "inc"]);
    other.expect_code(10);
    assert!(other.stderr.contains("its SHA-256 is"), "{other:#?}");
}
