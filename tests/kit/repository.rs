//! A repository on disk as somebody sees it who knows only its layout: which sets are sealed, and
//! which files belong to none.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::{Respaldo, cluster};

/// An archive of the existing system, which has a final name and no manifest.
const FOREIGN: &str = "full/full_20250101_000000.backup";
const FOREIGN_CONTENT: &[u8] = b"PGDMP of somebody else's making";

/// What the working folder may hold between runs.
const CACHES: [&str; 4] = [
    ".respaldo/index.json",
    ".respaldo/relations.json",
    ".respaldo/schedule.json",
    ".respaldo/validated.json",
];

/// What it keeps readable of encrypted sets.
const KEPT: &str = ".respaldo/kept/";

const MANIFEST: &str = ".manifest.json";

/// Where the seal of a manifest begins.
const SEAL: &str = "\"sello\":\"";

/// A folder that is the repository of a driver.
#[derive(Debug, Clone)]
pub struct Repository {
    root: PathBuf,
}

impl Repository {
    /// The repository a driver uses when it is not configured otherwise.
    pub fn of(respaldo: &Respaldo) -> Self {
        Self::at(&respaldo.folder().join("backups_incrementales"))
    }

    /// The repository in this folder, which need not exist yet.
    pub fn at(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The path of an object.
    pub fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    /// Keys of the manifests, in the order of names.
    pub fn manifests(&self) -> Vec<String> {
        self.files()
            .into_iter()
            .filter(|key| key.ends_with(MANIFEST) && !key.starts_with(KEPT))
            .collect()
    }

    /// Names of the sealed archives, in the order of names within each kind.
    pub fn sealed(&self) -> Vec<String> {
        let name = |key: &String| Some(key.rsplit('/').next()?.strip_suffix(MANIFEST)?.to_owned());
        self.manifests().iter().filter_map(name).collect()
    }

    /// The manifest of an archive.
    pub fn manifest(&self, archive: &str) -> Value {
        let path = self.path(&self.manifest_key(archive));
        let text = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// Key of the manifest of an archive.
    pub fn manifest_key(&self, archive: &str) -> String {
        let end = format!("/{archive}{MANIFEST}");
        let found = self.manifests().into_iter().find(|key| key.ends_with(&end));
        found.unwrap_or_else(|| panic!("no manifest seals {archive}: {:?}", self.manifests()))
    }

    /// Changes the text of a manifest and seals it again.
    pub fn reseal(&self, archive: &str, edit: impl FnOnce(&str) -> String) {
        let path = self.path(&self.manifest_key(archive));
        let text = fs::read_to_string(&path).unwrap();
        let (content, _) = text.split_once(SEAL).unwrap();
        let content = edit(content);
        let sum = cluster::feed(&mut Command::new("sha256sum"), content.as_bytes());
        let sum = String::from_utf8_lossy(&sum.stdout).into_owned();
        let sum = sum.split_whitespace().next().unwrap();
        fs::write(&path, format!("{content}{SEAL}{sum}\"\n}}\n")).unwrap();
        // A cache; the first backup of a repository leaves none.
        let _ = fs::remove_file(self.path(CACHES[0]));
    }

    /// Makes a backup one of another moment.
    pub fn move_in_time(&self, archive: &str, snapshot_at: &str) {
        let manifest = self.manifest(archive);
        let was = manifest["instantanea"].as_str().unwrap().to_owned();
        self.reseal(archive, |text| text.replace(&was, snapshot_at));
    }

    /// Key of an object of a sealed archive by its role: `archivo`, `lecturas` or `roles`.
    pub fn object_key(&self, archive: &str, role: &str) -> String {
        let manifest = self.manifest(archive);
        let objects = manifest["objetos"].as_array().cloned().unwrap_or_default();
        let found = objects.iter().find(|object| object["rol"] == role);
        let key = found.and_then(|object| object["clave"].as_str());
        key.unwrap_or_else(|| panic!("{archive} has no object {role}: {objects:?}"))
            .to_owned()
    }

    /// Every file, by its key.
    pub fn files(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        walk(&self.root, &mut found);
        let key = |path: PathBuf| Some(path.strip_prefix(&self.root).ok()?.to_str()?.to_owned());
        found.into_iter().filter_map(key).collect()
    }

    /// Files that no manifest accounts for, caches and what was planted aside; and objects that a
    /// manifest names and that are not there.
    pub fn litter(&self) -> Vec<String> {
        let mut files = self.files();
        let mut lost = Vec::new();
        for archive in self.sealed() {
            files.remove(&self.manifest_key(&archive));
            for object in self.manifest(&archive)["objetos"].as_array().unwrap() {
                let key = object["clave"].as_str().unwrap();
                if !files.remove(key) {
                    lost.push(format!("{archive} lost its {key}"));
                }
            }
        }
        let known = |key: &String| {
            CACHES.contains(&key.as_str()) || key.starts_with(KEPT) || key == FOREIGN
        };
        lost.extend(
            files
                .into_iter()
                .filter(|key| !known(key) && !key.ends_with("-lock")),
        );
        lost
    }

    /// Puts an archive of the existing system where that system would.
    pub fn plant_foreign_archive(&self) {
        let path = self.path(FOREIGN);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, FOREIGN_CONTENT).unwrap();
    }

    /// Panics unless the planted archive is there, byte for byte.
    pub fn assert_foreign_archive_is_intact(&self) {
        let found = fs::read(self.path(FOREIGN)).expect("the foreign archive");
        assert_eq!(
            found, FOREIGN_CONTENT,
            "somebody else's archive was touched"
        );
    }
}

fn walk(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&entry.path(), found),
            _ => drop(found.insert(entry.path())),
        }
    }
}
