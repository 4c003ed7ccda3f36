//! Giving a sink the sets that others hold and it does not.
//!
//! Each set is copied as a backup writes it: its objects, each compared with the hash in its manifest
//! on the way, then the manifest, byte for byte. A crash leaves objects that no manifest of that sink
//! names; the next copy finds them to be the right ones, and they go with the set when it is removed.
//! While a set is copied it is being read, so nobody expires it meanwhile; one that was removed between
//! two looks is not brought back.

use respaldo_domain::backup::ArchiveName;
use respaldo_domain::object::SealedObject;

use crate::backup::chain;
use crate::copies;
use crate::faults::step;
use crate::locks;
use crate::parts::Parts;
use crate::ports::{Context, Fault, FaultKind, ObjectReader};
use crate::reading;
use crate::store::{Payload, Store};

/// What was copied into a sink.
#[derive(Debug, Default)]
pub struct SyncReport {
    /// The sink.
    pub sink: String,
    /// Sets copied now.
    pub copied: Vec<ArchiveName>,
    /// Their stored bytes.
    pub copied_bytes: u64,
    /// Sets that it still lacks, and why.
    pub failed: Vec<(ArchiveName, Fault)>,
    /// Sets that it has and does not keep as long as others need them, and why.
    pub unlocked: Vec<(ArchiveName, Fault)>,
}

/// Why a sink was not filled.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// No sink has that name.
    #[error("there is no sink {0:?}")]
    Unknown(String),
    /// What it lacks cannot be told.
    #[error("what the sink lacks cannot be told")]
    Listing(#[source] Fault),
    /// The operator or a signal stopped it; what was copied stays.
    #[error("the copying was interrupted")]
    Interrupted,
}

/// Copies everything that a sink lacks, the oldest set first. One that cannot be copied does not keep
/// the others.
pub fn sync(parts: &Parts, sink: &str, cx: &Context) -> Result<SyncReport, SyncError> {
    copy_those(parts, sink, |_| true, cx)
}

/// Copies one set and all that it is restored from, where the sink lacks them.
pub fn give(
    parts: &Parts,
    sink: &str,
    name: &ArchiveName,
    cx: &Context,
) -> Result<SyncReport, SyncError> {
    let header = parts.store.header(name, &*parts.codec, cx);
    let header = header.map_err(SyncError::Listing)?;
    let is_needed = |other: &ArchiveName| other == name || header.archive_facts(other).is_some();
    let report = copy_those(parts, sink, is_needed, cx)?;
    if !report.failed.iter().any(|(failed, _)| failed == name) {
        // It may have been there before, unknown to the catalog.
        copies::tell_given(parts, name, sink);
    }
    Ok(report)
}

fn copy_those(
    parts: &Parts,
    sink: &str,
    is_wanted: impl Fn(&ArchiveName) -> bool,
    cx: &Context,
) -> Result<SyncReport, SyncError> {
    let target = parts.store.only(sink);
    let target = target.ok_or_else(|| SyncError::Unknown(sink.to_owned()))?;
    for entry in target.sinks() {
        // A new one has no folder yet.
        entry.sink.probe(cx).map_err(SyncError::Listing)?;
    }
    let lacking = parts.store.lacking(sink, cx).map_err(SyncError::Listing)?;
    let mut report = SyncReport {
        sink: sink.to_owned(),
        ..SyncReport::default()
    };
    for name in lacking.into_iter().filter(is_wanted) {
        cx.check().map_err(|_| SyncError::Interrupted)?;
        match copy_set(parts, &name, sink, cx) {
            Ok(Some(bytes)) => {
                report.copied_bytes += bytes;
                report.copied.push(name);
            }
            Ok(None) => {}
            Err(fault) if fault.kind == FaultKind::Cancelled => return Err(SyncError::Interrupted),
            Err(fault) => {
                tracing::warn!(sink, archive = %name, error = %chain(&fault), "not copied");
                report.failed.push((name, fault));
            }
        }
    }
    report.unlocked = lock(parts, &target, cx)?;
    Ok(report)
}

/// Prolongs every lock that is too short, those of former backups too.
fn lock(
    parts: &Parts,
    target: &Store,
    cx: &Context,
) -> Result<Vec<(ArchiveName, Fault)>, SyncError> {
    let sealed = target.sealed(cx);
    let locked = sealed.and_then(|sealed| locks::of_sets(parts, target, &sealed, cx));
    cx.check().map_err(|_| SyncError::Interrupted)?;
    locked.map_err(SyncError::Listing)
}

/// Copies one set; returns its stored bytes, or `None` where there is nothing any more to be copied.
pub(crate) fn copy_set(
    parts: &Parts,
    name: &ArchiveName,
    sink: &str,
    cx: &Context,
) -> Result<Option<u64>, Fault> {
    let (target, sources) = sides(&parts.store, sink)?;
    let found = sources.header_bytes(name, &*parts.codec, cx);
    let (manifest, bytes) = match found {
        Ok(found) => found,
        Err(fault) if fault.kind == FaultKind::NotFound => return Ok(None),
        Err(fault) => return Err(fault),
    };
    cx.progress()
        .step("sync.copy", Some(manifest.stored_bytes()));
    let _reading = match reading::hold(parts, &manifest, cx) {
        Ok(reading) => reading.warned(),
        Err(fault) if fault.kind == FaultKind::NotFound => return Ok(None),
        Err(fault) => return Err(fault),
    };
    for object in &manifest.objects {
        step("sync.object")?;
        copy_object(&sources, &target, object, cx)?;
        cx.progress().bytes(object.size_bytes);
    }
    step("sync.manifest")?;
    let key = name.manifest_key();
    if matches!(sources.head(&key, cx), Err(fault) if fault.kind == FaultKind::NotFound) {
        target.remove_unsealed(name, cx)?;
        return Ok(None);
    }
    target.put_everywhere(&key, &Payload::bytes(bytes), cx)?;
    copies::tell_given(parts, name, sink);
    Ok(Some(manifest.stored_bytes()))
}

/// The sink that is given, and the others.
fn sides(store: &Store, sink: &str) -> Result<(Store, Store), Fault> {
    let nowhere = || Fault::bare(FaultKind::Invalid, format!("there is no sink {sink:?}"));
    let target = store.only(sink).ok_or_else(nowhere)?;
    Ok((target, store.without(sink)))
}

/// Puts an object from the first sink that has it as the manifest says.
fn copy_object(
    sources: &Store,
    target: &Store,
    object: &SealedObject,
    cx: &Context,
) -> Result<(), Fault> {
    let mut first_fault = None;
    for source in sources.apart() {
        let payload = Payload::object(source, object.key.clone(), object.size_bytes, object.sha256);
        match target.put_everywhere(&object.key, &payload, cx) {
            Ok(_) => return Ok(()),
            Err(fault) if fault.kind == FaultKind::Cancelled => return Err(fault),
            Err(fault) => _ = first_fault.get_or_insert(fault),
        }
    }
    let nowhere = || Fault::bare(FaultKind::NotFound, format!("no sink has {}", object.key));
    Err(first_fault.unwrap_or_else(nowhere))
}
