//! One damaged table does not hold the others back when the operator says so: it comes from its
//! previous version, and everybody is told.

use respaldo_tests::Scene;

use super::store::{block_of, flip_at};

#[test]
fn a_damaged_table_comes_from_its_previous_version_when_that_is_allowed() {
    let scene = Scene::open();
    scene.backup("full");
    let old = scene.image();
    scene.add_branch(50);
    scene
        .client()
        .exec("UPDATE bank.account SET owner = 'somebody' WHERE id = 7");
    let archive = scene.backup_name("inc");
    let new = scene.image();
    let (holder, at) = block_of(&scene.repository.manifest(&archive), "branch");
    assert_eq!(holder, archive);
    let path = scene
        .repository
        .path(&scene.repository.object_key(&archive, "archivo"));
    let _undo = flip_at(&path, at);

    let strict = [
        "restore",
        "--id",
        &archive,
        "--target-db",
        "copy",
        "--create",
        "--json",
    ];
    let refused = scene.respaldo.run(&strict);
    assert_eq!(refused.code, Some(14), "{refused:#?}");
    assert!(!scene.exists("copy"));

    let lenient = [&strict[..], &["--allow-older-tables"]].concat();
    let outcome = scene.respaldo.run(&lenient);
    assert_eq!(outcome.code, Some(3), "{outcome:#?}");
    let warnings = outcome.json()["avisos"].to_string();
    assert!(
        warnings.contains("tabla_anterior") && warnings.contains("branch"),
        "{warnings}"
    );
    let copy = scene.image_of("copy");
    assert_eq!(copy.rows_of("bank.branch"), old.rows_of("bank.branch"));
    assert_eq!(copy.rows_of("bank.account"), new.rows_of("bank.account"));
    assert_ne!(copy.rows_of("bank.account"), old.rows_of("bank.account"));
}

#[test]
fn a_damaged_table_without_an_older_version_is_refused_all_the_same() {
    let scene = Scene::open();
    let archive = scene.backup_name("full");
    let (_, at) = block_of(&scene.repository.manifest(&archive), "branch");
    let path = scene
        .repository
        .path(&scene.repository.object_key(&archive, "archivo"));
    let _undo = flip_at(&path, at);
    let args = [
        "restore",
        "--id",
        &archive,
        "--target-db",
        "copy",
        "--create",
        "--allow-older-tables",
        "--json",
    ];
    let outcome = scene.respaldo.run(&args);
    assert_eq!(outcome.code, Some(14), "{outcome:#?}");
    assert!(!scene.exists("copy"));
}
