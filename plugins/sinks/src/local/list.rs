//! Walking a repository.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, ObjectInfo};
use respaldo_engine::store::io_of_fault;

/// What could not be listed, and why.
type Failed = (PathBuf, io::Error);

/// Every real file whose path is a key with this prefix, in the order of keys. Links, and names
/// that are no keys (our staging folder's among them), are passed over.
pub(super) fn objects(root: &Path, prefix: &str, cx: &Context) -> Result<Vec<ObjectInfo>, Failed> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let path = root.join(&folder);
        cx.check()
            .map_err(|fault| (path.clone(), io_of_fault(fault)))?;
        match read_folder(&path, &folder, prefix, &mut found, &mut folders) {
            // A folder may vanish while we look; the root may not.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !folder.is_empty() => {}
            Err(error) => return Err((path, error)),
            Ok(()) => {}
        }
    }
    found.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(found)
}

fn read_folder(
    path: &Path,
    folder: &str,
    prefix: &str,
    found: &mut Vec<ObjectInfo>,
    folders: &mut Vec<String>,
) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let Some(key) = key_of(folder, &entry) else {
            continue;
        };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let inside = format!("{key}/");
            if inside.starts_with(prefix) || prefix.starts_with(&inside) {
                folders.push(key.into());
            }
        } else if kind.is_file() && key.as_str().starts_with(prefix) {
            match entry.metadata() {
                Ok(metadata) => found.push(ObjectInfo {
                    key,
                    size_bytes: metadata.len(),
                }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

fn key_of(folder: &str, entry: &fs::DirEntry) -> Option<ObjectKey> {
    let name = entry.file_name();
    let name = name.to_str()?;
    let key = if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    };
    ObjectKey::parse(key).ok()
}
