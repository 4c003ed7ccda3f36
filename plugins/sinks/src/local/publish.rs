//! Giving a finished file its final name, never in the place of another.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use respaldo_engine::ports::{Fault, FaultKind};

use super::{platform, staging};

const LOCK_PATIENCE: Duration = Duration::from_secs(30);

/// The fault of a key that is taken.
pub(super) fn taken(path: &Path) -> Fault {
    Fault::bare(
        FaultKind::Exists,
        format!("{} is there already", path.display()),
    )
}

/// Links a file under a second name. `false` where this file system cannot; a taken name is a fault.
pub(super) fn link(from: &Path, to: &Path) -> Result<bool, Fault> {
    match fs::hard_link(from, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(taken(to)),
        Err(error) if error.kind() == io::ErrorKind::StorageFull => {
            Err(Fault::io(format!("link {}", to.display()), error))
        }
        // FAT, some network file systems, another device: told apart by nobody, so anything else
        // means "not this way", and the other way gives the error that counts.
        Err(_) => Ok(false),
    }
}

/// Links the source's own file under the key where that is possible: no copy is made.
pub(super) fn taken_over(source: &Path, size_bytes: u64, to: &Path) -> Result<bool, Fault> {
    let fault = |error| Fault::io(format!("take over {}", source.display()), error);
    let Ok(file) = platform::open_no_follow(source) else {
        return Ok(false);
    };
    let metadata = file.metadata().map_err(fault)?;
    if !metadata.is_file() || metadata.len() != size_bytes {
        let subject = format!("{} is not what was to be stored", source.display());
        return Err(Fault::bare(FaultKind::Corrupt, subject));
    }
    if platform::make_file_private(&file).is_err() {
        return Ok(false);
    }
    file.sync_all().map_err(fault)?;
    link(source, to)
}

/// Gives a staged file its name; the staging name is left to its owner to remove.
pub(super) fn staged(root: &Path, from: &Path, to: &Path) -> Result<(), Fault> {
    if link(from, to)? {
        Ok(())
    } else {
        rename_under_lock(root, from, to)
    }
}

/// Renames where there are no hard links. A rename replaces what is there, so it is looked for
/// before, under a lock that every writer of this repository takes. The kernel frees the lock of a
/// process that dies, and the rename shows the whole file or nothing.
pub(super) fn rename_under_lock(root: &Path, from: &Path, to: &Path) -> Result<(), Fault> {
    let fault = |error| Fault::io(format!("rename to {}", to.display()), error);
    let lock = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(staging::folder(root).join(staging::LOCK_FILE))
        .map_err(fault)?;
    wait_for(&lock, to)?;
    if fs::symlink_metadata(to).is_ok() {
        return Err(taken(to));
    }
    fs::rename(from, to).map_err(fault)
}

fn wait_for(lock: &File, to: &Path) -> Result<(), Fault> {
    let start = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if start.elapsed() < LOCK_PATIENCE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(error) => {
                let subject = format!("lock the repository to publish {}", to.display());
                return Err(Fault::new(FaultKind::Unavailable, subject, error));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_hard_links_a_taken_name_is_kept_too() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(staging::folder(root.path())).unwrap();
        let (from, to) = (root.path().join("from"), root.path().join("to"));
        fs::write(&from, b"first").unwrap();
        rename_under_lock(root.path(), &from, &to).unwrap();
        fs::write(&from, b"second").unwrap();
        let fault = rename_under_lock(root.path(), &from, &to).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Exists);
        assert_eq!(fs::read(&to).unwrap(), b"first");
    }

    #[test]
    fn a_lock_that_is_held_is_waited_for() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(staging::folder(root.path())).unwrap();
        let lock = File::create(staging::folder(root.path()).join(staging::LOCK_FILE)).unwrap();
        lock.lock().unwrap();
        let (from, to) = (root.path().join("from"), root.path().join("to"));
        fs::write(&from, b"x").unwrap();
        std::thread::scope(|scope| {
            let publish = scope.spawn(|| rename_under_lock(root.path(), &from, &to));
            assert!(!to.exists());
            lock.unlock().unwrap();
            publish.join().unwrap().unwrap();
        });
        assert!(to.exists());
    }
}
