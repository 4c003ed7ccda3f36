//! Which sets are being read, so that whoever removes sets leaves them alone.
//!
//! A reader says so twice: on its own machine by a lock on a file of the working folder (`note`), which ends
//! with it, and for all others by a small object in every sink (`holding`), which a killed one leaves
//! behind and which then counts for a bounded time. It needs no database, for that may be dead.
//!
//! The order of the steps is what makes it safe between machines. A reader says what it reads and then
//! looks whether that is still sealed; who removes a set takes its manifest away, then looks who
//! reads, and only then removes the rest. So of two that meet, one sees the other.

mod holding;
mod note;

use std::collections::BTreeSet;

use respaldo_domain::backup::ArchiveName;
use respaldo_domain::hold::Hold;
use respaldo_domain::manifest::Header;

use self::holding::{Found, Holding};
use self::note::{DeadNote, Note};
use crate::backup::chain;
use crate::intent::WorkDir;
use crate::leadership::Instance;
use crate::parts::Parts;
use crate::ports::{Context, Fault, FaultKind, ObjectReader};
use crate::store::SinkFault;

/// Sets being read, until it is dropped.
pub(crate) struct Reading {
    // First: other machines must not be kept waiting by a reader whose own machine knows it is gone.
    _holding: Holding,
    _note: Note,
    untold: Vec<SinkFault>,
}

impl Reading {
    /// Warns of the sinks that could not be told; what is read there is safe from this machine only.
    #[must_use]
    pub(crate) fn warned(self) -> Self {
        for untold in &self.untold {
            tracing::warn!(
                sink = untold.sink,
                error = %chain(&untold.fault),
                "other machines are not told what is being read: let none of them expire backups meanwhile"
            );
        }
        self
    }
}

/// Says that everything a restore of `manifest` needs is being read. A sink that takes no hold keeps
/// nobody from reading. Fails with [`FaultKind::NotFound`] where the set was removed meanwhile.
pub(crate) fn hold(parts: &Parts, manifest: &Header, cx: &Context) -> Result<Reading, Fault> {
    let work = WorkDir::open(&parts.settings.work_dir)?;
    clear_up(parts, &work, cx)?;
    let hold = Hold {
        reader: Instance::here().name,
        archives: needed(manifest),
    };
    let note = Note::write(&work, &hold.archives)?;
    let (holding, untold) = Holding::begin(&parts.store, note.holder(), &hold, cx);
    let reading = Reading {
        _holding: holding,
        _note: note,
        untold,
    };
    match parts.store.head(&manifest.archive.manifest_key(), cx) {
        Err(fault) if fault.kind == FaultKind::NotFound => {
            let what = format!("{} was removed meanwhile", manifest.archive);
            Err(Fault::new(FaultKind::NotFound, what, fault))
        }
        // Whoever reads the set says what is wrong with its sink.
        _ => Ok(reading),
    }
}

/// What killed readers of this machine left goes with the next one.
fn clear_up(parts: &Parts, work: &WorkDir, cx: &Context) -> Result<(), Fault> {
    let somebody_died = !note::all(work)?.dead.is_empty();
    if somebody_died && let Err(fault) = Readers::look(parts, cx) {
        tracing::debug!(%fault, "what killed readers left stays until the next look");
    }
    Ok(())
}

fn needed(manifest: &Header) -> BTreeSet<ArchiveName> {
    let archives = manifest.archives_needed().map(|facts| &facts.name);
    let own = [&manifest.archive, &manifest.full];
    archives.chain(own).cloned().collect()
}

/// Who reads, on this machine and on others.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    names: BTreeSet<ArchiveName>,
    /// Somebody reads, and what cannot be told.
    anything: bool,
}

impl Readers {
    /// Looks who reads, and removes what ended and killed readers left. Fails where a required sink
    /// cannot be asked. An optional one cannot be removed from then either, and is passed over.
    pub(crate) fn look(parts: &Parts, cx: &Context) -> Result<Self, Fault> {
        let work = WorkDir::open(&parts.settings.work_dir)?;
        let notes = note::all(&work)?;
        let dead = notes.dead.iter().map(|note| note.holder).collect();
        let mut readers = Self {
            names: notes.names,
            anything: false,
        };
        for entry in parts.store.sinks() {
            match holding::found(&*entry.sink, &dead, cx) {
                Ok(found) => readers.add(found),
                Err(fault) if entry.required => return Err(fault),
                Err(fault) => {
                    cx.check()?;
                    let sink = entry.sink.name();
                    tracing::warn!(sink, error = %chain(&fault), "the sink does not tell who reads");
                }
            }
        }
        // Last: as long as the note is there, this machine knows that its reader is dead.
        notes.dead.into_iter().for_each(DeadNote::remove);
        Ok(readers)
    }

    /// Where nobody could be asked: everything is being read.
    pub(crate) fn unknown() -> Self {
        Self {
            anything: true,
            ..Self::default()
        }
    }

    /// Whether somebody reads a set.
    pub(crate) fn read(&self, name: &ArchiveName) -> bool {
        self.anything || self.names.contains(name)
    }

    fn add(&mut self, found: Vec<Found>) {
        for found in found {
            match found {
                Found::Names(names) => self.names.extend(names),
                Found::Unreadable => self.anything = true,
            }
        }
    }
}

/// Fails with [`FaultKind::Busy`] where somebody reads a set.
pub(crate) fn nobody_reads(parts: &Parts, name: &ArchiveName, cx: &Context) -> Result<(), Fault> {
    if Readers::look(parts, cx)?.read(name) {
        let what = format!("{name} is being read now");
        return Err(Fault::bare(FaultKind::Busy, what));
    }
    Ok(())
}
