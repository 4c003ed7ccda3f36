//! Skeletons of plugins: the examples of this repository, with all that they need beside them.
//!
//! The SDK is written along, as its source: a plugin builds from its folder alone, and goes on building
//! when respaldo has a later one.

use crate::cli::{PluginKindArg, PluginLanguage};

mod texts {
    include!(concat!(env!("OUT_DIR"), "/skeletons.rs"));
}

/// Files as they lie in a folder: name and text.
type Files = &'static [(&'static str, &'static str)];

/// Files of a skeleton: name and text.
pub fn files(kind: PluginKindArg, language: PluginLanguage) -> Vec<(String, String)> {
    match language {
        PluginLanguage::Rust => rust(kind),
        PluginLanguage::C => c(kind),
    }
}

fn rust(kind: PluginKindArg) -> Vec<(String, String)> {
    let (manifest, sources): (&str, Files) = match kind {
        PluginKindArg::Sink => (texts::RUST_SINK_MANIFEST, texts::RUST_SINK),
        PluginKindArg::Detector => (texts::RUST_DETECTOR_MANIFEST, texts::RUST_DETECTOR),
        PluginKindArg::Dumper => (texts::RUST_DUMPER_MANIFEST, texts::RUST_DUMPER),
        PluginKindArg::Validator => (texts::RUST_VALIDATOR_MANIFEST, texts::RUST_VALIDATOR),
    };
    let manifest = manifest.replace("../../sdk", "sdk");
    let library = library_name(&manifest);
    let mut files = vec![
        ("Cargo.toml".to_owned(), manifest),
        (
            "README.md".to_owned(),
            readme(
                kind,
                "cargo build --release",
                &format!("target/release/lib{library}.so"),
            ),
        ),
        (".gitignore".to_owned(), "/target\n".to_owned()),
        ("sdk/Cargo.toml".to_owned(), sdk_manifest()),
    ];
    files.extend(below("src", sources));
    files.extend(below("sdk/src", texts::SDK));
    files
}

fn c(kind: PluginKindArg) -> Vec<(String, String)> {
    let source = match kind {
        PluginKindArg::Sink => text_of(texts::C_SINK, "folder.c"),
        PluginKindArg::Detector => text_of(texts::C, "detector.c"),
        PluginKindArg::Dumper => text_of(texts::C, "dumper.c"),
        PluginKindArg::Validator => text_of(texts::C, "validator.c"),
    };
    let mut files = vec![
        ("plugin.c".to_owned(), source),
        ("Makefile".to_owned(), MAKEFILE.to_owned()),
        ("README.md".to_owned(), readme(kind, "make", "plugin.so")),
        (".gitignore".to_owned(), "*.so\n".to_owned()),
    ];
    files.extend(below("include", texts::HEADER));
    if kind != PluginKindArg::Sink {
        for name in ["common.h", "library.h"] {
            files.push((name.to_owned(), text_of(texts::C, name)));
        }
    }
    files
}

fn below(folder: &str, files: Files) -> Vec<(String, String)> {
    files
        .iter()
        .map(|(name, text)| (format!("{folder}/{name}"), (*text).to_owned()))
        .collect()
}

fn text_of(files: Files, name: &str) -> String {
    let found = files.iter().find(|(of, _)| *of == name);
    found
        .map(|(_, text)| (*text).to_owned())
        .unwrap_or_default()
}

/// The name of a crate as it stands in its library's.
fn library_name(manifest: &str) -> String {
    let name = manifest
        .lines()
        .find_map(|line| line.strip_prefix("name = "))
        .unwrap_or_default();
    name.trim_matches('"').replace('-', "_")
}

fn sdk_manifest() -> String {
    format!(
        "[package]\nname = \"respaldo-sdk\"\nversion = {:?}\nedition = \"2024\"\nlicense = \"MIT OR Apache-2.0\"\n\
         publish = false\n\n[dependencies]\n{}\n[features]\ntokio = [\"dep:tokio\"]\n",
        env!("CARGO_PKG_VERSION"),
        texts::SDK_DEPENDENCIES
    )
}

fn readme(kind: PluginKindArg, build: &str, library: &str) -> String {
    let kind = match kind {
        PluginKindArg::Sink => "sink",
        PluginKindArg::Detector => "detector",
        PluginKindArg::Dumper => "dumper",
        PluginKindArg::Validator => "validator",
    };
    format!(
        "# A {kind} for respaldo\n\n\
         It works as it is: change it step by step, and its id and name first.\n\n\
         ```sh\n\
         {build}\n\
         respaldo plugin check {library}        # --options '{{...}}' where it has any\n\
         respaldo plugin pin {library}          # lines for respaldo.toml\n\
         ```\n"
    )
}

/// Needs nothing but a C compiler.
const MAKEFILE: &str = "\
# make                   builds plugin.so here
# make OUT=/some/folder   builds it there
OUT ?= .
CFLAGS ?= -O2
CFLAGS += -std=gnu11 -Wall -Wextra -Werror -fPIC -fvisibility=hidden -Iinclude -I.

$(OUT)/plugin.so: plugin.c $(wildcard *.h) include/respaldo_plugin.h
\t$(CC) $(CFLAGS) -shared -s -Wl,-z,defs -o $@ plugin.c
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_skeleton_has_its_sources_and_all_that_they_include() {
        use PluginKindArg::{Detector, Dumper, Sink, Validator};
        for kind in [Sink, Detector, Dumper, Validator] {
            let rust = files(kind, PluginLanguage::Rust);
            let names: Vec<&str> = rust.iter().map(|(name, _)| name.as_str()).collect();
            for wanted in [
                "Cargo.toml",
                "src/lib.rs",
                "sdk/Cargo.toml",
                "sdk/src/lib.rs",
            ] {
                assert!(names.contains(&wanted), "{kind:?}: {names:?}");
            }
            let c = files(kind, PluginLanguage::C);
            assert!(c.iter().all(|(_, text)| !text.is_empty()));
            let header = c
                .iter()
                .find(|(name, _)| name == "include/respaldo_plugin.h");
            assert!(header.is_some());
        }
    }
}
