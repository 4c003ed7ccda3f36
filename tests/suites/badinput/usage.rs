//! Command lines that make no sense, and backups that do not exist.

use respaldo_tests::{Respaldo, Scene};

use super::{assert_decent, assert_refused};

#[test]
fn a_wrong_command_line_is_a_usage_error_in_both_forms() {
    let respaldo = Respaldo::bare();
    for args in [
        &["bakcup", "full"][..],
        &["backup"],
        &["backup", "daily"],
        &["list", "--limit", "-1"],
        &["list", "--limit", "many"],
        &["restore"],
        &["restore", "--at", "yesterday-ish"],
        &["restore", "--at", "2026-02-30"],
        &["restore", "--id", "1", "--at", "latest"],
        &["restore", "--id", "1", "--table", "bank.branch"],
        &["restore", "--id", "1", "--jobs", "many"],
        &["validate"],
        &["validate", "1", "--level", "deep"],
        &["show", "not/a/name"],
        &["--lang", "xx", "list"],
    ] {
        let text = respaldo.run(args);
        assert_decent(&text);
        assert_eq!(text.code, Some(2), "{args:?}: {text:#?}");
        assert!(
            text.stdout.is_empty() && !text.stderr.is_empty(),
            "{args:?}: {text:#?}"
        );
        let json = respaldo.run(&[args, &["--json"]].concat());
        assert_decent(&json);
        json.expect_error(2, "usage");
    }
}

#[test]
fn help_and_version_are_no_errors() {
    for args in [
        &["--help"][..],
        &["help", "restore"],
        &["--version"],
        &["restore", "--help"],
    ] {
        let outcome = Respaldo::bare().run(args);
        assert_eq!(outcome.code, Some(0), "{outcome:#?}");
        assert!(!outcome.stdout.is_empty());
    }
}

#[test]
fn a_backup_that_does_not_exist_is_said_to_be_unknown() {
    let scene = Scene::open();
    let restore = |point: &'static [&'static str]| {
        [&["restore"], point, &["--target-db", "copy", "--create"]].concat()
    };
    assert_refused(
        &scene.respaldo,
        &restore(&["--at", "latest"]),
        15,
        "nothing-to-restore",
    );
    let preview = scene.respaldo.run(&["preview", "--at", "latest", "--json"]);
    assert_eq!(
        (preview.code, &preview.json()["existe"]),
        (Some(15), &false.into()),
        "{preview:#?}"
    );
    scene.backup("full");
    for id in ["999", "full_20010101_000000_0000.backup"] {
        assert_refused(&scene.respaldo, &["show", id], 15, "unknown-backup");
        assert_refused(&scene.respaldo, &["delete", id], 15, "unknown-backup");
        let outcome = scene.respaldo.run(&["validate", id, "--json"]);
        assert!(matches!(outcome.code, Some(3 | 15)), "{id}: {outcome:#?}");
        let args = [
            "restore",
            "--id",
            id,
            "--target-db",
            "copy",
            "--create",
            "--json",
        ];
        let outcome = scene.respaldo.run(&args);
        assert_eq!(outcome.code, Some(15), "{id}: {outcome:#?}");
        let outcome = scene.respaldo.run(&["preview", "--id", id, "--json"]);
        assert_eq!(outcome.code, Some(15), "{id}: {outcome:#?}");
    }
    assert!(!scene.exists("copy"));
}

#[test]
fn a_backup_that_others_need_is_not_deleted() {
    let scene = Scene::open();
    let full = scene.backup_name("full");
    scene.day(1);
    let inc = scene.backup_name("inc");
    let refused = scene.respaldo.run(&["delete", &full, "--json"]);
    refused.expect_error(2, "has-dependents");
    assert!(refused.stdout.contains(&inc), "{refused:#?}");
    assert_eq!(scene.repository.sealed().len(), 2);
    let removed = scene
        .respaldo
        .run(&["delete", &full, "--with-dependents", "--json"]);
    assert!(removed.is_done(), "{removed:#?}");
    assert!(scene.repository.sealed().is_empty());
    scene.assert_tidy("everything was deleted");
}
