//! Notes of readers in the working folder of their machine. A reader holds a lock on its note; one
//! that was killed holds none any more.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use respaldo_domain::backup::ArchiveName;
use uuid::Uuid;

use crate::intent::WorkDir;
use crate::ports::Fault;

const FOLDER: &str = "reading";

/// A note, removed when it is dropped.
#[derive(Debug)]
pub(super) struct Note {
    holder: Uuid,
    path: PathBuf,
    _lock: File,
}

impl Drop for Note {
    fn drop(&mut self) {
        // What stays is removed by the next look at who reads.
        let _ = fs::remove_file(&self.path);
    }
}

/// All notes of a machine.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Sets that somebody reads now.
    pub(super) names: BTreeSet<ArchiveName>,
    /// Notes of killed readers.
    pub(super) dead: Vec<DeadNote>,
}

/// The note of a killed reader, kept from being looked at by others meanwhile.
#[derive(Debug)]
pub(super) struct DeadNote {
    pub(super) holder: Uuid,
    path: PathBuf,
    _lock: File,
}

impl DeadNote {
    /// Removes it, when nothing else of that reader is left.
    pub(super) fn remove(self) {
        // What stays is found again.
        let _ = fs::remove_file(&self.path);
    }
}

impl Note {
    /// Notes that these sets are being read.
    pub(super) fn write(work: &WorkDir, sets: &BTreeSet<ArchiveName>) -> Result<Self, Fault> {
        let folder = work.file(FOLDER);
        let failed = |e| Fault::io(format!("writing into {}", folder.display()), e);
        fs::create_dir_all(&folder).map_err(failed)?;
        let holder = Uuid::new_v4();
        let path = folder.join(holder.simple().to_string());
        let draft = path.with_extension("new");
        // It has its name when it is locked and whole.
        let written = write(&draft, sets);
        let named = written.and_then(|lock| fs::rename(&draft, &path).map(|()| lock));
        if named.is_err() {
            // Where not even that works, the next look removes it.
            fs::remove_file(&draft).ok();
        }
        Ok(Self {
            holder,
            path,
            _lock: named.map_err(failed)?,
        })
    }

    /// Who reads; its holds bear the same name.
    pub(super) fn holder(&self) -> Uuid {
        self.holder
    }
}

/// The lock lasts as long as the file is open.
fn write(path: &Path, names: &BTreeSet<ArchiveName>) -> io::Result<File> {
    let mut file = File::create_new(path)?;
    file.lock()?;
    for name in names {
        writeln!(file, "{name}")?;
    }
    Ok(file)
}

/// Reads every note. Drafts that nobody finished are removed.
pub(super) fn all(work: &WorkDir) -> Result<Notes, Fault> {
    let mut notes = Notes::default();
    let folder = fs::read_dir(work.file(FOLDER));
    for entry in folder.into_iter().flatten().flatten() {
        let path = entry.path();
        match holder_of(&path) {
            Some(holder) => look_at(&mut notes, path, holder)?,
            None if is_old(&path) => _ = fs::remove_file(&path),
            None => {}
        }
    }
    Ok(notes)
}

fn look_at(notes: &mut Notes, path: PathBuf, holder: Uuid) -> Result<(), Fault> {
    let Ok(mut file) = File::open(&path) else {
        return Ok(());
    };
    if file.try_lock().is_ok() {
        notes.dead.push(DeadNote {
            holder,
            path,
            _lock: file,
        });
        return Ok(());
    }
    let mut text = String::new();
    file.read_to_string(&mut text)
        .map_err(|e| Fault::io(format!("reading {}", path.display()), e))?;
    let names = text.lines().filter_map(|line| line.parse().ok());
    notes.names.extend(names);
    Ok(())
}

fn holder_of(path: &Path) -> Option<Uuid> {
    Uuid::try_parse(path.file_name()?.to_str()?).ok()
}

/// A younger draft may be about to be locked.
fn is_old(path: &Path) -> bool {
    let changed = fs::metadata(path).and_then(|facts| facts.modified());
    changed.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > Duration::from_mins(1)))
}
