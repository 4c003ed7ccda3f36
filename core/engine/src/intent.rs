//! What a run is about to write, recorded before it writes, so that a crash leaves only litter
//! with a name.
//!
//! An intent is a small file in the working folder of the machine that runs. Only what an intent
//! names is ever swept, and only where no manifest sealed it: an archive without a manifest that
//! no intent of ours names may be the existing system's good backup.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use respaldo_domain::backup::ArchiveName;
use respaldo_domain::source::Lineage;
use respaldo_domain::table::Oid;
use serde::{Deserialize, Serialize};

use crate::ports::{Context, Fault, FaultKind};
use crate::private;
use crate::reading::Readers;
use crate::store::{Store, encrypted_beside};

/// Files of runs on this machine: intents, spools, the index of manifests.
#[derive(Debug, Clone)]
pub struct WorkDir {
    root: PathBuf,
}

/// A run that meant to write a set.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Intent {
    archive: ArchiveName,
    system_identifier: u64,
    database_oid: Oid,
}

/// A recorded intent; taken back when the set is sealed or everything of it was removed.
#[derive(Debug)]
pub struct OpenIntent {
    path: PathBuf,
    spool: PathBuf,
}

impl WorkDir {
    /// Makes the folder, readable by its owner only.
    pub fn open(root: &Path) -> Result<Self, Fault> {
        for folder in [root.to_owned(), root.join("intents"), root.join("spool")] {
            private::make_folder(&folder)
                .map_err(|e| Fault::io(format!("making {}", folder.display()), e))?;
        }
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Where the archive of a run is written before it goes to the sinks.
    pub fn spool(&self, archive: &ArchiveName) -> PathBuf {
        self.root.join("spool").join(archive.as_str())
    }

    /// Records that `archive` and what belongs to it are about to be written.
    pub fn intend(&self, archive: &ArchiveName, lineage: &Lineage) -> Result<OpenIntent, Fault> {
        let intent = Intent {
            archive: archive.clone(),
            system_identifier: lineage.system_identifier,
            database_oid: lineage.database_oid,
        };
        let path = self.root.join("intents").join(format!("{archive}.json"));
        let text = serde_json::to_vec(&intent)
            .map_err(|e| Fault::new(FaultKind::Internal, "writing an intent", e))?;
        write_durably(&path, &text)
            .map_err(|e| Fault::io(format!("writing {}", path.display()), e))?;
        Ok(OpenIntent {
            path,
            spool: self.spool(archive),
        })
    }

    /// Whether a run on this machine means to write or to remove a set, or died of it.
    pub fn intends(&self, archive: &ArchiveName) -> bool {
        let intents = self.root.join("intents");
        intents.join(format!("{archive}.json")).exists()
    }

    /// Removes everything of a set that a failed run wrote, then its intent. A set that is sealed
    /// all the same stays.
    pub fn undo(&self, archive: &ArchiveName, store: &Store, cx: &Context) -> Result<(), Fault> {
        remove_litter(archive, store, cx)?;
        let path = self.root.join("intents").join(format!("{archive}.json"));
        OpenIntent {
            path,
            spool: self.spool(archive),
        }
        .close()
    }

    /// Removes what dead runs on the database left and nobody reads: to be called under its lease.
    /// Returns the names of the sets swept.
    pub(crate) fn sweep(
        &self,
        lineage: &Lineage,
        store: &Store,
        readers: &Readers,
        cx: &Context,
    ) -> Result<Vec<ArchiveName>, Fault> {
        let mut swept = Vec::new();
        for (path, intent) in self.intents()? {
            let same = intent.system_identifier == lineage.system_identifier
                && intent.database_oid == lineage.database_oid;
            if !same || readers.read(&intent.archive) {
                continue;
            }
            match remove_litter(&intent.archive, store, cx) {
                Ok(true) => swept.push(intent.archive.clone()),
                Ok(false) => {}
                Err(fault) => {
                    // A sink that is down must not keep backups from being made: the intent
                    // stays, and the next run tries again.
                    tracing::warn!(archive = %intent.archive, %fault, "litter is left for the next run to sweep");
                    continue;
                }
            }
            let spool = self.spool(&intent.archive);
            OpenIntent { path, spool }.close()?;
        }
        Ok(swept)
    }

    /// Intents on this machine. One that cannot be read named nothing yet: it is removed.
    fn intents(&self) -> Result<Vec<(PathBuf, Intent)>, Fault> {
        let folder = self.root.join("intents");
        let reading = |e| Fault::io(format!("reading {}", folder.display()), e);
        let mut intents = Vec::new();
        for entry in fs::read_dir(&folder).map_err(reading)? {
            let path = entry.map_err(reading)?.path();
            let parsed = fs::read(&path)
                .ok()
                .and_then(|text| serde_json::from_slice(&text).ok());
            match parsed {
                Some(intent) => intents.push((path, intent)),
                None => fs::remove_file(&path).map_err(reading)?,
            }
        }
        Ok(intents)
    }
}

impl OpenIntent {
    /// Takes the intent back, and the spool and what lies beside it.
    pub fn close(self) -> Result<(), Fault> {
        let around = [beside(&self.spool), encrypted_beside(&self.spool)];
        for path in [&self.spool, &self.path].into_iter().chain(&around) {
            match fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Fault::io(format!("removing {}", path.display()), error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Where definitions that are taken over lie while an archive is spooled.
pub(crate) fn beside(spool: &Path) -> PathBuf {
    spool.with_extension("definitions")
}

/// Removes the objects of a set that was never sealed; `false` where it was.
fn remove_litter(archive: &ArchiveName, store: &Store, cx: &Context) -> Result<bool, Fault> {
    if store.is_sealed(archive, cx)? {
        return Ok(false);
    }
    store.remove_unsealed(archive, cx)?;
    Ok(true)
}

/// Writes a file so that after a crash it is there whole or not at all.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    replace(path, |file| {
        file.write_all(bytes)?;
        file.sync_all()
    })?;
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Puts what `write` writes in the place of a file, or leaves the file as it was and nothing beside it.
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut fs::File) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let staging = path.with_extension("tmp");
    let written = fs::File::create(&staging).and_then(|mut file| write(&mut file));
    let replaced = written.and_then(|()| fs::rename(&staging, path));
    if replaced.is_err() {
        // Where not even that works there is nothing to be done about it.
        fs::remove_file(&staging).ok();
    }
    replaced
}
