//! The folder of the backups: one folder per type with the files, and `.respaldo/` with what this
//! service remembers, which the existing application never looks at.
//!
//! | in `.respaldo/` | is |
//! | --- | --- |
//! | `lock` | held by the run at work; the kernel frees it when that dies |
//! | `own.json` | the files this service made; without it nothing is ever pruned |
//! | `run.json` | the intent of the run at work: what it is writing, and under which name |
//! | `scratch-*.json` | the database a restore is building |
//!
//! A backup is written under a hidden name, read back, made durable, announced in the intent,
//! linked to its name, recorded, and the intent removed. A crash before the link leaves a hidden
//! file that the intent names; one after it a whole backup, which the next run records.

mod files;
mod intent;
mod listing;
mod record;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

pub(crate) use files::{create_private_file, hash_of, make_private, publish, write_durably};
pub(crate) use intent::Intent;
pub(crate) use record::{OwnFile, Record};

use crate::error::LegacyError;
use crate::kind::LegacyKind;

const MEMORY: &str = ".respaldo";

/// The folder, by its absolute path.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(crate) fn at(root: &Path) -> Self {
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        Self { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of a type.
    pub(crate) fn of(&self, kind: LegacyKind) -> PathBuf {
        self.root.join(kind.word())
    }

    /// A file of our memory.
    pub(crate) fn memory(&self, name: &str) -> PathBuf {
        self.root.join(MEMORY).join(name)
    }

    /// Makes the folders that are missing, and keeps other runs out until the lock is dropped.
    pub(crate) fn lock(&self) -> Result<Locked, LegacyError> {
        files::make_private_folders(&self.root.join(MEMORY))?;
        let path = self.memory("lock");
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(LegacyError::io("opening", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Locked {
                folder: self.clone(),
                _lock: file,
            }),
            Err(TryLockError::WouldBlock) => Err(LegacyError::Busy(self.root.clone())),
            Err(TryLockError::Error(source)) => Err(LegacyError::io("locking", &path)(source)),
        }
    }
}

/// The folder while no other run of this service can change it.
#[derive(Debug)]
pub(crate) struct Locked {
    folder: Folder,
    _lock: File,
}

impl Locked {
    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The folder of a type, made where it is missing.
    pub(crate) fn make(&self, kind: LegacyKind) -> Result<PathBuf, LegacyError> {
        let folder = self.folder.of(kind);
        files::make_private_folders(&folder)?;
        Ok(folder)
    }

    /// Removes a file of our memory; one that is not there is removed.
    pub(crate) fn forget(&self, name: &str) -> Result<(), LegacyError> {
        let path = self.folder.memory(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(LegacyError::io("removing", &path)(error))
            }
            _ => Ok(()),
        }
    }
}
