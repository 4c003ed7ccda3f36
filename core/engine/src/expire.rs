//! Applying retention: what is too old and needed by nothing goes, newest first, so that at no
//! moment anything reads what is gone.

use std::collections::BTreeSet;

use respaldo_domain::backup::ArchiveName;
use respaldo_domain::manifest::Header;
use respaldo_domain::retention::{self, Fate, Held, Policy, Ruling};

use crate::history::all_headers;
use crate::intent::WorkDir;
use crate::lease::maintenance;
use crate::parts::Parts;
use crate::ports::{Context, Fault, FaultKind, ObjectReader};
use crate::reading::Readers;
use crate::remove::{sweep_dead, take_away};

/// A backup with what becomes of it.
#[derive(Debug)]
pub struct Ruled {
    /// The header of its manifest.
    pub header: Header,
    /// What becomes of it.
    pub fate: Fate,
}

impl Ruled {
    /// Whether it goes.
    pub fn expires(&self) -> bool {
        matches!(self.fate, Fate::Expire(_))
    }
}

/// What retention did.
#[derive(Debug, Default)]
pub struct ExpiryReport {
    /// Every backup with its fate, newest first.
    pub ruled: Vec<Ruled>,
    /// Backups that went.
    pub removed: Vec<ArchiveName>,
    /// Stored bytes given back.
    pub freed_bytes: u64,
    /// Backups that were to go and could not be removed everywhere.
    pub failed: Vec<(ArchiveName, Fault)>,
}

/// Why nothing was removed.
#[derive(Debug, thiserror::Error)]
pub enum ExpireError {
    /// A run is going on.
    #[error("the lease was not to be had")]
    Lease(#[source] Fault),
    /// What is there, or for how long it is to be kept, cannot be told.
    #[error("it cannot be decided what is to be kept")]
    Undecided(#[source] Fault),
}

/// The policy in force: what is configured wins over what the catalog's database stores, which
/// wins over the defaults. Where the stored one cannot be read nothing is known.
pub fn policy(parts: &Parts) -> Result<Policy, Fault> {
    let stored = match &parts.catalog {
        Some(catalog) => catalog.retention()?,
        None => None,
    };
    let overrides = parts.settings.retention;
    Ok(overrides.over(stored.unwrap_or_default()))
}

/// What retention would do. An unreadable manifest may need any backup: then nothing is decided.
pub fn plan(parts: &Parts, cx: &Context) -> Result<Vec<Ruled>, Fault> {
    let policy = policy(parts)?;
    let mut headers = Vec::new();
    for (_, header) in all_headers(&parts.store, &*parts.codec, cx)? {
        headers.push(header?);
    }
    let proven = proven(parts, &headers, cx)?;
    let readers = Readers::look(parts, cx)?;
    let held: Vec<Held> = headers
        .iter()
        .map(|header| Held {
            proven: proven.contains(&header.archive),
            in_use: readers.read(&header.archive),
            ..Held::of(header)
        })
        .collect();
    Ok(in_order(retention::plan(&policy, &held), headers))
}

/// What was proven to restore. Where nothing is known of any that is there (no catalog, or a new
/// one), the newest that is at least all there stands in for it.
fn proven(parts: &Parts, headers: &[Header], cx: &Context) -> Result<BTreeSet<ArchiveName>, Fault> {
    let known = match &parts.catalog {
        Some(catalog) => catalog.proven()?,
        None => BTreeSet::new(),
    };
    if headers.iter().any(|one| known.contains(&one.archive)) {
        return Ok(known);
    }
    let ours = headers.iter().filter(|header| !header.is_adopted());
    let mut newest_first: Vec<&Header> = ours.collect();
    newest_first.sort_by_key(|header| std::cmp::Reverse(header.sequence));
    for header in newest_first {
        if is_all_there(parts, header, cx)? {
            return Ok([header.archive.clone()].into());
        }
    }
    Ok(BTreeSet::new())
}

/// Whether everything that a restore reads is there in its size.
fn is_all_there(parts: &Parts, header: &Header, cx: &Context) -> Result<bool, Fault> {
    for facts in header.archives_needed() {
        match parts.store.head(&facts.name.key(), cx) {
            Ok(found) if found.size_bytes == facts.size_bytes => {}
            Err(fault) if fault.kind != FaultKind::NotFound => return Err(fault),
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Rulings with their manifests.
fn in_order(rulings: Vec<Ruling>, mut headers: Vec<Header>) -> Vec<Ruled> {
    let mut with_manifest = |ruling: Ruling| {
        let at = headers
            .iter()
            .position(|header| header.archive == ruling.archive)?;
        Some(Ruled {
            header: headers.swap_remove(at),
            fate: ruling.fate,
        })
    };
    rulings.into_iter().filter_map(&mut with_manifest).collect()
}

/// Applies retention.
pub fn expire(parts: &Parts, cx: &Context) -> Result<ExpiryReport, ExpireError> {
    let _lease = maintenance(parts).map_err(ExpireError::Lease)?;
    under_lease(parts, cx).map_err(ExpireError::Undecided)
}

/// The same for a run that holds the lease.
pub(crate) fn under_lease(parts: &Parts, cx: &Context) -> Result<ExpiryReport, Fault> {
    let work = WorkDir::open(&parts.settings.work_dir)?;
    let mut report = ExpiryReport {
        ruled: plan(parts, cx)?,
        ..ExpiryReport::default()
    };
    if let Some(newest) = report.ruled.first() {
        sweep_dead(parts, &work, &newest.header.source.lineage, cx)?;
    }
    // What a set is restored from must stay as long as the set is there.
    let mut needed = BTreeSet::new();
    for ruled in report.ruled.iter().filter(|ruled| ruled.expires()) {
        let name = &ruled.header.archive;
        if needed.contains(name) {
            needed.extend(needs(&ruled.header));
            continue;
        }
        match take_away(parts, &work, &ruled.header, "backup-expired", cx) {
            Ok(()) => {
                report.removed.push(name.clone());
                report.freed_bytes += ruled.header.stored_bytes();
            }
            Err(fault) => {
                // A set that its sink keeps locked says nothing of the others.
                let is_kept = fault.kind == FaultKind::Denied;
                needed.extend(needs(&ruled.header));
                report.failed.push((name.clone(), fault));
                if !is_kept {
                    break;
                }
            }
        }
    }
    Ok(report)
}

/// The sets that a set is restored from or compared with.
fn needs(header: &Header) -> impl Iterator<Item = ArchiveName> + '_ {
    let archives = header.archives_needed().map(|facts| &facts.name);
    archives.chain(&header.base).cloned()
}
