//! How things stand: what runs, what was made last, what it takes, how the sinks are.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, FixedOffset};
use respaldo_domain::backup::{ArchiveName, BackupKind, BackupState};

use crate::listing;
use crate::owed::{Debt, Owed};
use crate::parts::Parts;
use crate::ports::{CatalogEntry, CatalogFilter, Context, Fault, SinkLimits};
use crate::store::StoreSink;

/// How things stand.
#[derive(Debug, Default)]
pub struct Status {
    /// Every backup there is, newest first, the existing system's too.
    pub entries: Vec<CatalogEntry>,
    /// Backups recorded as running.
    pub running: Vec<CatalogEntry>,
    /// The newest sealed backup.
    pub last: Option<CatalogEntry>,
    /// The newest failed run, where it is newer than that.
    pub last_failure: Option<CatalogEntry>,
    /// Sealed backups by kind.
    pub kinds: BTreeMap<BackupKind, KindStatus>,
    /// The sinks.
    pub sinks: Vec<SinkStatus>,
}

/// Sealed backups of one kind.
#[derive(Debug, Clone, Default)]
pub struct KindStatus {
    /// How many.
    pub count: u64,
    /// Stored bytes of their archives.
    pub size_bytes: u64,
    /// The oldest.
    pub first: Option<CatalogEntry>,
    /// The newest.
    pub last: Option<CatalogEntry>,
}

/// One sink.
#[derive(Debug)]
pub struct SinkStatus {
    /// Its name.
    pub name: String,
    /// What it can do, or why it cannot be used.
    pub limits: Result<SinkLimits, Fault>,
    /// The backups that it is to be given later.
    pub debt: Option<Debt>,
}

/// Asks the catalog, or storage where there is none, and the sinks.
pub fn status(parts: &Parts, cx: &Context) -> Result<Status, Fault> {
    let mut status = Status {
        sinks: sinks(parts, cx),
        ..Status::default()
    };
    status.entries = listing::list(parts, &CatalogFilter::default(), cx)?;
    for entry in status.entries.clone() {
        if !entry.ours {
            continue;
        }
        match entry.state {
            BackupState::Running => status.running.push(entry),
            BackupState::Failed if status.last.is_none() && status.last_failure.is_none() => {
                status.last_failure = Some(entry);
            }
            BackupState::Completed => count(&mut status, entry),
            _ => {}
        }
    }
    Ok(status)
}

fn sinks(parts: &Parts, cx: &Context) -> Vec<SinkStatus> {
    let owed = Owed::of_folder(&parts.settings.work_dir);
    let status = |entry: &StoreSink| SinkStatus {
        name: entry.sink.name().to_owned(),
        limits: entry.sink.probe(cx),
        debt: owed.of(entry.sink.name()).cloned(),
    };
    parts.store.sinks().iter().map(status).collect()
}

fn count(status: &mut Status, entry: CatalogEntry) {
    let Ok(name) = entry
        .archive
        .parse::<respaldo_domain::backup::ArchiveName>()
    else {
        return;
    };
    let kind = status.kinds.entry(name.kind()).or_default();
    kind.count += 1;
    kind.size_bytes += entry.size_bytes.unwrap_or(0);
    kind.last.get_or_insert_with(|| entry.clone());
    kind.first = Some(entry.clone());
    status.last.get_or_insert(entry);
}

/// When the oldest backup was made that nothing has proven to be whole; `None` where all are proven. Without a catalog nothing is known to be.
pub fn oldest_unproven(
    parts: &Parts,
    entries: &[CatalogEntry],
) -> Result<Option<DateTime<FixedOffset>>, Fault> {
    let proven = match &parts.catalog {
        Some(catalog) => catalog.proven()?,
        None => BTreeSet::new(),
    };
    let proven: BTreeSet<&str> = proven.iter().map(ArchiveName::as_str).collect();
    let unproven = entries.iter().filter(|entry| {
        entry.ours
            && entry.state == BackupState::Completed
            && !proven.contains(entry.archive.as_str())
    });
    Ok(unproven.map(|entry| entry.started_at).min())
}
