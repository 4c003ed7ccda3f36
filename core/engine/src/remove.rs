//! Removing a backup: refused while others need it, manifest first.

use respaldo_domain::backup::{ArchiveName, BackupState};
use respaldo_domain::manifest::Header;
use respaldo_domain::source::Lineage;

use crate::backup::chain;
use crate::copies;
use crate::faults::step;
use crate::history::all_headers;
use crate::intent::WorkDir;
use crate::lease::maintenance;
use crate::parts::Parts;
use crate::ports::{Catalog, Context, EventLevel, Fault, FaultKind};
use crate::reading::{Readers, nobody_reads};
use crate::selector::{Selector, resolve};
use crate::store::Store;

/// What was removed.
#[derive(Debug, Default)]
pub struct Removed {
    /// Backups, dependents first.
    pub archives: Vec<ArchiveName>,
    /// Stored bytes given back.
    pub freed_bytes: u64,
}

/// Why nothing was removed, or not everything.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// No such backup.
    #[error("there is no such backup")]
    Unknown(#[source] Fault),
    /// A run is going on that may build on it.
    #[error("the lease was not to be had")]
    Lease(#[source] Fault),
    /// Others restore from it.
    #[error("{} backups need it: {}", .0.len(), list(.0))]
    Needed(Vec<ArchiveName>),
    /// A restore, an export or a look at them is under way, on this machine or another.
    #[error("{} of the backups are being read now: {}", .0.len(), list(.0))]
    InUse(Vec<ArchiveName>),
    /// Storage failed.
    #[error("the backup could not be removed from storage")]
    Store(#[source] Fault),
}

fn list(names: &[ArchiveName]) -> String {
    names
        .iter()
        .map(ArchiveName::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Removes a backup from every sink and from the catalog; with its dependents, newest first, where
/// that was asked for.
pub fn remove(
    parts: &Parts,
    selector: &Selector,
    with_dependents: bool,
    cx: &Context,
) -> Result<Removed, RemoveError> {
    let name = resolve(parts, selector, cx).map_err(unknown)?;
    let _lease = maintenance(parts).map_err(RemoveError::Lease)?;
    let headers = headers_in(&parts.store, parts, cx)?;
    let dependents = dependents(&headers, &name);
    if !dependents.is_empty() && !with_dependents {
        let names = dependents
            .iter()
            .map(|header| header.archive.clone())
            .collect();
        return Err(RemoveError::Needed(names));
    }
    let this = headers.iter().filter(|header| header.archive == name);
    let all: Vec<&Header> = dependents.into_iter().chain(this).collect();
    refuse_what_is_read(parts, &all, cx)?;
    let work = WorkDir::open(&parts.settings.work_dir).map_err(RemoveError::Store)?;
    let mut removed = Removed::default();
    for header in all {
        take_away(parts, &work, header, "backup-deleted", cx)
            .map_err(|fault| not_taken(fault, &header.archive))?;
        removed.freed_bytes += header.stored_bytes();
        removed.archives.push(header.archive.clone());
    }
    Ok(removed)
}

/// Removes the copy of a backup from one sink, where another holds it too and nothing there is
/// restored from it.
pub fn remove_copy(
    parts: &Parts,
    sink: &str,
    selector: &Selector,
    cx: &Context,
) -> Result<Removed, RemoveError> {
    let name = resolve(parts, selector, cx).map_err(unknown)?;
    let _lease = maintenance(parts).map_err(RemoveError::Lease)?;
    let there = parts.store.only(sink);
    let there = there.ok_or_else(|| RemoveError::Store(no_sink(sink)))?;
    let elsewhere = parts.store.without(sink).sealed(cx);
    if !elsewhere.map_err(RemoveError::Store)?.contains(&name) {
        let only = format!("{name} is in no other place than {sink}");
        return Err(RemoveError::Store(Fault::bare(FaultKind::Invalid, only)));
    }
    let headers = headers_in(&there, parts, cx)?;
    let uses = |header: &&Header| header.archive != name && header.archive_facts(&name).is_some();
    let dependents: Vec<_> = headers.iter().filter(uses).collect();
    if !dependents.is_empty() {
        let names = dependents.iter().map(|header| header.archive.clone());
        return Err(RemoveError::Needed(names.collect()));
    }
    let mut removed = Removed::default();
    if let Some(header) = headers.iter().find(|header| header.archive == name) {
        refuse_what_is_read(parts, &[header], cx)?;
        let still_unread = || nobody_reads(parts, &name, cx);
        let gone = there.delete_set(header, still_unread, cx);
        gone.map_err(|fault| not_taken(fault, &name))?;
        removed.freed_bytes = header.stored_bytes();
        removed.archives.push(name.clone());
    }
    copies::tell_gone(parts, &name);
    Ok(removed)
}

fn no_sink(name: &str) -> Fault {
    Fault::bare(FaultKind::Invalid, format!("there is no sink {name:?}"))
}

/// The headers of what [`remove`] would take along with a backup, newest first.
pub fn dependents_of(
    parts: &Parts,
    selector: &Selector,
    cx: &Context,
) -> Result<Vec<Header>, Fault> {
    let name = resolve(parts, selector, cx)?;
    let all = all_headers(&parts.store, &*parts.codec, cx)?;
    let headers = all.into_iter().map(|(_, header)| header);
    let headers: Vec<Header> = headers.collect::<Result<_, _>>()?;
    Ok(dependents(&headers, &name).into_iter().cloned().collect())
}

fn unknown(fault: Fault) -> RemoveError {
    match fault.kind {
        FaultKind::NotFound => RemoveError::Unknown(fault),
        _ => RemoveError::Store(fault),
    }
}

fn refuse_what_is_read(
    parts: &Parts,
    headers: &[&Header],
    cx: &Context,
) -> Result<(), RemoveError> {
    let readers = Readers::look(parts, cx).map_err(RemoveError::Store)?;
    let names = headers.iter().map(|header| &header.archive);
    let read: Vec<ArchiveName> = names.filter(|name| readers.read(name)).cloned().collect();
    if read.is_empty() {
        return Ok(());
    }
    Err(RemoveError::InUse(read))
}

fn not_taken(fault: Fault, name: &ArchiveName) -> RemoveError {
    match fault.kind {
        FaultKind::Busy => RemoveError::InUse(vec![name.clone()]),
        _ => RemoveError::Store(fault),
    }
}

/// An unreadable manifest may need the backup: then nothing is removed.
fn headers_in(store: &Store, parts: &Parts, cx: &Context) -> Result<Vec<Header>, RemoveError> {
    let all = all_headers(store, &*parts.codec, cx).map_err(RemoveError::Store)?;
    all.into_iter()
        .map(|(_, header)| header.map_err(RemoveError::Store))
        .collect()
}

/// Backups that restore from it or are compared with it, directly or not, newest first.
fn dependents<'a>(headers: &'a [Header], name: &ArchiveName) -> Vec<&'a Header> {
    let mut needed = vec![name.clone()];
    let mut found: Vec<&Header> = Vec::new();
    let mut ordered: Vec<&Header> = headers.iter().collect();
    ordered.sort_by_key(|header| header.sequence);
    for header in ordered {
        let uses = |name: &ArchiveName| {
            header.base.as_ref() == Some(name) || header.archive_facts(name).is_some()
        };
        if &header.archive != name && needed.iter().any(uses) {
            needed.push(header.archive.clone());
            found.push(header);
        }
    }
    found.reverse();
    found
}

/// Removes a set from every sink and from the catalog. An intent names it meanwhile: what a crash
/// leaves of it is swept by the next run. Fails with [`FaultKind::Busy`] where somebody reads it; a
/// reader that comes while it is being removed leaves the set without its manifest, and the rest to
/// the next run.
pub(crate) fn take_away(
    parts: &Parts,
    work: &WorkDir,
    header: &Header,
    event: &str,
    cx: &Context,
) -> Result<(), Fault> {
    step("remove.set")?;
    cx.check()?;
    let name = &header.archive;
    nobody_reads(parts, name, cx)?;
    let intent = work.intend(name, &header.source.lineage)?;
    let still_unread = || {
        step("remove.unsealed")?;
        nobody_reads(parts, name, cx)
    };
    parts.store.delete_set(header, still_unread, cx)?;
    step("remove.removed")?;
    if let Err(fault) = intent.close() {
        tracing::debug!(%fault, "the intent could not be taken back; the next run does it");
    }
    let Some(catalog) = &parts.catalog else {
        return Ok(());
    };
    let detail = serde_json::json!({ "archive": name.as_str() });
    let told = catalog
        .forget(name)
        .and_then(|()| catalog.event(EventLevel::Info, event, None, &detail));
    if let Err(fault) = told {
        tracing::warn!(error = %chain(&fault), "the catalog still lists {name}");
    }
    Ok(())
}

/// Finishes what dead runs on the same database had begun to write or to remove; the caller holds
/// its lease. Returns the names of the sets of which something was left.
pub(crate) fn sweep_dead(
    parts: &Parts,
    work: &WorkDir,
    lineage: &Lineage,
    cx: &Context,
) -> Result<Vec<ArchiveName>, Fault> {
    let readers = Readers::look(parts, cx).unwrap_or_else(|fault| {
        tracing::warn!(error = %chain(&fault), "it cannot be told who reads: nothing is swept");
        Readers::unknown()
    });
    let swept = work.sweep(lineage, &parts.store, &readers, cx)?;
    for name in &swept {
        let told = parts
            .catalog
            .as_ref()
            .map_or(Ok(()), |catalog| forget_sealed(&**catalog, name));
        if let Err(fault) = told {
            tracing::warn!(error = %chain(&fault), "the catalog still lists {name}");
        }
    }
    Ok(swept)
}

/// A run that never sealed its set keeps its row, which says that it failed.
fn forget_sealed(catalog: &dyn Catalog, name: &ArchiveName) -> Result<(), Fault> {
    match catalog.find(name)? {
        Some(entry) if entry.state == BackupState::Completed => catalog.forget(name),
        _ => Ok(()),
    }
}
