//! Retention after each backup.

use respaldo_tests::Scene;

/// Three old fulls, and retention that leaves the newest two.
fn with_old_fulls() -> (Scene, Vec<String>) {
    let mut scene = Scene::open();
    let old: Vec<String> = (0..3).map(|_| scene.backup_name("full")).collect();
    for (n, archive) in old.iter().enumerate() {
        let at = format!("2020-01-0{}T00:00:00+00:00", n + 1);
        scene.repository.move_in_time(archive, &at);
    }
    scene.respaldo = scene.respaldo.config("[retention]\npurge = \"auto\"\n");
    (scene, old)
}

#[test]
fn a_backup_that_succeeded_makes_room_and_one_that_failed_does_not() {
    let (scene, old) = with_old_fulls();
    let failed = scene
        .respaldo
        .run_with_fault("backup.manifest=fail", &["backup", "full", "--json"]);
    assert!(!failed.is_done(), "{failed:#?}");
    assert_eq!(scene.repository.sealed().len(), 3);
    let made = scene.respaldo.ok(&["backup", "full", "--json"]).json();
    let sealed = scene.repository.sealed();
    assert_eq!(sealed.len(), 2, "{sealed:?}");
    assert!(sealed.contains(&made["nombre"].as_str().unwrap().to_owned()));
    assert!(sealed.contains(&old[2]), "the newest chains stay");
    scene.assert_tidy("after a backup that made room");
}

#[test]
fn without_being_told_to_nothing_is_removed() {
    let (mut scene, _) = with_old_fulls();
    scene.respaldo = scene.respaldo.config("");
    scene.backup("full");
    assert_eq!(scene.repository.sealed().len(), 4);
}

#[test]
fn what_a_restore_reads_stays_until_it_is_done() {
    let (scene, old) = with_old_fulls();
    let args = [
        "restore",
        "--id",
        &old[0],
        "--target-db",
        "copy",
        "--create",
        "--json",
    ];
    let held = scene.respaldo.hold_at_step("restore.load", &args);
    let made = scene.respaldo.ok(&["backup", "full", "--json"]).json();
    assert!(scene.repository.sealed().contains(&old[0]), "{made:#}");
    let restored = held.release();
    assert!(restored.is_done(), "{restored:#?}");
    scene.respaldo.ok(&["expire"]);
    assert!(!scene.repository.sealed().contains(&old[0]));
    scene.assert_tidy("after the restore");
}
