//! Which files may be used at all.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use respaldo_domain::object::Sha256;
use respaldo_plugin_host::Isolation;
use respaldo_tests::plugins::{RustPlugin, c_folder};
use serde_json::json;

use super::bench::{Bench, MIB, get, install, names, put, sha256_of, told};

fn bench() -> Bench {
    Bench::of(&c_folder(), json!({"dir": ""}))
}

fn refused(bench: &Bench) -> String {
    let text = told(&bench.load().unwrap_err());
    assert!(text.contains("plugin malo"), "{text}");
    text
}

#[test]
fn only_the_file_with_the_hash_of_the_configuration_is_used() {
    let mut bench = bench();
    bench.config.sha256 = Sha256([7; 32]);
    let text = refused(&bench);
    assert!(text.contains("respaldo plugin pin"), "{text}");
    let mut bench = self::bench();
    let mut bytes = fs::read(&bench.config.path).unwrap();
    bytes.push(0);
    fs::write(&bench.config.path, bytes).unwrap();
    assert!(refused(&bench).contains("its SHA-256 is"));
    bench.config.sha256 = sha256_of(&bench.config.path);
    bench.load().unwrap();
}

#[test]
fn a_file_that_others_could_replace_is_refused() {
    let bench = bench();
    let mode = |mode| fs::set_permissions(&bench.config.path, fs::Permissions::from_mode(mode));
    mode(0o666).unwrap();
    assert!(refused(&bench).contains("can be written by others"));
    mode(0o644).unwrap();
    let folder = bench.config.path.parent().unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(refused(&bench).contains("may replace it"));
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    bench.load().unwrap();
}

#[test]
fn a_path_that_leads_elsewhere_is_refused() {
    let mut bench = bench();
    let folder = bench.folder.path().to_owned();
    let link = folder.join("link.so");
    symlink(&bench.config.path, &link).unwrap();
    for (path, reason) in [
        (link, "symbolic link"),
        (PathBuf::from("plugin.so"), "absolute"),
        (folder.join("store/../plugin.so"), "absolute path without"),
        (folder.join("none.so"), "cannot be read"),
        (folder, "is not a file"),
    ] {
        bench.config.path = path;
        let text = refused(&bench);
        assert!(text.contains(reason), "{text}");
    }
}

#[test]
fn a_path_with_spaces_and_letters_of_other_tongues_is_a_path() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::at(
        folder,
        "mis complementos/ñandú 圖書館.so",
        &c_folder(),
        json!({"dir": ""}),
    );
    let sink = bench.sink();
    put(&sink, "full/uno", 3).unwrap();
    assert_eq!(names(&sink).unwrap(), ["full/uno"]);
}

#[test]
fn a_plugin_goes_on_with_the_bytes_that_were_hashed_when_its_file_is_replaced() {
    let bench = bench();
    let sink = bench.sink();
    put(&sink, "full/uno", MIB).unwrap();
    install(&RustPlugin::Folder.library(), &bench.config.path);
    put(&sink, "full/dos", MIB).unwrap();
    assert_eq!(get(&sink, "full/dos").unwrap().len() as u64, MIB);
    // Whoever starts now sees another file.
    assert!(refused(&bench).contains("its SHA-256 is"));
}

#[test]
fn options_that_do_not_fit_the_schema_are_refused_without_their_values() {
    for options in [json!({}), json!({"dir": "", "geheim": "hunter2"})] {
        let bench = Bench::of(&c_folder(), options);
        let text = refused(&bench);
        assert!(text.contains("options"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_trusted_plugin_works_in_the_process_itself() {
    for library in [c_folder(), RustPlugin::Folder.library()] {
        let mut bench = Bench::of(&library, json!({"dir": ""}));
        bench.config.isolation = Isolation::InProcess;
        let sink = bench.sink();
        put(&sink, "full/uno", 3 * MIB).unwrap();
        assert_eq!(get(&sink, "full/uno").unwrap().len() as u64, 3 * MIB);
    }
}
