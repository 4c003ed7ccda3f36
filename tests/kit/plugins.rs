//! Plugins as others make them: the examples, built out of the workspace, once per machine.
//!
//! Rust ones with cargo in a target folder of their own, from their own `Cargo.lock`; C ones with make. What does not
//! build fails the test that wanted it.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A library in Rust: its folder below `plugins/examples`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RustPlugin {
    /// A sink, `example.folder`.
    Folder,
    /// The same as futures, `example.folder-async`.
    FolderAsync,
    /// A detector, `example.content-hash`.
    ContentHash,
    /// A dumper, `example.pgdump`.
    PgDump,
    /// A validator, `example.magic`.
    Magic,
    /// A sink with faults to choose from, `test.faulty`.
    Faulty,
}

impl RustPlugin {
    fn folder(self) -> &'static str {
        match self {
            Self::Folder => "rust-folder",
            Self::FolderAsync => "rust-folder-async",
            Self::ContentHash => "rust-content-hash",
            Self::PgDump => "rust-pgdump",
            Self::Magic => "rust-magic",
            Self::Faulty => "faulty",
        }
    }

    /// The library, built.
    pub fn library(self) -> PathBuf {
        let _turn = turn();
        let manifest = examples().join(self.folder()).join("Cargo.toml");
        // What was fetched once is built without a network.
        if !cargo(&manifest, &["--offline"]) {
            let built = cargo(&manifest, &[]);
            assert!(built, "{} does not build: see above", manifest.display());
        }
        let name = format!("lib{}.so", self.folder().replace('-', "_"));
        existing(target().join("debug").join(name))
    }
}

/// The library of a package elsewhere, built where the examples are; without a lock file of its own.
pub fn build(manifest: &Path, library: &str) -> PathBuf {
    let _turn = turn();
    let lock = manifest.with_file_name("Cargo.lock");
    // The versions that the examples are built with, where it needs the same.
    fs::copy(examples().join("rust-magic/Cargo.lock"), &lock).unwrap();
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["build", "--quiet", "--manifest-path"])
        .arg(manifest);
    command.env("CARGO_TARGET_DIR", target().join("elsewhere"));
    let status = command.status();
    let status = status.unwrap_or_else(|error| panic!("cargo does not start: {error}"));
    assert!(
        status.success(),
        "{} does not build: see above",
        manifest.display()
    );
    existing(
        target()
            .join("elsewhere/debug")
            .join(format!("lib{library}.so")),
    )
}

fn cargo(manifest: &Path, more: &[&str]) -> bool {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--quiet", "--locked", "--manifest-path"]);
    command.arg(manifest).args(more);
    // What cargo tells the tests that it runs is not meant for another workspace.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG") || name.starts_with("CARGO_CFG") || name == "RUSTFLAGS" {
            command.env_remove(name);
        }
    }
    command.env("CARGO_TARGET_DIR", target());
    let status = command.status();
    status
        .unwrap_or_else(|error| panic!("cargo does not start: {error}"))
        .success()
}

/// The sink in C, `example.c-folder`.
pub fn c_folder() -> PathBuf {
    c_library("c-folder", "c_folder")
}

/// The sink in C with faults to choose from, `test.c-faulty`.
pub fn c_faulty() -> PathBuf {
    c_library("c-faulty", "c_faulty")
}

/// A library with one thing wrong, `test.broken`; `name` is that of its source in `c-broken` without the ending.
pub fn c_broken(name: &str) -> PathBuf {
    c_library("c-broken", name)
}

fn c_library(folder: &str, name: &str) -> PathBuf {
    let _turn = turn();
    let out = target().join("c");
    fs::create_dir_all(&out).unwrap();
    let mut command = Command::new("make");
    command
        .arg("--silent")
        .arg("-C")
        .arg(examples().join(folder));
    command.arg(format!("OUT={}", out.display()));
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("make does not start: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{folder} does not build: {said}");
    existing(out.join(format!("{name}.so")))
}

/// Plugins that were shipped: the oldest of each language, never built again.
pub fn shipped(name: &str) -> PathBuf {
    existing(root().join("tests/fixtures/plugins").join(name))
}

fn existing(path: PathBuf) -> PathBuf {
    assert!(path.is_file(), "{} is missing", path.display());
    path
}

/// One build at a time, of all tests of this machine; ends when it is dropped.
fn turn() -> File {
    let folder = target();
    fs::create_dir_all(&folder).unwrap();
    let file = File::create(folder.join(".turn")).unwrap();
    file.lock().unwrap();
    file
}

fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap().to_owned()
}

fn examples() -> PathBuf {
    root().join("plugins/examples")
}

fn target() -> PathBuf {
    let all = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let all = all.unwrap_or_else(|| root().join("target"));
    root().join(all).join("plugins")
}
