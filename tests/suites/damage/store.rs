//! Damage as a value, done to a file and undone again.

use std::fs;
use std::path::{Path, PathBuf};

use respaldo_tests::{DbImage, Scene};
use serde_json::Value;

/// A bank with three backups, the last two incrementals, and what the last one holds.
pub struct Vault {
    /// The bank, changed since.
    pub scene: Scene,
    /// The archives' names, oldest first.
    pub archives: [String; 3],
    /// What the newest holds.
    pub image: DbImage,
}

impl Vault {
    /// Fills it.
    pub fn fill() -> Self {
        let scene = Scene::open();
        let full = scene.backup_name("full");
        scene.day(1);
        let first = scene.backup_name("inc");
        scene.day(2);
        let second = scene.backup_name("inc");
        let image = scene.image();
        scene.add_branch(50);
        Self {
            scene,
            archives: [full, first, second],
            image,
        }
    }

    /// The newest backup's number.
    pub fn newest_id(&self) -> String {
        let listed = self.scene.respaldo.ok(&["list", "--json"]).json();
        let entries = listed.as_array().unwrap();
        let newest = entries
            .iter()
            .find(|entry| entry["nombre"] == self.newest());
        newest.unwrap()["id"].to_string()
    }

    /// The newest archive.
    pub fn newest(&self) -> &str {
        &self.archives[2]
    }

    /// Where an object of an archive lies.
    pub fn path(&self, archive: &str, object: Object) -> PathBuf {
        let repository = &self.scene.repository;
        let key = match object {
            Object::Manifest => repository.manifest_key(archive),
            Object::Archive => repository.object_key(archive, "archivo"),
            Object::Stats => repository.object_key(archive, "lecturas"),
        };
        repository.path(&key)
    }
}

/// An object of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    Archive,
    Manifest,
    Stats,
}

impl Object {
    pub const ALL: [Self; 3] = [Self::Archive, Self::Manifest, Self::Stats];
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// One bit in the middle.
    Flip,
    /// The second half is gone.
    Truncated,
    /// It is not there.
    Missing,
    /// It is the same object of another set.
    Swapped,
    /// It is there, and empty.
    Emptied,
}

impl Damage {
    pub const ALL: [Self; 5] = [
        Self::Flip,
        Self::Truncated,
        Self::Missing,
        Self::Swapped,
        Self::Emptied,
    ];

    /// Does it; the file is as it was when the result is dropped.
    pub fn to(self, path: &Path, other: &Path) -> Undo {
        let undo = Undo {
            path: path.to_owned(),
            content: fs::read(path).unwrap(),
        };
        let mut bytes = undo.content.clone();
        match self {
            Self::Flip => {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 0x10;
            }
            Self::Truncated => bytes.truncate(bytes.len() / 2),
            Self::Emptied => bytes.clear(),
            Self::Swapped => bytes = fs::read(other).unwrap(),
            Self::Missing => {
                fs::remove_file(path).unwrap();
                return undo;
            }
        }
        fs::write(path, bytes).unwrap();
        undo
    }
}

/// Flips one bit of one byte.
pub fn flip_at(path: &Path, at: usize) -> Undo {
    let undo = Undo {
        path: path.to_owned(),
        content: fs::read(path).unwrap(),
    };
    let mut bytes = undo.content.clone();
    bytes[at] ^= 0x04;
    fs::write(path, bytes).unwrap();
    undo
}

/// Mends the damage when dropped.
#[derive(Debug)]
pub struct Undo {
    path: PathBuf,
    content: Vec<u8>,
}

impl Drop for Undo {
    fn drop(&mut self) {
        fs::write(&self.path, &self.content).unwrap();
    }
}

/// Where the rows of a table lie: the archive, and a byte in the middle of its block.
pub fn block_of(manifest: &Value, table: &str) -> (String, usize) {
    let tables = manifest["tablas"].as_array().unwrap();
    let entry = tables
        .iter()
        .find(|entry| entry["nombre"] == table)
        .unwrap();
    let data = &entry["datos"];
    let number = |key: &str| usize::try_from(data[key].as_u64().unwrap()).unwrap();
    let archive = data["archivo"].as_str().unwrap().to_owned();
    (archive, number("posicion") + number("largo") / 2)
}
