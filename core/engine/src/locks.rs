//! Locks that last as long as they are needed: a store that keeps objects from being deleted keeps each
//! one at least as long as the newest restore point which is restored from it.
//!
//! An object is locked when it is put; that of a base would be free before those of the backups made
//! upon it. So after each backup, and when a sink is filled, the locks of what a restore point needs
//! are prolonged to its own. A crash before leaves them as they were; the next backup of the chain,
//! or `sink sync`, prolongs them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use respaldo_domain::backup::ArchiveName;
use respaldo_domain::manifest::Header;

use crate::parts::Parts;
use crate::ports::{Context, Fault, FaultKind};
use crate::store::{Store, StoreSink};

/// A set whose lock could not be prolonged, and why.
pub(crate) type Unlocked = (ArchiveName, Fault);

/// Prolongs the locks of what a new backup needs, in every sink that has it.
pub(crate) fn after_backup(parts: &Parts, made: &Header, cx: &Context) -> Vec<(String, Fault)> {
    let mut faults = Vec::new();
    for store in parts.store.apart() {
        let needs = needs(&store, std::slice::from_ref(made), cx);
        let failed = needs.map(|needs| prolong(parts, &store, needs, cx));
        let fault = match failed {
            Ok(failed) => failed.into_iter().next().map(|(_, fault)| fault),
            Err(fault) => Some(fault),
        };
        faults.extend(fault.map(|fault| (name_of(&store), fault)));
    }
    faults
}

/// Prolongs the locks of what some restore points of one sink need.
pub(crate) fn of_sets(
    parts: &Parts,
    store: &Store,
    sets: &[ArchiveName],
    cx: &Context,
) -> Result<Vec<Unlocked>, Fault> {
    if !locks(store, sets, cx)? {
        return Ok(Vec::new());
    }
    let mut manifests = Vec::new();
    for set in sets {
        manifests.extend(found(store.header(set, &*parts.codec, cx))?);
    }
    let needs = needs(store, &manifests, cx)?;
    Ok(prolong(parts, store, needs, cx))
}

/// Whether a sink locks what is put into it.
fn locks(store: &Store, sets: &[ArchiveName], cx: &Context) -> Result<bool, Fault> {
    for set in sets {
        if lock_of(store, set, cx)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Until when each set must be kept for the sake of restore points that are locked.
fn needs(
    store: &Store,
    points: &[Header],
    cx: &Context,
) -> Result<BTreeMap<ArchiveName, DateTime<Utc>>, Fault> {
    let mut needs = BTreeMap::new();
    for point in points {
        let Some(until) = lock_of(store, &point.archive, cx)? else {
            continue;
        };
        let archives = point.archives_needed().map(|facts| &facts.name);
        let others = archives.chain([&point.full]);
        for set in others.filter(|set| **set != point.archive) {
            let needed = needs.entry(set.clone()).or_insert(until);
            *needed = until.max(*needed);
        }
    }
    Ok(needs)
}

/// Until when the one sink of a store keeps a set; `None` where it locks nothing or lacks the set.
fn lock_of(store: &Store, set: &ArchiveName, cx: &Context) -> Result<Option<DateTime<Utc>>, Fault> {
    let Some(StoreSink { sink, .. }) = store.sinks().first() else {
        return Ok(None);
    };
    found(sink.locked_until(&set.manifest_key(), cx)).map(Option::flatten)
}

/// Goes on past a set that cannot be locked.
fn prolong(
    parts: &Parts,
    store: &Store,
    needs: BTreeMap<ArchiveName, DateTime<Utc>>,
    cx: &Context,
) -> Vec<Unlocked> {
    let mut failed = Vec::new();
    for (set, until) in needs {
        if let Err(fault) = lock_set(parts, store, &set, until, cx) {
            tracing::warn!(sink = name_of(store), archive = %set, %fault, "not locked as long as it is needed");
            failed.push((set, fault));
        }
    }
    failed
}

/// One that this sink lacks is owed or was removed: there is nothing to lock.
fn lock_set(
    parts: &Parts,
    store: &Store,
    set: &ArchiveName,
    until: DateTime<Utc>,
    cx: &Context,
) -> Result<(), Fault> {
    cx.check()?;
    let Some(manifest) = found(store.header(set, &*parts.codec, cx))? else {
        return Ok(());
    };
    let objects = manifest.objects.iter().map(|object| object.key.clone());
    for key in objects.chain([set.manifest_key()]) {
        for StoreSink { sink, .. } in store.sinks() {
            found(sink.lock_until(&key, until, cx))?;
        }
    }
    Ok(())
}

/// `None` where there is no such object.
fn found<T>(answer: Result<T, Fault>) -> Result<Option<T>, Fault> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(fault) if fault.kind == FaultKind::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn name_of(store: &Store) -> String {
    let sink = store.sinks().first();
    sink.map(|entry| entry.sink.name().to_owned())
        .unwrap_or_default()
}
