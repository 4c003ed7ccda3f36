//! Writing the objects of one backup set.

use std::collections::BTreeMap;

use respaldo_domain::object::ObjectKey;

use super::payload::{Offer, Payload};
use super::transit::HashingWriter;
use super::{Store, StoreSink};
use crate::faults;
use crate::ports::{Context, Fault, FaultKind};

/// Stores object after object of one set, the manifest last.
pub struct SetWriter<'a> {
    store: &'a Store,
    /// Why a sink is out of this set, by its place in the store.
    owed: BTreeMap<usize, Fault>,
}

/// What became of a set in one sink.
#[derive(Debug)]
pub struct SinkOutcome {
    /// The sink's name.
    pub sink: String,
    /// What became of it.
    pub state: SinkState,
}

/// Whether a sink has a set.
#[derive(Debug)]
pub enum SinkState {
    /// Everything put so far is durable there.
    Stored,
    /// It failed, and is to be given the whole set later.
    Owed(Fault),
}

impl<'a> SetWriter<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self {
            store,
            owed: BTreeMap::new(),
        }
    }

    /// Stores an object in every sink that has all objects before it. Fails when a required sink
    /// fails, when no sink is left, and on cancellation.
    pub fn put(&mut self, key: &ObjectKey, payload: &Payload, cx: &Context) -> Result<(), Fault> {
        for (index, entry) in self.store.sinks.iter().enumerate() {
            if self.owed.contains_key(&index) {
                continue;
            }
            let offer = if index == 0 {
                Offer::File
            } else {
                Offer::Stream
            };
            if let Err(fault) = put_one(entry, key, payload, offer, cx) {
                cx.check()?;
                if entry.required || fault.kind == FaultKind::Cancelled {
                    return Err(fault);
                }
                self.owed.insert(index, fault);
            }
        }
        self.someone_took(key)
    }

    /// What became of the set, sink by sink.
    pub fn finish(mut self) -> Vec<SinkOutcome> {
        let outcome = |(index, entry): (usize, &StoreSink)| SinkOutcome {
            sink: entry.sink.name().to_owned(),
            state: self
                .owed
                .remove(&index)
                .map_or(SinkState::Stored, SinkState::Owed),
        };
        self.store.sinks.iter().enumerate().map(outcome).collect()
    }

    /// A set which lies nowhere is no backup, be every sink optional.
    fn someone_took(&mut self, key: &ObjectKey) -> Result<(), Fault> {
        if self.owed.len() < self.store.sinks.len() {
            return Ok(());
        }
        let subject = format!("no sink took {key}");
        Err(match self.owed.pop_first() {
            Some((_, fault)) => Fault::new(fault.kind, subject, fault),
            None => Fault::new(FaultKind::Invalid, subject, "no sink is configured"),
        })
    }
}

fn put_one(
    entry: &StoreSink,
    key: &ObjectKey,
    payload: &Payload,
    offer: Offer,
    cx: &Context,
) -> Result<(), Fault> {
    faults::step(step_of(key))?;
    let mut source = payload.source(offer, cx)?;
    let size_bytes = match entry.sink.put(key, &mut source, cx) {
        Ok(info) => info.size_bytes,
        Err(fault) if fault.kind == FaultKind::Exists => {
            return is_same(entry, key, payload, cx)?.then_some(()).ok_or(fault);
        }
        Err(fault) => return Err(fault),
    };
    if size_bytes == payload.size_bytes() {
        return Ok(());
    }
    let subject = format!("{} stored {size_bytes} bytes as {key}", entry.sink.name());
    Err(Fault::bare(FaultKind::Corrupt, subject))
}

/// Whether the key is taken by these very bytes: by a put whose answer was lost, or whose set is
/// being completed.
fn is_same(
    entry: &StoreSink,
    key: &ObjectKey,
    payload: &Payload,
    cx: &Context,
) -> Result<bool, Fault> {
    if entry.sink.head(key, cx)?.size_bytes != payload.size_bytes() {
        return Ok(false);
    }
    let mut hash = HashingWriter::default();
    entry.sink.get(key, None, &mut hash, cx)?;
    Ok(hash.finish() == (payload.sha256(cx)?, payload.size_bytes()))
}

/// The step a test names to break this put.
fn step_of(key: &ObjectKey) -> &'static str {
    let key = key.as_str();
    if key.ends_with(".manifest.json") {
        "store.put.manifest"
    } else if key.ends_with(".manifest.json.age") {
        "store.put.whole_manifest"
    } else if key.starts_with("stats/") {
        "store.put.stats"
    } else if key.contains(".roles.sql") {
        "store.put.roles"
    } else {
        "store.put.archive"
    }
}
