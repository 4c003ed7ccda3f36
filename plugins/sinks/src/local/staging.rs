//! Files being written, under names that tell whose they are.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use respaldo_engine::ports::{Context, Fault};

use super::{folders, platform};
use crate::owner::{self, FOLDER, FOREIGN_AGE, Writer};

/// Taken while a file is renamed; not a staging name, so never swept.
pub(super) const LOCK_FILE: &str = "publish-lock";

/// Where staging files lie.
pub(super) fn folder(root: &Path) -> PathBuf {
    root.join(FOLDER)
}

/// A file being written; gone when dropped, be it published (under its other name) or not.
pub(super) struct Staging {
    path: PathBuf,
    file: File,
}

impl Staging {
    /// A new file, readable by its owner only.
    pub(super) fn create(root: &Path) -> Result<Self, Fault> {
        let folder = folder(root);
        folders::make(&folder)?;
        let path = folder.join(owner::staging_name());
        match platform::create_private_file(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(error) => Err(Fault::io(format!("make {}", path.display()), error)),
        }
    }

    pub(super) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(path = %self.path.display(), %error, "a staging file is left");
            }
            _ => {}
        }
    }
}

/// Removes staging files of dead processes; returns how many.
pub(super) fn sweep(root: &Path, cx: &Context) -> Result<u64, Fault> {
    let folder = folder(root);
    let fault = |error| Fault::io(format!("sweep {}", folder.display()), error);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        other => other.map_err(fault)?,
    };
    let mut swept = 0;
    for entry in entries {
        cx.check()?;
        let entry = entry.map_err(fault)?;
        if is_abandoned(&entry) {
            match fs::remove_file(entry.path()) {
                Ok(()) => swept += 1,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(fault(error)),
            }
        }
    }
    Ok(swept)
}

/// Whether a file is of ours and nobody writes it any more. In doubt it is kept.
fn is_abandoned(entry: &fs::DirEntry) -> bool {
    let name = entry.file_name();
    let Some(writer) = name.to_str().and_then(owner::writer_of) else {
        return false;
    };
    if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
        return false;
    }
    match writer {
        Writer::Dead => true,
        Writer::Alive => false,
        Writer::Unknown => is_old(entry),
    }
}

fn is_old(entry: &fs::DirEntry) -> bool {
    let modified = entry
        .metadata()
        .and_then(|metadata| metadata.modified())
        .ok();
    modified
        .and_then(|at| at.elapsed().ok())
        .is_some_and(|age| age > FOREIGN_AGE)
}
