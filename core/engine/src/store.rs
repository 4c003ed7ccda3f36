//! The store: the sinks of a repository as one place.
//!
//! Writing goes to every sink and is all or nothing per sink: a [`SetWriter`] passes over a sink
//! which owes an earlier object of the set, so a manifest never lies where its archive is missing.
//! A required sink that fails fails the set; an optional one is owed. Reading takes the first sink
//! that gives what is asked. Removing takes the manifest first, so a crash in between leaves
//! litter of ours and never half a backup which looks whole.

mod inside;
mod manifests;
mod payload;
mod read;
mod set;
mod sound;
mod transit;
mod vault;

use std::path::Path;
use std::sync::Arc;

use respaldo_domain::object::ObjectKey;

use crate::ports::{Context, Fault, FaultKind, StorageSink};
use sound::Damaged;

pub use inside::InsideStore;
pub use manifests::{ManifestListing, ManifestRead, SinkFault};
pub(crate) use payload::sha256;
pub use payload::{Offer, Payload, PayloadSource};
pub use read::WINDOW_BYTES;
pub use set::{SetWriter, SinkOutcome, SinkState};
pub use transit::{HashingReader, HashingWriter, fault_of_io, io_of_fault};
pub use vault::Vault;
pub(crate) use vault::{Kept, Made, encrypted_beside};

/// The sinks of a repository, in the order in which they are asked.
#[derive(Clone)]
pub struct Store {
    sinks: Vec<StoreSink>,
    damaged: Damaged,
    vault: Vault,
}

/// A sink and whether a backup fails without it.
#[derive(Clone)]
pub struct StoreSink {
    /// The sink.
    pub sink: Arc<dyn StorageSink>,
    /// Whether a backup that it did not take is no backup.
    pub required: bool,
}

impl Store {
    /// A store over these sinks. The required ones are asked and written first, so that a set
    /// sealed in an optional sink is sealed in the required ones too.
    pub fn new(mut sinks: Vec<StoreSink>) -> Self {
        sinks.sort_by_key(|entry| !entry.required);
        Self {
            sinks,
            damaged: Damaged::default(),
            vault: Vault::default(),
        }
    }

    /// The same store with encryption.
    #[must_use]
    pub fn with_vault(self, vault: Vault) -> Self {
        Self { vault, ..self }
    }

    /// Its encryption.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The same store over these of its sinks.
    fn over(&self, sinks: Vec<StoreSink>) -> Self {
        Self {
            sinks,
            damaged: Damaged::default(),
            vault: self.vault.clone(),
        }
    }

    /// One of its sinks.
    fn alone(&self, index: usize) -> Self {
        self.over(vec![self.sinks[index].clone()])
    }

    /// Its sinks.
    pub fn sinks(&self) -> &[StoreSink] {
        &self.sinks
    }

    /// The same store seen through one of its sinks: to validate or fill that one.
    pub fn only(&self, sink: &str) -> Option<Self> {
        let found = self.sinks.iter().find(|entry| entry.sink.name() == sink)?;
        Some(self.over(vec![found.clone()]))
    }

    /// The same store without one of its sinks.
    #[must_use]
    pub fn without(&self, sink: &str) -> Self {
        let others = self.sinks.iter().filter(|entry| entry.sink.name() != sink);
        self.over(others.cloned().collect())
    }

    /// Each of its sinks as a store of its own.
    pub fn apart(&self) -> impl Iterator<Item = Self> + '_ {
        (0..self.sinks.len()).map(|index| self.alone(index))
    }

    /// The same store without the sinks that do not answer: to restore from what is left.
    #[must_use]
    pub fn answering(&self, cx: &Context) -> Self {
        let answers = |entry: &&StoreSink| entry.sink.list("full/", cx).is_ok();
        self.over(self.sinks.iter().filter(answers).cloned().collect())
    }

    /// Begins a backup set.
    pub fn begin_set(&self) -> SetWriter<'_> {
        SetWriter::new(self)
    }

    /// Stores one object that belongs to no set.
    pub fn put_everywhere(
        &self,
        key: &ObjectKey,
        payload: &Payload,
        cx: &Context,
    ) -> Result<Vec<SinkOutcome>, Fault> {
        let mut set = self.begin_set();
        set.put(key, payload, cx)?;
        Ok(set.finish())
    }

    /// Where a person finds an object: its place in the first sink.
    pub fn location(&self, key: &ObjectKey) -> String {
        self.sinks
            .first()
            .map_or_else(|| key.to_string(), |entry| entry.sink.location(key))
    }

    /// Whether the first sink keeps an object in a folder of this machine, so that it may take over a file.
    pub(crate) fn is_in_a_folder(&self, key: &ObjectKey) -> bool {
        Path::new(&self.location(key)).is_absolute()
    }

    /// Removes leftovers of our own interrupted puts; returns how many. An optional sink that does
    /// not answer keeps its leftovers until the next sweep.
    pub fn sweep(&self, cx: &Context) -> Result<u64, Fault> {
        let mut swept = 0;
        for entry in &self.sinks {
            match entry.sink.sweep(cx) {
                Ok(count) => swept += count,
                Err(fault) if entry.required => return Err(fault),
                Err(fault) => tracing::warn!(sink = entry.sink.name(), %fault, "sink not swept"),
            }
        }
        Ok(swept)
    }

    /// Asks the sinks one after the other, `first` first and damaged copies last, until one answers. A
    /// sink that could not be asked outweighs one that says "not found": the object may be there.
    fn first_answer<T>(
        &self,
        first: usize,
        key: &ObjectKey,
        mut ask: impl FnMut(usize, &dyn StorageSink) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut worst = Fault::bare(FaultKind::NotFound, format!("no sink has {key}"));
        for index in self.order(first, key) {
            match ask(index, &*self.sinks[index].sink) {
                Ok(answer) => return Ok(answer),
                Err(fault) if fault.kind == FaultKind::Cancelled => return Err(fault),
                Err(fault) if worst.kind == FaultKind::NotFound => worst = fault,
                Err(_) => {}
            }
        }
        Err(worst)
    }
}
