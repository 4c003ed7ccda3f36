//! Which sets are being read on this machine, so that retention leaves them alone.
//!
//! A reader holds a lock on a small file in the working folder that names what it reads. A reader
//! that was killed holds no lock any more.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use respaldo_domain::backup::ArchiveName;
use respaldo_domain::manifest::Manifest;
use uuid::Uuid;

use crate::intent::WorkDir;
use crate::ports::Fault;

const FOLDER: &str = "reading";

/// Sets being read, until it is dropped.
#[derive(Debug)]
pub(crate) struct Reading {
    path: PathBuf,
    _lock: File,
}

impl Drop for Reading {
    fn drop(&mut self) {
        // What stays is removed by the next look at who reads.
        let _ = fs::remove_file(&self.path);
    }
}

/// Says that everything a restore of `manifest` needs is being read.
pub(crate) fn hold(work: &WorkDir, manifest: &Manifest) -> Result<Reading, Fault> {
    being_read(work)?;
    let folder = work.file(FOLDER);
    let failed = |e| Fault::io(format!("writing into {}", folder.display()), e);
    fs::create_dir_all(&folder).map_err(failed)?;
    let path = folder.join(Uuid::new_v4().simple().to_string());
    let draft = path.with_extension("new");
    let written = write(&draft, manifest);
    // It has its name when it is locked and whole.
    let named = written.and_then(|lock| fs::rename(&draft, &path).map(|()| lock));
    if named.is_err() {
        // Where not even that works, the next look removes it.
        fs::remove_file(&draft).ok();
    }
    let lock = named.map_err(failed)?;
    Ok(Reading { path, _lock: lock })
}

/// Names everything that a restore of `manifest` needs; the lock lasts as long as the file is open.
fn write(path: &Path, manifest: &Manifest) -> io::Result<File> {
    let mut file = File::create_new(path)?;
    file.lock()?;
    let names = manifest.archives_needed().map(|facts| &facts.name);
    for name in names.chain([&manifest.archive, &manifest.full]) {
        writeln!(file, "{name}")?;
    }
    Ok(file)
}

/// Sets that somebody on this machine reads now. What killed readers left is removed.
pub(crate) fn being_read(work: &WorkDir) -> Result<BTreeSet<ArchiveName>, Fault> {
    let folder = work.file(FOLDER);
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_draft = path.extension().is_some();
        if is_draft && !is_old(&path) {
            continue;
        }
        let Ok(mut file) = File::open(&path) else {
            continue;
        };
        if file.try_lock().is_ok() {
            let _ = fs::remove_file(&path);
            continue;
        }
        let mut text = String::new();
        file.read_to_string(&mut text)
            .map_err(|e| Fault::io(format!("reading {}", path.display()), e))?;
        names.extend(
            text.lines()
                .filter_map(|line| line.parse::<ArchiveName>().ok()),
        );
    }
    Ok(names)
}

/// A younger draft may be about to be locked.
fn is_old(path: &Path) -> bool {
    let changed = fs::metadata(path).and_then(|facts| facts.modified());
    changed.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > Duration::from_mins(1)))
}
