//! Holds in the sinks: written and renewed by a reader, found by whoever removes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use chrono::Utc;
use respaldo_domain::backup::ArchiveName;
use respaldo_domain::hold::{Hold, HoldKey, PREFIX, Standing};
use uuid::Uuid;

use crate::backup::chain;
use crate::ports::{Context, Fault, FaultKind, StorageSink};
use crate::store::{SinkFault, Store};

/// A quarter of the time for which a hold counts, so that one which could not be renewed at once still is.
const RENEWED_EVERY: Duration = Duration::from_mins(30);
/// No hold is larger: a hundred thousand names fit.
const LARGEST_BYTES: u64 = 4 * 1024 * 1024;
/// How often a sink is listed in which holds come and go meanwhile.
const LOOKS: u32 = 5;

/// A hold in every sink that takes it, renewed until it is dropped, and then taken back.
pub(super) struct Holding {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Holding {
    /// Writes the hold, and tells which sinks do not have it.
    pub(super) fn begin(
        store: &Arc<Store>,
        holder: Uuid,
        hold: &Hold,
        cx: &Context,
    ) -> (Self, Vec<SinkFault>) {
        let mut said = Said {
            store: Arc::clone(store),
            holder,
            bytes: serde_json::to_vec(hold).unwrap_or_default(),
            lies: BTreeMap::new(),
        };
        let untold = said.renew(cx);
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("respaldo-hold".to_owned());
        let thread = thread.spawn(move || said.keep(&stopped));
        if let Err(error) = &thread {
            tracing::warn!(%error, "other machines are not told what is being read");
        }
        let holding = Self {
            stop: Some(stop),
            thread: thread.ok(),
        };
        (holding, untold)
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // What a panic left ends by itself.
            let _ = thread.join();
        }
    }
}

/// What was said, and where.
struct Said {
    store: Arc<Store>,
    holder: Uuid,
    bytes: Vec<u8>,
    /// The hold that lies in a sink, by the sink's place in the store.
    lies: BTreeMap<usize, HoldKey>,
}

impl Said {
    fn keep(mut self, stopped: &Receiver<()>) {
        while stopped.recv_timeout(RENEWED_EVERY) == Err(RecvTimeoutError::Timeout) {
            for untold in self.renew(&Context::quiet()) {
                tracing::warn!(
                    sink = untold.sink,
                    error = %chain(&untold.fault),
                    "other machines may soon take what is being read for unused"
                );
            }
        }
    }

    /// Writes a hold that counts from now on, then takes the one before it back: at no moment there is none.
    fn renew(&mut self, cx: &Context) -> Vec<SinkFault> {
        let next = HoldKey::at(Utc::now(), self.holder);
        let mut untold = Vec::new();
        for (place, entry) in self.store.sinks().iter().enumerate() {
            let mut source = Cursor::new(self.bytes.clone());
            match entry.sink.put(&next.key(), &mut source, cx) {
                Ok(_) => {
                    if let Some(before) = self.lies.insert(place, next) {
                        remove(&*entry.sink, before);
                    }
                }
                Err(fault) if fault.kind == FaultKind::Exists => {}
                Err(fault) => untold.push(SinkFault {
                    sink: entry.sink.name().to_owned(),
                    fault,
                }),
            }
        }
        untold
    }
}

impl Drop for Said {
    fn drop(&mut self) {
        for (place, hold) in &self.lies {
            remove(&*self.store.sinks()[*place].sink, *hold);
        }
    }
}

/// Takes a hold back. What cannot be removed now ends by itself.
fn remove(sink: &dyn StorageSink, hold: HoldKey) {
    if let Err(fault) = sink.delete(&hold.key(), &Context::quiet()) {
        tracing::debug!(sink = sink.name(), %fault, "a hold stays until it ends");
    }
}

/// What a hold that counts says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// These sets are being read.
    Names(BTreeSet<ArchiveName>),
    /// It cannot be read.
    Unreadable,
}

/// The holds of a sink that count. What ended, and what readers left that are known to be dead, is removed.
pub(super) fn found(
    sink: &dyn StorageSink,
    dead: &BTreeSet<Uuid>,
    cx: &Context,
) -> Result<Vec<Found>, Fault> {
    for _ in 0..LOOKS {
        let counting = counting(sink, dead, cx)?;
        let read: Vec<Option<Found>> = counting
            .into_iter()
            .map(|hold| read(sink, hold, cx))
            .collect::<Result<_, _>>()?;
        // One that went may have been renewed, and the other is not in the list.
        if let Some(all) = read.into_iter().collect() {
            return Ok(all);
        }
    }
    Ok(vec![Found::Unreadable])
}

fn counting(
    sink: &dyn StorageSink,
    dead: &BTreeSet<Uuid>,
    cx: &Context,
) -> Result<Vec<HoldKey>, Fault> {
    let now = Utc::now();
    let mut counting = Vec::new();
    let listed = sink.list(PREFIX, cx)?;
    for hold in listed.iter().filter_map(|object| HoldKey::of(&object.key)) {
        match hold.standing(now) {
            _ if dead.contains(&hold.holder) => remove(sink, hold),
            Standing::Counts => counting.push(hold),
            Standing::Ended => remove(sink, hold),
            Standing::NotBelieved => {
                tracing::warn!(
                    sink = sink.name(),
                    until = %hold.until,
                    "a hold is removed that no clock can have meant: is one of the machines' wrong?"
                );
                remove(sink, hold);
            }
        }
    }
    Ok(counting)
}

/// What a hold says; `None` where it is gone.
fn read(sink: &dyn StorageSink, hold: HoldKey, cx: &Context) -> Result<Option<Found>, Fault> {
    match bytes(sink, hold, cx) {
        Ok(bytes) => Ok(Some(match serde_json::from_slice::<Hold>(&bytes) {
            Ok(said) => Found::Names(said.archives),
            Err(error) => unreadable(sink, hold, &error),
        })),
        Err(fault) if fault.kind == FaultKind::NotFound => Ok(None),
        Err(fault) => {
            cx.check()?;
            Ok(Some(unreadable(sink, hold, &fault)))
        }
    }
}

fn bytes(sink: &dyn StorageSink, hold: HoldKey, cx: &Context) -> Result<Vec<u8>, Fault> {
    let key = hold.key();
    if sink.head(&key, cx)?.size_bytes > LARGEST_BYTES {
        let what = format!("{key} is larger than any hold");
        return Err(Fault::bare(FaultKind::Corrupt, what));
    }
    let mut bytes = Vec::new();
    sink.get(&key, None, &mut bytes, cx)?;
    Ok(bytes)
}

fn unreadable(sink: &dyn StorageSink, hold: HoldKey, error: &dyn std::error::Error) -> Found {
    tracing::warn!(
        sink = sink.name(),
        error = %chain(error),
        "{} cannot be read: nothing is removed before it ends at {}",
        hold.key(),
        hold.until
    );
    Found::Unreadable
}

#[cfg(test)]
mod tests;
