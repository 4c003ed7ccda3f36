//! Files being written, under names that tell whose they are.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use respaldo_engine::ports::{Context, Fault};
use uuid::Uuid;

use super::{folders, platform};

/// Taken while a file is renamed; not a staging name, so never swept.
pub(super) const LOCK_FILE: &str = "publish-lock";

const FOLDER: &str = ".respaldo-staging";
const SUFFIX: &str = "part";
/// After this long nobody on another machine still writes.
const FOREIGN_AGE: Duration = Duration::from_hours(24);

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
        let random = Uuid::new_v4().simple();
        let owner = platform::host();
        let path = folder.join(format!("{owner}.{}.{random}.{SUFFIX}", std::process::id()));
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
    let Some((host, pid)) = name.to_str().and_then(owner_of) else {
        return false;
    };
    if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
        return false;
    }
    if host == platform::host()
        && let Some(alive) = platform::is_alive(pid)
    {
        return !alive;
    }
    let modified = entry
        .metadata()
        .and_then(|metadata| metadata.modified())
        .ok();
    modified
        .and_then(|at| at.elapsed().ok())
        .is_some_and(|age| age > FOREIGN_AGE)
}

/// Machine and process of a staging name.
fn owner_of(name: &str) -> Option<(&str, u32)> {
    let mut parts = name
        .strip_suffix(SUFFIX)?
        .strip_suffix('.')?
        .rsplitn(3, '.');
    Uuid::try_parse(parts.next()?).ok()?;
    let pid = parts.next()?.parse().ok()?;
    parts.next().map(|host| (host, pid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staging_name_tells_its_owner_and_other_names_have_none() {
        let random = Uuid::new_v4().simple();
        assert_eq!(
            owner_of(&format!("db1.example.42.{random}.part")),
            Some(("db1.example", 42))
        );
        for foreign in [
            "notes.part",
            "a.b.part",
            "db1.x.0123.part",
            LOCK_FILE,
            ".part",
        ] {
            assert_eq!(owner_of(foreign), None, "{foreign}");
        }
    }
}
