//! A flipped bit anywhere in an archive: in its head, its definitions, a table's rows, its end.

use respaldo_tests::assert_equal;

use super::store::{Object, Vault, flip_at};

/// Places tried, spread over the archive.
const PLACES: usize = 40;

#[test]
fn a_bit_flipped_anywhere_in_an_archive_is_never_restored() {
    let vault = Vault::fill();
    let scene = &vault.scene;
    let args = [
        "restore",
        "--id",
        vault.newest(),
        "--target-db",
        "copy",
        "--create",
        "--json",
    ];
    let path = vault.path(vault.newest(), Object::Archive);
    let size = usize::try_from(std::fs::metadata(&path).unwrap().len()).unwrap();
    for place in 0..PLACES {
        let at = 5 + place * (size - 6) / (PLACES - 1);
        let undo = flip_at(&path, at);
        let outcome = scene.respaldo.run(&args);
        assert_eq!(outcome.code, Some(14), "byte {at} of {size}: {outcome:#?}");
        assert!(!scene.exists("copy"), "byte {at}");
        assert!(scene.scratch_databases().is_empty(), "byte {at}");
        drop(undo);
    }
    assert!(scene.respaldo.run(&args).is_done());
    assert_equal(&vault.image, &scene.image_of("copy"));
}

#[test]
fn a_word_changed_in_a_definition_is_never_restored() {
    let vault = Vault::fill();
    let path = vault.path(vault.newest(), Object::Archive);
    let content = std::fs::read(&path).unwrap();
    let word = b"SELECT sum(";
    let at = content
        .windows(word.len())
        .position(|window| window == word);
    // Still SQL, still the same length: only a checksum can tell.
    let at = at.expect("the view's definition in the archive") + b"SELECT ".len();
    let mut changed = content.clone();
    changed[at..at + 3].copy_from_slice(b"max");
    std::fs::write(&path, &changed).unwrap();
    let args = [
        "restore",
        "--id",
        vault.newest(),
        "--target-db",
        "copy",
        "--create",
        "--json",
    ];
    let outcome = vault.scene.respaldo.run(&args);
    assert_eq!(outcome.code, Some(14), "{outcome:#?}");
    assert!(!vault.scene.exists("copy"));
}

#[test]
fn a_bit_flipped_in_a_large_object_is_never_restored() {
    let vault = Vault::fill();
    let scene = &vault.scene;
    scene.client().exec(
        "SELECT lo_from_bytea(0, decode(string_agg(md5(g::text), ''), 'hex'))
         FROM generate_series(1, 20000) g",
    );
    let archive = scene.backup_name("inc");
    let path = vault.path(&archive, Object::Archive);
    // Nothing else in this archive is a tenth as large.
    let middle = usize::try_from(std::fs::metadata(&path).unwrap().len()).unwrap() / 2;
    let args = [
        "restore",
        "--id",
        &archive,
        "--target-db",
        "copy",
        "--create",
        "--json",
    ];
    let undo = flip_at(&path, middle);
    let outcome = scene.respaldo.run(&args);
    assert_eq!(outcome.code, Some(14), "{outcome:#?}");
    assert!(!scene.exists("copy") && scene.scratch_databases().is_empty());
    drop(undo);
    scene.assert_restores(&archive, &scene.image());
}
