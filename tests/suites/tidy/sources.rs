//! The files of the repository as the rules see them.

use std::fs;
use std::path::{Path, PathBuf};

/// One text file.
#[derive(Debug, Clone)]
pub struct Source {
    /// From the repository's root, with forward slashes.
    pub path: String,
    /// What it says.
    pub text: String,
}

impl Source {
    /// Lines with their numbers, without comments, up to the unit tests, which stand last.
    pub fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self
            .text
            .lines()
            .enumerate()
            .map(|(at, line)| (at + 1, line));
        lines
            .take_while(|(_, line)| {
                !line.starts_with("#[cfg(test)]") && !line.starts_with("mod tests")
            })
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Every text file of a kind that we write ourselves.
pub fn all_texts() -> Vec<Source> {
    let ours = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        [".rs", ".toml", ".md", ".sh", ".sql", ".json"]
            .iter()
            .any(|ending| name.ends_with(ending))
            || ["Makefile", "run"].contains(&name)
    };
    files()
        .into_iter()
        .filter(|path| ours(path))
        .map(read)
        .collect()
}

/// Every Rust file.
pub fn rust() -> Vec<Source> {
    files()
        .into_iter()
        .filter(|path| Path::new(path).extension() == Some("rs".as_ref()))
        .map(read)
        .collect()
}

/// The Rust files that end up in the program: no tests, no test kit.
pub fn product() -> Vec<Source> {
    let in_product = |source: &Source| {
        let path = &source.path;
        let rooms = ["core/", "plugins/", "legacy/"];
        let crates = rooms.iter().any(|room| path.starts_with(room));
        // The suites that strategies pass are tests that other crates can run, too.
        let suite = path.contains("/tests/")
            || path.contains("/conformance")
            || path.ends_with("/tests.rs");
        let build = path.ends_with("/build.rs");
        crates && !suite && !build
    };
    rust().into_iter().filter(in_product).collect()
}

fn read(path: String) -> Source {
    let bytes = fs::read(root().join(&path)).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    Source { path, text }
}

/// Every file below the root, in order, but what is built.
fn files() -> Vec<String> {
    let mut found = Vec::new();
    walk(&root(), "", &mut found);
    assert!(found.len() > 100, "the repository was not found: {found:?}");
    found.sort();
    found
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let skipped = ["target", ".git", "backups_incrementales"].contains(&name.as_str());
        match entry.file_type().unwrap() {
            _ if skipped => {}
            kind if kind.is_dir() => walk(&entry.path(), &format!("{path}/"), found),
            kind if kind.is_file() => found.push(path),
            _ => {}
        }
    }
}
