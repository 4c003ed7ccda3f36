//! Builds what tells glibc how to keep memory, and gathers what `plugin new` writes.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::{env, io};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=native/malloc.c");
    let is_glibc = env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu");
    let is_linux = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    if is_glibc && is_linux {
        // Nothing refers to it: all of it is linked all the same.
        cc::Build::new()
            .file("native/malloc.c")
            .link_lib_modifier("+whole-archive")
            .compile("respaldo_malloc");
    }
    skeletons()
}

/// Examples, the SDK and the header as texts of the binary: a list per folder.
fn skeletons() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../..");
    let root = fs::canonicalize(root)?;
    let mut code = String::new();
    for (name, folder) in [
        ("SDK", "plugins/sdk/src"),
        ("HEADER", "plugins/sdk/include"),
        ("C", "plugins/sdk/skeletons"),
        ("C_SINK", "plugins/examples/c-folder"),
        ("RUST_SINK", "plugins/examples/rust-folder/src"),
        ("RUST_DETECTOR", "plugins/examples/rust-content-hash/src"),
        ("RUST_DUMPER", "plugins/examples/rust-pgdump/src"),
        ("RUST_VALIDATOR", "plugins/examples/rust-magic/src"),
    ] {
        let folder = root.join(folder);
        println!("cargo:rerun-if-changed={}", folder.display());
        let mut files = Vec::new();
        gather(&folder, &mut files)?;
        files.sort();
        let _ = writeln!(code, "pub const {name}: &[(&str, &str)] = &[");
        for file in files {
            let name = file.strip_prefix(&folder).unwrap_or(&file);
            let _ = writeln!(
                code,
                "({:?}, include_str!({:?})),",
                name.display().to_string(),
                file.display().to_string()
            );
        }
        let _ = writeln!(code, "];");
    }
    for (name, example) in [
        ("RUST_SINK_MANIFEST", "rust-folder"),
        ("RUST_DETECTOR_MANIFEST", "rust-content-hash"),
        ("RUST_DUMPER_MANIFEST", "rust-pgdump"),
        ("RUST_VALIDATOR_MANIFEST", "rust-magic"),
    ] {
        let file = root
            .join("plugins/examples")
            .join(example)
            .join("Cargo.toml");
        println!("cargo:rerun-if-changed={}", file.display());
        let _ = writeln!(
            code,
            "pub const {name}: &str = include_str!({:?});",
            file.display().to_string()
        );
    }
    let workspace = root.join("Cargo.toml");
    println!("cargo:rerun-if-changed={}", workspace.display());
    let versions = versions(&fs::read_to_string(workspace)?);
    let _ = writeln!(code, "pub const SDK_DEPENDENCIES: &str = {versions:?};");
    let out = PathBuf::from(env::var("OUT_DIR").unwrap_or_default());
    fs::write(out.join("skeletons.rs"), code)
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|kind| ["rs", "c", "h"].iter().any(|k| kind == *k))
        {
            files.push(path);
        }
    }
    Ok(())
}

/// What the SDK depends on, in the words of the workspace.
fn versions(workspace: &str) -> String {
    let wanted = [
        "schemars = ",
        "serde = ",
        "serde_json = ",
        "serde_path_to_error = ",
    ];
    let lines = workspace
        .lines()
        .filter(|line| wanted.iter().any(|name| line.starts_with(name)));
    let mut versions = lines.collect::<Vec<_>>().join("\n");
    versions.push('\n');
    let tokio = workspace.lines().find(|line| line.starts_with("tokio = "));
    if let Some(tokio) = tokio {
        versions.push_str(&tokio.replace(" }", ", optional = true }"));
        versions.push('\n');
    }
    versions
}
