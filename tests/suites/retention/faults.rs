//! Retention that is interrupted, and repositories that cannot be read.

use std::fs;

use respaldo_tests::Scene;

/// A chain that is too old, and two that are not.
fn with_an_old_chain() -> Scene {
    let scene = Scene::open();
    for (n, kind) in ["full", "inc", "inc"].into_iter().enumerate() {
        scene.add_branch(500 + n);
        let archive = scene.backup_name(kind);
        let at = format!("2020-01-0{}T00:00:00+00:00", n + 1);
        scene.repository.move_in_time(&archive, &at);
    }
    for _ in 0..2 {
        scene.backup("full");
    }
    scene
}

#[test]
fn killed_at_any_step_it_leaves_whole_backups_and_the_next_run_finishes() {
    for (step, left) in [("remove.set", 5), ("remove.removed", 4)] {
        let scene = with_an_old_chain();
        scene.respaldo.kill_at_step(step, &["expire"]);
        let sealed = scene.repository.sealed();
        assert_eq!(sealed.len(), left, "{step}: {sealed:?}");
        for archive in &sealed {
            scene.respaldo.ok(&["validate", archive]);
        }
        scene.wait_for_the_lease();
        scene.respaldo.ok(&["expire"]);
        assert_eq!(scene.repository.sealed().len(), 2, "{step}");
        let next = scene.respaldo.run(&["backup", "inc", "--json"]);
        assert!(next.is_done(), "{step}: {next:#?}");
        scene.assert_tidy(step);
        let valid = scene.respaldo.ok(&["validate", "--all", "--json"]).json();
        assert_eq!(valid["total"], 3, "{step}: {valid:#}");
    }
}

#[test]
fn an_unreadable_manifest_may_need_anything_so_nothing_goes() {
    let scene = with_an_old_chain();
    let sealed = scene.repository.sealed();
    let newest = scene
        .repository
        .path(&scene.repository.manifest_key(sealed.last().unwrap()));
    let text = fs::read(&newest).unwrap();
    fs::write(&newest, &text[..text.len() / 2]).unwrap();
    let refused = scene.respaldo.run(&["expire", "--json"]);
    assert_eq!(refused.code, Some(14), "{refused:#?}");
    assert_eq!(scene.repository.sealed().len(), 5);
    fs::write(&newest, &text).unwrap();
    scene.respaldo.ok(&["expire"]);
    assert_eq!(scene.repository.sealed().len(), 2);
}
