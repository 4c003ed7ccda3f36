//! The folders of a repository: private, durable, and never a symbolic link.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Fault, FaultKind};

use super::platform;

/// Makes a folder with what is missing above it.
pub(super) fn make(folder: &Path) -> Result<(), Fault> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        make(above)?;
    }
    match platform::make_private_folder(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(Fault::io(
                format!("make the folder {}", folder.display()),
                error,
            ));
        }
        _ => {}
    }
    folder.parent().map_or(Ok(()), sync)
}

/// Makes the folders of a key.
pub(super) fn make_for(root: &Path, key: &ObjectKey) -> Result<(), Fault> {
    make(root)?;
    for folder in of_key(root, key) {
        if !is_real(&folder)? {
            make(&folder)?;
        }
    }
    Ok(())
}

/// Checks that the folders of a key, where they are there, are no links to elsewhere.
pub(super) fn check(root: &Path, key: &ObjectKey) -> Result<(), Fault> {
    of_key(root, key).try_for_each(|folder| is_real(&folder).map(drop))
}

/// Makes what was created, renamed or removed in a folder durable.
pub(super) fn sync(folder: &Path) -> Result<(), Fault> {
    // Windows cannot open a folder as a file, and makes its entries durable by itself.
    if cfg!(windows) {
        return Ok(());
    }
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| Fault::io(format!("make {} durable", folder.display()), error))
}

/// The folders between the root and the file of a key, outermost first.
fn of_key(root: &Path, key: &ObjectKey) -> impl Iterator<Item = PathBuf> {
    let parts: Vec<&str> = key.as_str().split('/').collect();
    let root = root.to_owned();
    (1..parts.len()).map(move |count| root.join(parts[..count].join("/")))
}

/// Whether a folder is there; a fault where something else bears its name.
fn is_real(folder: &Path) -> Result<bool, Fault> {
    match fs::symlink_metadata(folder) {
        Ok(metadata) if metadata.is_dir() => Ok(true),
        Ok(_) => {
            let subject = format!("{} must be a folder, not a link or file", folder.display());
            Err(Fault::bare(FaultKind::Denied, subject))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Fault::io(format!("look at {}", folder.display()), error)),
    }
}
