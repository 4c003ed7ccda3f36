//! Passing over copies that turned out to be damaged.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use respaldo_domain::object::ObjectKey;

use super::Store;
use crate::ports::{Context, Fault, FaultKind};

/// Copies known to be damaged, by key and sink; clones are the same.
#[derive(Clone, Default)]
pub(super) struct Damaged(Arc<Mutex<BTreeSet<(ObjectKey, String)>>>);

impl Damaged {
    pub(super) fn has(&self, key: &ObjectKey, sink: &str) -> bool {
        let known = self.lock();
        known.iter().any(|(of, name)| of == key && name == sink)
    }

    fn add(&self, key: &ObjectKey, sink: &str) {
        self.lock().insert((key.clone(), sink.to_owned()));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<(ObjectKey, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Does something with an object that tells a damaged one, with one sink after the other until it
    /// succeeds. A copy that is damaged is remembered, and from then on read last.
    pub(crate) fn with_sound<T>(
        &self,
        key: &ObjectKey,
        cx: &Context,
        mut work: impl FnMut(&Store) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut worst: Option<Fault> = None;
        for index in self.order(0, key) {
            cx.check()?;
            let alone = self.alone(index);
            let fault = match work(&alone) {
                Ok(done) => return Ok(done),
                Err(fault) => fault,
            };
            match fault.kind {
                FaultKind::Corrupt => self.damaged.add(key, self.sinks[index].sink.name()),
                FaultKind::NotFound | FaultKind::Unavailable | FaultKind::Denied => {}
                // Not the sink's doing.
                _ => return Err(fault),
            }
            if worst
                .as_ref()
                .is_none_or(|worst| worst.kind == FaultKind::NotFound)
            {
                worst = Some(fault);
            }
        }
        let nowhere = || Fault::bare(FaultKind::NotFound, format!("no sink has {key}"));
        Err(worst.unwrap_or_else(nowhere))
    }

    /// Copies that were found to be damaged, by key and sink.
    pub(crate) fn found_damaged(&self) -> Vec<(ObjectKey, String)> {
        self.damaged.lock().iter().cloned().collect()
    }

    /// The sinks in the order in which they are asked for an object.
    pub(super) fn order(&self, first: usize, key: &ObjectKey) -> Vec<usize> {
        let count = self.sinks.len();
        let turns = (0..count).map(|turn| (first + turn) % count);
        let is_damaged = |index: &usize| self.damaged.has(key, self.sinks[*index].sink.name());
        let (damaged, sound): (Vec<_>, Vec<_>) = turns.partition(is_damaged);
        sound.into_iter().chain(damaged).collect()
    }
}
