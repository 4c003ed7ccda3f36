//! Every example builds, and exports one function and no more.

use std::fs;
use std::path::Path;
use std::process::Command;

use respaldo_tests::plugins::{RustPlugin, c_broken, c_faulty, c_folder, shipped};

/// The symbols that a library exports.
fn exports(library: &Path) -> Vec<String> {
    let output = Command::new("nm")
        .args(["-D", "--defined-only"])
        .arg(library)
        .output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    let names = text
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2));
    names.map(str::to_owned).collect()
}

#[test]
fn every_example_in_rust_builds_and_exports_its_entry_only() {
    for plugin in [
        RustPlugin::Folder,
        RustPlugin::FolderAsync,
        RustPlugin::ContentHash,
        RustPlugin::PgDump,
        RustPlugin::Magic,
        RustPlugin::Faulty,
    ] {
        assert_eq!(
            exports(&plugin.library()),
            ["respaldo_plugin_entry"],
            "{plugin:?}"
        );
    }
}

#[test]
fn every_example_in_c_builds_and_exports_its_entry_only() {
    for library in [c_folder(), c_faulty(), c_broken("plain")] {
        assert_eq!(
            exports(&library),
            ["respaldo_plugin_entry"],
            "{}",
            library.display()
        );
    }
    assert_eq!(exports(&c_broken("no_entry")), ["some_other_entry"]);
    assert_eq!(exports(&c_broken("extra_symbols")).len(), 3);
}

#[test]
fn the_shipped_plugins_are_those_that_were_shipped() {
    for library in [
        "c-folder-api-1.0-x86_64-linux.so",
        "rust-folder-api-1.0-x86_64-linux.so",
    ] {
        assert_eq!(
            exports(&shipped(library)),
            ["respaldo_plugin_entry"],
            "{library}"
        );
    }
}

#[test]
fn a_complete_sink_takes_fewer_than_forty_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let source = root.join("plugins/examples/rust-folder/src/lib.rs");
    let text = fs::read_to_string(source).unwrap();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let no_code = ["//", "use ", "#![forbid"];
    let code = lines
        .iter()
        .filter(|line| !line.is_empty() && !no_code.iter().any(|begin| line.starts_with(begin)));
    assert!(code.count() < 40);
}
