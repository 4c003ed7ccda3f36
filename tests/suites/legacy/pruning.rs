//! Pruning: by the time in the name, and only what is recorded as own.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use chrono::{NaiveDate, NaiveDateTime};

use crate::scene::{Scene, notices};

fn day(day: u32) -> NaiveDateTime {
    let date = NaiveDate::from_ymd_opt(2026, 1, day).unwrap();
    date.and_hms_opt(23, 0, 0).unwrap()
}

/// Defect 50.
#[test]
fn the_oldest_by_name_go_and_what_others_made_stays() {
    let scene = Scene::with_application().config("[legacy]\nkeep_daily = 2\n");
    let mut app = scene.app();
    let foreign: Vec<_> = (1..=5)
        .map(|n| app.legacy_backup("daily", day(n)))
        .collect();
    drop(app);
    let own: Vec<_> = (0..4).map(|_| scene.backup("daily")).collect();
    // A chmod makes the oldest the newest by ctime, a touch by mtime.
    for file in &own[..2] {
        fs::set_permissions(file, fs::Permissions::from_mode(0o640)).unwrap();
        let now = std::time::SystemTime::now();
        let opened = fs::File::options().append(true).open(file).unwrap();
        opened.set_modified(now).unwrap();
    }
    let rehearsed = scene.run(&["prune", "--dry-run", "--json"]);
    rehearsed.expect_code(0);
    assert_eq!(rehearsed.json()["eliminados"].as_array().unwrap().len(), 2);
    assert!(own.iter().all(|file| file.exists()));
    let pruned = scene.run(&["prune", "--json"]);
    pruned.expect_code(0);
    let exists: Vec<bool> = own.iter().map(|file| file.exists()).collect();
    assert_eq!(exists, [false, false, true, true], "{pruned:#?}");
    assert!(foreign.iter().all(|file| file.exists()));
    let kept = pruned.json()["conservados"].clone();
    let reasons = kept.as_array().unwrap().iter();
    let foreign_ones = reasons.filter(|file| file["motivo"] == "ajeno").count();
    assert_eq!(foreign_ones, 5);
    // The operator's word.
    let all = scene.run(&["prune", "--include-foreign", "--json"]);
    all.expect_code(0);
    assert!(foreign.iter().all(|file| !file.exists()));
    assert_eq!(scene.backups("daily").len(), 2);
}

#[test]
fn without_the_record_nothing_is_pruned() {
    let scene = Scene::open().config("[legacy]\nkeep_manual = 1\n");
    for _ in 0..3 {
        scene.backup("manual");
    }
    let record = scene.folder().join(".respaldo/own.json");
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&record, &text[..text.len() / 2]).unwrap();
    let outcome = scene.run(&["prune", "--json"]);
    outcome.expect_code(3);
    assert_eq!(notices(&outcome.json()), ["registro_ilegible"]);
    fs::remove_file(&record).unwrap();
    scene.run(&["prune", "--json"]).expect_code(0);
    assert_eq!(scene.backups("manual").len(), 3);
    fs::write(&record, text).unwrap();
    scene.run(&["prune", "--json"]).expect_code(0);
    assert_eq!(scene.backups("manual").len(), 1);
}

#[test]
fn a_file_that_is_not_what_was_recorded_and_one_of_another_database_stay() {
    let scene = Scene::open().config("[legacy]\nkeep_manual = 1\n");
    let changed = scene.backup("manual");
    fs::write(&changed, "put here by somebody else").unwrap();
    let other = scene.cluster.owned_database("otra", "dueno");
    let of_other = scene.respaldo.run_with(
        "DATABASE_URL",
        &other,
        &["legacy", "backup", "manual", "--json"],
    );
    of_other.expect_code(0);
    scene.backup("manual");
    scene.backup("manual");
    let pruned = scene.run(&["prune", "--json"]).json();
    assert_eq!(pruned["eliminados"].as_array().unwrap().len(), 1);
    assert!(changed.exists());
    let left = pruned["conservados"].as_array().unwrap().iter();
    let mut reasons: Vec<_> = left.map(|file| file["motivo"].as_str().unwrap()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["de_los_mas_nuevos", "modificado", "otra_base"]);
}
