//! `plugin list`, `info`, `pin`, `check` and `new`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use respaldo_tests::Respaldo;
use respaldo_tests::plugins::{RustPlugin, build, c_broken, c_faulty, c_folder};

use super::scene::{Scene, install};

fn driver() -> Respaldo {
    Respaldo::bare().limit(Duration::from_mins(4))
}

/// The report of `plugin check`, which ends with this code.
fn check(library: &Path, options: &str, code: i32) -> String {
    let respaldo = driver();
    let path = install(respaldo.folder(), library);
    let options = options.replace("DIR", respaldo.folder().to_str().unwrap());
    let run = respaldo.run(&[
        "plugin",
        "check",
        path.to_str().unwrap(),
        "--options",
        &options,
    ]);
    run.expect_code(code);
    run.stdout
}

#[test]
fn a_sink_in_rust_passes_the_check() {
    check(&RustPlugin::Folder.library(), r#"{"dir": "DIR"}"#, 0);
}

#[test]
fn a_sink_in_c_passes_the_check() {
    check(&c_folder(), r#"{"dir": "DIR"}"#, 0);
}

#[test]
fn a_detector_and_a_dumper_pass_the_check() {
    for plugin in [RustPlugin::ContentHash, RustPlugin::PgDump] {
        let report = check(&plugin.library(), "{}", 0);
        assert!(
            report.contains("ok  full, differential and incremental"),
            "{report}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_plugin_is_a_finding_of_its_check() {
    let report = check(&c_broken("extra_symbols"), "{}", 3);
    assert!(
        report.contains("!!  it exports its entry and nothing else"),
        "{report}"
    );
    let report = check(
        &c_faulty(),
        r#"{"dir": "DIR", "fault": "ok-early", "at": "put"}"#,
        3,
    );
    assert!(report.contains("!!  what is put is read back"), "{report}");
    let report = check(
        &c_faulty(),
        r#"{"dir": "DIR", "fault": "abort", "at": "list"}"#,
        3,
    );
    assert!(report.contains("SIGABRT"), "{report}");
}

#[test]
fn a_plugin_is_listed_with_what_it_says_or_why_it_cannot_be_used() {
    let scene = Scene::open();
    let plugin = scene.pinned("fuera", &c_folder(), "{ dir = \"/x\" }");
    scene.configure(&plugin);
    let listed = scene.respaldo.ok(&["plugin", "list", "--json"]).json();
    let all = listed["complementos"].as_array().unwrap();
    let find = |name: &str| all.iter().find(|plugin| plugin["nombre"] == name).unwrap();
    assert_eq!(find("pg-stat")["clase"], "detector");
    assert_eq!(find("local")["incluido"], true);
    assert_eq!(find("fuera")["id"], "example.c-folder");
    assert_eq!(find("fuera")["utilizable"], true);
    let info = scene
        .respaldo
        .ok(&["plugin", "info", "fuera", "--json"])
        .json();
    assert!(
        info["opciones"]["properties"]["dir"].is_object(),
        "{info:#}"
    );
    let sha256 = find("fuera")["sha256"].as_str().unwrap();
    scene.configure(&plugin.replace(sha256, &"0".repeat(64)));
    let other = scene.respaldo.run(&["plugin", "list"]);
    other.expect_code(3);
    assert!(other.stdout.contains("its SHA-256 is"), "{other:#?}");
    let shown = {
        scene.configure(&plugin);
        scene.respaldo.ok(&["config", "show"]).stdout
    };
    assert!(shown.contains("plugins.fuera"), "{shown}");
    assert!(!shown.contains("\"/x\""), "{shown}");
}

#[test]
fn skeletons_in_c_build_and_keep_every_promise() {
    for (kind, options) in [
        ("sink", r#"{"dir": "DIR"}"#),
        ("detector", "{}"),
        ("dumper", "{}"),
        ("validator", "{}"),
    ] {
        let folder = skeleton(kind, "c");
        let made = Command::new("make")
            .arg("-C")
            .arg(&folder.1)
            .output()
            .unwrap();
        assert!(made.status.success(), "{kind}: {made:?}");
        check(&folder.1.join("plugin.so"), options, 0);
    }
}

#[test]
fn a_skeleton_in_rust_builds_from_its_folder_alone() {
    let (_respaldo, folder) = skeleton("validator", "rust");
    let library = build(&folder.join("Cargo.toml"), "rust_magic");
    let report = check(&library, "{}", 0);
    assert!(
        report.contains("ok  full, differential and incremental"),
        "{report}"
    );
}

fn skeleton(kind: &str, language: &str) -> (Respaldo, PathBuf) {
    let respaldo = driver();
    let folder = respaldo.folder().join("nuevo");
    let new = [
        "plugin",
        "new",
        kind,
        "--lang",
        language,
        folder.to_str().unwrap(),
    ];
    respaldo.ok(&new);
    respaldo.run(&new).expect_code(2);
    assert!(
        fs::read_to_string(folder.join("README.md"))
            .unwrap()
            .contains(kind)
    );
    (respaldo, folder)
}
