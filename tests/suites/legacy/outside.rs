//! An existing program that makes the dumps.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::scene::{Scene, notices};

/// A scene whose program is this shell script, with these arguments.
fn driven(script: &str, arguments: &str, more: &str) -> Scene {
    let scene = Scene::open();
    let path = scene.respaldo.folder().join("program.sh");
    let pg_dump = scene.cluster.bin("pg_dump");
    let text = script.replace("PG_DUMP", &format!("{} {}", pg_dump.display(), scene.url()));
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let command = format!(
        "command = [{:?}, {arguments}]\n",
        path.display().to_string()
    );
    scene.config(&format!("[legacy]\n{command}{more}"))
}

#[test]
fn a_program_that_is_told_the_file_makes_files_like_ours() {
    let script = "test \"$1\" = --kind=daily && PG_DUMP -Fc -f \"$2\"";
    let scene = driven(script, "\"--kind={type}\", \"{file}\"", "keep_daily = 1\n");
    let file = scene.backup("daily");
    scene.assert_restores(&file, &scene.image());
    assert_eq!(scene.unfinished("daily"), Vec::<String>::new());
    scene.backup("daily");
    scene.run(&["prune", "--json"]).expect_code(0);
    assert_eq!(scene.backups("daily").len(), 1, "they are our own");
    // Its own refusal.
    let outcome = scene.run(&["backup", "weekly", "--json"]);
    outcome.expect_error(12, "program-failed");
    assert_eq!(scene.backups("weekly"), Vec::<String>::new());
}

#[test]
fn success_is_only_said_of_a_file_that_can_be_read() {
    let scene = driven("echo junk > \"$1\"", "\"{file}\"", "");
    let outcome = scene.run(&["backup", "daily", "--json"]);
    outcome.expect_error(14, "archive-damaged");
    assert_eq!(scene.backups("daily"), Vec::<String>::new());
    assert_eq!(scene.unfinished("daily"), Vec::<String>::new());
}

#[test]
fn a_program_that_decides_itself_is_judged_by_its_exit_code_and_its_new_file() {
    let script = "mkdir -p \"$1/$2\"; case $2 in \
        daily) PG_DUMP -Fc -f \"$1/$2/backup_daily_20261124_230000.sql\";; \
        weekly) ;; \
        monthly) echo junk > \"$1/$2/backup_monthly_20261101_000000.sql\";; \
        *) echo 'the disk is gone' >&2; exit 7;; esac";
    let scene = driven(script, "\"{dir}\", \"{type}\"", "keep_daily = 1\n");
    let file = scene.backup("daily");
    scene.assert_restores(&file, &scene.image());
    let outcome = scene.run(&["backup", "weekly", "--json"]);
    outcome.expect_code(3);
    assert_eq!(notices(&outcome.json()), ["no_comprobado"]);
    assert!(outcome.json()["archivo"].is_null());
    let outcome = scene.run(&["backup", "monthly", "--json"]);
    outcome.expect_error(14, "archive-damaged");
    let outcome = scene.run(&["backup", "manual", "--json"]);
    outcome.expect_error(12, "program-failed");
    assert!(outcome.stdout.contains("the disk is gone"), "{outcome:#?}");
    scene.run(&["prune", "--json"]).expect_code(0);
    assert!(PathBuf::from(&file).exists(), "it is the program's own");
}

#[test]
fn a_program_that_does_not_end_is_ended() {
    let scene = driven("sleep 60", "\"{type}\"", "time_limit_s = 1\n");
    let start = std::time::Instant::now();
    let outcome = scene.run(&["backup", "daily", "--json"]);
    outcome.expect_error(12, "program-failed");
    assert!(start.elapsed() < std::time::Duration::from_secs(30));
}
