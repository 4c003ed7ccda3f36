//! Encryption as the store uses it: what is put is encrypted once, for all sinks; what is opened is
//! opened by the key at hand; and what later backups need of an encrypted one is kept readable in the
//! working folder, so that backing up needs no key.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use respaldo_domain::backup::ArchiveName;
use respaldo_domain::object::{ObjectKey, Plain};

use super::payload::Payload;
use super::transit::{HashingReader, HashingWriter};
use crate::intent::write_durably;
use crate::ports::{Context, Encryption, Fault, FaultKind};
use crate::private;

/// Beginnings of objects that are held in memory at most.
const MOST_BEGINNINGS: usize = 1024;

/// The encryption in use; clones are the same. By default nothing is encrypted or opened.
#[derive(Clone, Default)]
pub struct Vault {
    encryption: Option<Arc<dyn Encryption>>,
    /// Folder of what is kept readable.
    kept: Option<PathBuf>,
    beginnings: Beginnings,
}

/// What of an encrypted set is kept readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// The whole manifest.
    Manifest,
    /// The detector's readings.
    Stats,
}

impl Vault {
    /// Encryption, with a working folder.
    pub fn new(encryption: Arc<dyn Encryption>, work_dir: &Path) -> Self {
        Self {
            encryption: Some(encryption),
            kept: Some(work_dir.join("kept")),
            beginnings: Beginnings::default(),
        }
    }

    /// Whether new sets are encrypted.
    pub fn encrypts(&self) -> bool {
        self.encryption
            .as_ref()
            .is_some_and(|encryption| encryption.encrypts())
    }

    /// Ok where a key is at hand.
    pub fn key(&self) -> Result<(), Fault> {
        self.encryption()?.key()
    }

    pub(super) fn encryption(&self) -> Result<&dyn Encryption, Fault> {
        let hint = "it is encrypted: set [encryption] identity to the file with the key";
        let nothing = || Fault::new(FaultKind::NoKey, "there is no key", hint);
        self.encryption.as_deref().ok_or_else(nothing)
    }

    pub(super) fn beginnings(&self) -> &Beginnings {
        &self.beginnings
    }

    /// A payload of bytes, encrypted where `name` says so.
    pub(crate) fn bytes(
        &self,
        name: &ArchiveName,
        bytes: Vec<u8>,
        cx: &Context,
    ) -> Result<Made, Fault> {
        if !name.is_encrypted() {
            return Ok(Made::plain(Payload::bytes(bytes)));
        }
        let mut stored = Vec::new();
        let plain = self.encrypt(&bytes[..], &mut stored, cx)?;
        Ok(Made {
            payload: Payload::bytes(stored),
            plain: Some(plain),
        })
    }

    /// The payload of a spooled file, or of an encrypted one beside it that takes its place.
    pub(crate) fn file(
        &self,
        name: &ArchiveName,
        spool: &Path,
        plain: Payload,
        cx: &Context,
    ) -> Result<Made, Fault> {
        if !name.is_encrypted() {
            return Ok(Made::plain(plain));
        }
        let path = encrypted_beside(spool);
        let failed = |error| Fault::io(format!("encrypting {}", spool.display()), error);
        let from = File::open(spool).map_err(failed)?;
        let mut to = HashingFile {
            file: private::writing()
                .create(true)
                .truncate(true)
                .open(&path)
                .map_err(failed)?,
            hash: HashingWriter::default(),
        };
        let plain = self.encrypt(from, &mut to, cx)?;
        to.file.sync_all().map_err(failed)?;
        let (sha256, size_bytes) = to.hash.finish();
        // Some systems tell when a file was written only once it is closed.
        drop(to.file);
        fs::remove_file(spool).map_err(failed)?;
        Ok(Made {
            payload: Payload::hashed_file(path, size_bytes, sha256).map_err(failed)?,
            plain: Some(plain),
        })
    }

    /// Encrypts a stream; fails with [`FaultKind::NoKey`] where there is nobody to encrypt it for.
    pub(crate) fn encrypt(
        &self,
        from: impl io::Read,
        into: &mut dyn Write,
        cx: &Context,
    ) -> Result<Plain, Fault> {
        let hint = "set [encryption] recipients";
        let nobody = || Fault::new(FaultKind::NoKey, "there is nobody to encrypt for", hint);
        let encryption = self.encryption.as_ref().ok_or_else(nobody)?;
        if !encryption.encrypts() {
            return Err(nobody());
        }
        let mut from = HashingReader::new(from);
        encryption.encrypt(&mut from, into, cx)?;
        let (sha256, size_bytes) = from.finish();
        Ok(Plain { size_bytes, sha256 })
    }

    /// Keeps something of a set that was just made readable on this machine.
    pub(crate) fn keep(&self, name: &ArchiveName, what: Kept, bytes: &[u8]) -> Result<(), Fault> {
        let Some(folder) = self.kept.as_ref().filter(|_| name.is_encrypted()) else {
            return Ok(());
        };
        let path = folder.join(what.file(name));
        let keeping = |error| Fault::io(format!("writing {}", path.display()), error);
        private::make_folder(folder).map_err(keeping)?;
        write_durably(&path, bytes).map_err(keeping)
    }

    /// What was kept of a set, if it was.
    pub(crate) fn kept(&self, name: &ArchiveName, what: Kept) -> Option<Vec<u8>> {
        fs::read(self.kept.as_ref()?.join(what.file(name))).ok()
    }

    /// Gives up what is kept of all other sets.
    pub(crate) fn keep_only(&self, names: &BTreeSet<ArchiveName>) {
        let wanted = names
            .iter()
            .flat_map(|name| Kept::ALL.map(|what| what.file(name)));
        let wanted: BTreeSet<String> = wanted.collect();
        let entries = self.kept.iter().flat_map(fs::read_dir).flatten().flatten();
        for entry in entries {
            if !wanted.contains(&*entry.file_name().to_string_lossy()) {
                // What stays takes room, and the next run tries again.
                fs::remove_file(entry.path()).ok();
            }
        }
    }
}

impl Kept {
    const ALL: [Self; 2] = [Self::Manifest, Self::Stats];

    fn file(self, name: &ArchiveName) -> String {
        match self {
            // Not as what seals a set is called.
            Self::Manifest => format!("{name}.whole.json"),
            Self::Stats => format!("{name}.stats.json"),
        }
    }
}

/// A payload, and what is in it where it is encrypted.
pub(crate) struct Made {
    pub(crate) payload: Payload,
    pub(crate) plain: Option<Plain>,
}

impl Made {
    fn plain(payload: Payload) -> Self {
        Self {
            payload,
            plain: None,
        }
    }
}

/// Where the encrypted form of a spooled file lies.
pub(crate) fn encrypted_beside(spool: &Path) -> PathBuf {
    spool.with_extension("encrypted")
}

/// A file that is hashed as it is written.
struct HashingFile {
    file: File,
    hash: HashingWriter,
}

impl Write for HashingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.write_all(&bytes[..written])?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// How an encrypted object begins.
pub(super) struct Beginning {
    pub(super) size_bytes: u64,
    pub(super) bytes: Vec<u8>,
}

/// By the names of the sinks, and the key.
type Known = HashMap<(String, ObjectKey), Arc<Beginning>>;

/// Beginnings of encrypted objects that were opened, so that each part that is read of one does not
/// fetch its header anew.
#[derive(Clone, Default)]
pub(super) struct Beginnings(Arc<Mutex<Known>>);

impl Beginnings {
    /// That of an object in these sinks.
    pub(super) fn of(&self, sinks: &str, key: &ObjectKey) -> Option<Arc<Beginning>> {
        let known = self.lock();
        known.get(&(sinks.to_owned(), key.clone())).cloned()
    }

    /// Notes one that was opened.
    pub(super) fn note(&self, sinks: &str, key: &ObjectKey, beginning: &Arc<Beginning>) {
        let mut known = self.lock();
        if known.len() >= MOST_BEGINNINGS {
            known.clear();
        }
        known.insert((sinks.to_owned(), key.clone()), Arc::clone(beginning));
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
