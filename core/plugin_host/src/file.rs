//! The file of a plugin: checked, hashed, and kept as the bytes that were hashed.
//!
//! The file is opened once and copied into a sealed memory file while it is hashed; that is what is
//! loaded. Whoever replaces the file afterwards changes nothing.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Component, Path};

use respaldo_domain::object::Sha256;
use rustix::fs::{MemfdFlags, SealFlags};
use sha2::Digest;

use crate::error::PluginErrorKind;

/// Largest library, in bytes.
const MAX_BYTES: u64 = 256 << 20;

/// A library in sealed memory.
#[derive(Debug)]
pub(crate) struct SealedFile {
    pub(crate) memory: File,
    pub(crate) sha256: Sha256,
}

/// Takes the file in, whatever its hash.
pub(crate) fn seal(path: &Path) -> Result<SealedFile, PluginErrorKind> {
    check_path(path)?;
    let mut file = fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
        .map_err(|error| PluginErrorKind::Refused(reason_of(path, &error)))?;
    let facts = file.metadata().map_err(PluginErrorKind::System)?;
    check_file(path, &facts)?;
    check_folders(path)?;
    copy(&mut file, facts.len()).map_err(PluginErrorKind::System)
}

/// Takes the file in, provided that it has this hash.
pub(crate) fn seal_pinned(path: &Path, allowed: Sha256) -> Result<SealedFile, PluginErrorKind> {
    let sealed = seal(path)?;
    if sealed.sha256 == allowed {
        Ok(sealed)
    } else {
        Err(PluginErrorKind::WrongHash {
            found: sealed.sha256.to_string(),
            allowed: allowed.to_string(),
        })
    }
}

fn reason_of(path: &Path, error: &io::Error) -> String {
    if error.raw_os_error() == Some(libc::ELOOP) {
        return format!(
            "{} is a symbolic link; name the file itself",
            path.display()
        );
    }
    format!("{} cannot be read: {error}", path.display())
}

fn check_path(path: &Path) -> Result<(), PluginErrorKind> {
    let steps_aside =
        |part: Component<'_>| matches!(part, Component::ParentDir | Component::CurDir);
    if path.is_absolute() && !path.components().any(steps_aside) {
        return Ok(());
    }
    let what = format!("{} is not an absolute path without `..`", path.display());
    Err(PluginErrorKind::Refused(what))
}

fn check_file(path: &Path, facts: &Metadata) -> Result<(), PluginErrorKind> {
    let refuse = |what: &str| {
        let what = format!("{} {what}", path.display());
        Err(PluginErrorKind::Refused(what))
    };
    if !facts.is_file() {
        return refuse("is not a file");
    }
    if facts.len() > MAX_BYTES {
        return refuse("is larger than 256 MiB");
    }
    if !is_ours(facts) {
        return refuse("belongs to somebody else than root and the user that runs respaldo");
    }
    if facts.mode() & 0o022 != 0 {
        return refuse("can be written by others; `chmod go-w` mends that");
    }
    Ok(())
}

/// Whoever can replace a folder on the way can replace the file.
fn check_folders(path: &Path) -> Result<(), PluginErrorKind> {
    for folder in path.ancestors().skip(1) {
        let facts = fs::metadata(folder).map_err(PluginErrorKind::System)?;
        let others_write = facts.mode() & 0o022 != 0;
        let is_sticky = facts.mode() & 0o1000 != 0;
        if !is_ours(&facts) || (others_write && !is_sticky) {
            let what = format!(
                "{} lies in {}, where others than root and the user that runs respaldo may replace it",
                path.display(),
                folder.display()
            );
            return Err(PluginErrorKind::Refused(what));
        }
    }
    Ok(())
}

fn is_ours(facts: &Metadata) -> bool {
    facts.uid() == 0 || facts.uid() == rustix::process::geteuid().as_raw()
}

fn copy(file: &mut File, size_bytes: u64) -> io::Result<SealedFile> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut memory = File::from(rustix::fs::memfd_create("respaldo-plugin", flags)?);
    let mut hash = sha2::Sha256::new();
    let mut window = vec![0; 256 << 10];
    let mut source = file.take(size_bytes);
    loop {
        let got = source.read(&mut window)?;
        if got == 0 {
            break;
        }
        hash.update(&window[..got]);
        memory.write_all(&window[..got])?;
    }
    let seals = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(&memory, seals)?;
    Ok(SealedFile {
        memory,
        sha256: Sha256(hash.finalize().into()),
    })
}
