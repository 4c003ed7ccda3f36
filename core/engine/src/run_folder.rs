//! A folder for the files of one run, known to be abandoned when its run is dead.
//!
//! The run holds a lock on a file in it, which the operating system gives back when the process
//! ends, however it ends. A folder whose lock can be had belongs to nobody any more.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::intent::WorkDir;
use crate::ports::Fault;

const LOCK_FILE: &str = "lock";

/// A folder of this run; removed with everything in it when dropped, swept by a later run when
/// this one is killed.
pub(crate) struct RunFolder {
    path: PathBuf,
    _lock: File,
}

impl RunFolder {
    /// Makes one whose name begins with `purpose`, and removes those that dead runs left.
    pub(crate) fn make(work: &WorkDir, purpose: &str) -> Result<Self, Fault> {
        sweep(work, purpose);
        let path = work.file(&format!("{purpose}-{}", Uuid::new_v4().simple()));
        let making = |e| Fault::io(format!("making {}", path.display()), e);
        fs::create_dir(&path).map_err(making)?;
        let lock = File::create_new(path.join(LOCK_FILE)).map_err(making)?;
        // Where a file system has no locks, an abandoned folder stays rather than a live one goes.
        let _ = lock.lock();
        Ok(Self { path, _lock: lock })
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        // What stays behind is swept by the next run.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn sweep(work: &WorkDir, purpose: &str) {
    let prefix = format!("{purpose}-");
    let entries = fs::read_dir(work.file(".")).into_iter().flatten().flatten();
    for entry in entries {
        let is_ours = entry.file_name().to_string_lossy().starts_with(&prefix)
            && entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_ours && is_abandoned(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// In doubt it is not: a folder without a lock file is being made right now.
fn is_abandoned(folder: &Path) -> bool {
    File::open(folder.join(LOCK_FILE)).is_ok_and(|lock| lock.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lives_as_long_as_its_run_and_no_longer() {
        let root = std::env::temp_dir().join(format!("run-folder-{}", Uuid::new_v4().simple()));
        let work = WorkDir::open(&root).unwrap();
        let alive = RunFolder::make(&work, "restore").unwrap();
        let dead = root.join("restore-dead");
        fs::create_dir(&dead).unwrap();
        File::create(dead.join(LOCK_FILE)).unwrap();
        let other = RunFolder::make(&work, "restore").unwrap();
        assert!(alive.path.is_dir() && other.path.is_dir() && !dead.exists());
        let path = alive.path.clone();
        drop(alive);
        assert!(!path.exists());
        fs::remove_dir_all(&root).unwrap();
    }
}
