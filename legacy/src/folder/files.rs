//! Files that appear whole or not at all, never in the place of another, and readable by their
//! owner alone. Windows is untested: there permissions are inherited.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::LegacyError;

const PIECE_BYTES: usize = 256 * 1024;

/// Makes a folder and those above it that are missing; one that is there keeps its rights.
pub(super) fn make_private_folders(folder: &Path) -> Result<(), LegacyError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(LegacyError::io("making the folder", folder))
}

/// Makes a new file.
pub(crate) fn create_private_file(path: &Path) -> Result<File, LegacyError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(LegacyError::io("making", path))
}

/// Takes everyone's but the owner's rights from a file that another program made.
pub(crate) fn make_private(path: &Path) -> Result<(), LegacyError> {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .map_err(LegacyError::io("taking rights from", path))?;
    let _ = path;
    Ok(())
}

/// Replaces a small file at once.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), LegacyError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    let _ = fs::remove_file(&beside);
    let write = || {
        let mut file = create_private_file(&beside).map_err(io::Error::other)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        sync_folder(path)
    };
    write().map_err(LegacyError::io("writing", path))
}

/// Gives a finished file its name. A name that is taken is an error of kind `AlreadyExists`.
pub(crate) fn publish(from: &Path, to: &Path) -> Result<(), LegacyError> {
    let file = File::open(from).map_err(LegacyError::io("opening", from))?;
    let publish = || {
        file.sync_all()?;
        match fs::hard_link(from, to) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            // FAT and some network file systems know no links.
            Err(_) => rename_to_free_name(from, to),
            Ok(()) => Ok(()),
        }?;
        sync_folder(to)
    };
    publish().map_err(LegacyError::io("giving its name to", to))
}

fn rename_to_free_name(from: &Path, to: &Path) -> io::Result<()> {
    match fs::symlink_metadata(to) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(from, to),
    }
}

/// Makes the entries of a file's folder last.
fn sync_folder(of: &Path) -> io::Result<()> {
    match of.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// SHA-256 in lower-case hexadecimal, and the size. `to` gets what is read.
pub(crate) fn hash_of(
    path: &Path,
    mut to: impl Write,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<(String, u64), LegacyError> {
    let failed = |error| LegacyError::io("reading", path)(error);
    let mut file = File::open(path).map_err(failed)?;
    let (mut hash, mut size_bytes) = (Sha256::new(), 0);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        if stop() {
            return Err(LegacyError::Interrupted);
        }
        let got = file.read(&mut piece).map_err(failed)?;
        if got == 0 {
            return Ok((hex(&hash.finalize()), size_bytes));
        }
        hash.update(&piece[..got]);
        to.write_all(&piece[..got])
            .map_err(LegacyError::io("copying", path))?;
        size_bytes += got as u64;
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_keeps_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::write(&from, "new").unwrap();
        fs::write(&to, "old").unwrap();
        assert!(publish(&from, &to).is_err());
        assert!(rename_to_free_name(&from, &to).is_err());
        assert_eq!(fs::read_to_string(&to).unwrap(), "old");
        fs::remove_file(&to).unwrap();
        publish(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "new");
    }

    #[test]
    fn a_small_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        write_durably(&path, b"one").unwrap();
        fs::write(folder.path().join("x.json.new"), "cut off by a cra").unwrap();
        write_durably(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
    }

    #[test]
    fn a_hash_is_what_sha256sum_prints() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, "abc").unwrap();
        let mut copy = Vec::new();
        let (sha256, size_bytes) = hash_of(&path, &mut copy, &|| false).unwrap();
        assert!(sha256.starts_with("ba7816bf8f01cfea"), "{sha256}");
        assert_eq!((size_bytes, copy.as_slice()), (3, b"abc".as_slice()));
    }
}
