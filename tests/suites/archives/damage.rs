//! What is damaged or not there is refused, and nothing is written.

use std::fs;
use std::path::Path;

use respaldo_tests::{Respaldo, Scene};
use serde_json::Value;

/// A full and an incremental that builds on it.
fn chain() -> (Scene, [String; 2]) {
    let scene = Scene::open();
    let full = scene.backup_name("full");
    scene.day(1);
    let inc = scene.backup_name("inc");
    (scene, [full, inc])
}

/// Each way of taking a point out, with the place it is to be written to.
fn ways<'a>(point: &'a str, file: &'a str, folder: &'a str) -> [Vec<&'a str>; 3] {
    [
        vec!["export", "--id", point, "-o", file, "--json"],
        vec!["escape-kit", "--id", point, "-o", folder, "--json"],
        vec!["backup", "full", "--from-chain", "--json"],
    ]
}

/// Nothing that an export or a kit would be called, whole or not.
fn nothing_is_left(respaldo: &Respaldo, when: &str) {
    let names = fs::read_dir(respaldo.folder()).unwrap().flatten();
    let names: Vec<String> = names
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("out") || name.starts_with(".respaldo-incomplete"))
        .collect();
    assert!(names.is_empty(), "{when}: {names:?}");
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 0x04;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_flipped_bit_anywhere_in_an_archive_of_the_chain_is_refused_and_nothing_is_written() {
    let (scene, [full, inc]) = chain();
    let (file, folder) = (
        scene.respaldo.folder().join("out"),
        scene.respaldo.folder().join("out.d"),
    );
    let (file, folder) = (file.to_str().unwrap(), folder.to_str().unwrap());
    let sealed = scene.repository.sealed();
    for archive in [&full, &inc] {
        let path = scene
            .repository
            .path(&scene.repository.object_key(archive, "archivo"));
        let size = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
        let manifest = scene.repository.manifest(&inc);
        let used = used_bytes(&manifest, archive);
        for part in 1..8 {
            let at = size * part / 8;
            flip(&path, at);
            for args in ways(&inc, file, folder) {
                let when = format!("byte {at} of {archive}, {args:?}");
                // A kit has whole archives; the others take no rows that are not the newest.
                let taken = args[0] == "escape-kit" || used(at);
                if taken {
                    let outcome = scene.respaldo.run(&args);
                    assert_eq!(outcome.code, Some(14), "{when}: {outcome:#?}");
                    assert_eq!(outcome.error_code(), "object-corrupt", "{when}");
                    nothing_is_left(&scene.respaldo, &when);
                    assert_eq!(scene.repository.sealed(), sealed, "{when}");
                }
            }
            flip(&path, at);
        }
    }
    for args in ways(&inc, file, folder) {
        scene.respaldo.ok(&args);
    }
}

/// Whether a byte of an archive is in a block that holds the newest rows of a table.
fn used_bytes(manifest: &Value, archive: &str) -> impl Fn(usize) -> bool {
    let number = |data: &Value, key: &str| usize::try_from(data[key].as_u64().unwrap()).unwrap();
    let tables = manifest["tablas"].as_array().unwrap().iter();
    let blocks: Vec<_> = tables
        .map(|table| &table["datos"])
        .filter(|data| data["archivo"] == archive)
        .map(|data| (number(data, "posicion"), number(data, "largo")))
        .map(|(from, length)| from..from + length)
        .collect();
    move |at| blocks.iter().any(|block| block.contains(&at))
}

#[test]
fn a_missing_archive_is_named_and_nothing_is_written() {
    let (scene, [full, inc]) = chain();
    let (file, folder) = (
        scene.respaldo.folder().join("out"),
        scene.respaldo.folder().join("out.d"),
    );
    fs::remove_file(
        scene
            .repository
            .path(&scene.repository.object_key(&full, "archivo")),
    )
    .unwrap();
    for args in ways(&inc, file.to_str().unwrap(), folder.to_str().unwrap()) {
        let outcome = scene.respaldo.run(&args);
        outcome.expect_error(14, "object-missing");
        assert!(outcome.stdout.contains(&full), "{outcome:#?}");
        nothing_is_left(&scene.respaldo, &format!("{args:?}"));
    }
}

#[test]
fn without_a_backup_there_is_nothing_to_take_out() {
    let scene = Scene::open();
    let (file, folder) = (
        scene.respaldo.folder().join("out"),
        scene.respaldo.folder().join("out.d"),
    );
    for args in ways(
        "full_20200101_000000_abcd.backup",
        file.to_str().unwrap(),
        folder.to_str().unwrap(),
    ) {
        let outcome = scene.respaldo.run(&args);
        outcome.expect_error(15, "nothing-to-restore");
        nothing_is_left(&scene.respaldo, &format!("{args:?}"));
    }
    scene.backup("full");
    let outcome = scene.respaldo.run(&[
        "export",
        "--at",
        "2001-01-01",
        "-o",
        file.to_str().unwrap(),
        "--json",
    ]);
    outcome.expect_error(15, "nothing-to-restore");
}

#[test]
fn the_script_of_a_kit_touches_nothing_when_a_file_is_damaged_or_the_database_is_not_empty() {
    let (scene, [_, inc]) = chain();
    let kit = scene.respaldo.folder().join("kit");
    scene
        .respaldo
        .ok(&["escape-kit", "--id", &inc, "-o", kit.to_str().unwrap()]);
    let archive = kit.join("archives").join(&inc);
    let middle = usize::try_from(fs::metadata(&archive).unwrap().len() / 2).unwrap();
    flip(&archive, middle);
    let (done, said) = super::stock::run_kit(&scene.cluster, "dueno", &kit, "target", "1");
    assert!(!done && said.contains(&inc), "{said}");
    assert_eq!(
        scene.cluster.psql(
            "target",
            "SELECT count(*) FROM pg_namespace WHERE nspname = 'bank'"
        ),
        "0"
    );
    flip(&archive, middle);
    scene.cluster.psql("target", "CREATE TABLE mine (id int)");
    scene
        .cluster
        .psql("postgres", "ALTER DATABASE target RENAME TO kept");
    let mut command = std::process::Command::new("/bin/sh");
    command
        .arg(kit.join("restore.sh"))
        .arg(scene.cluster.url("kept"));
    command.env(
        "PATH",
        format!("{}:/usr/bin:/bin", scene.cluster.bin_dir().display()),
    );
    let out = command.output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(
        !out.status.success() && said.contains("not empty"),
        "{said}"
    );
    assert_eq!(
        scene.cluster.psql(
            "kept",
            "SELECT count(*) FROM pg_namespace WHERE nspname = 'bank'"
        ),
        "0"
    );
}
