//! The catalog from storage: what is sealed in storage is brought into the catalog, what is gone
//! from storage may be purged from it. Storage is the truth; nothing here touches an object.

use std::collections::BTreeSet;

use respaldo_domain::backup::{ArchiveName, BackupState};
use respaldo_domain::manifest::Header;
use respaldo_domain::report::Warning;

use crate::copies;
use crate::history::all_headers;
use crate::parts::Parts;
use crate::ports::{Catalog, CatalogFilter, Context, Fault, FaultKind, ObjectReader, SealedBackup};

/// What a rebuild did.
#[derive(Debug, Default)]
pub struct RebuildReport {
    /// Backups brought into the catalog or brought up to date.
    pub recorded: Vec<ArchiveName>,
    /// Manifests that could not be read.
    pub unreadable: Vec<(ArchiveName, Fault)>,
    /// What deserves a look.
    pub warnings: Vec<Warning>,
}

/// What a purge did.
#[derive(Debug, Default)]
pub struct PurgeReport {
    /// Rows removed: backups of ours of which storage has no archive.
    pub removed: Vec<ArchiveName>,
}

/// Brings every sealed backup the catalog does not know into it. Cheap when there is none.
pub fn reconcile(parts: &Parts, cx: &Context) -> Result<(), Fault> {
    let Some(catalog) = &parts.catalog else {
        return Ok(());
    };
    let known = known(&**catalog)?;
    let sealed = parts.store.sealed(cx)?;
    let mut unknown = Vec::new();
    for name in sealed.iter().filter(|name| !known.contains(name.as_str())) {
        match parts.store.header(name, &*parts.codec, cx) {
            Ok(_) if is_gone(parts, name, cx) => {
                tracing::warn!(archive = %name, "the archive that a manifest seals is gone");
            }
            Ok(manifest) => unknown.push(manifest),
            Err(fault) => tracing::warn!(archive = %name, %fault, "a manifest cannot be read"),
        }
    }
    record(parts, &**catalog, unknown).map(drop)
}

/// Whether every sink answers and none has the archive.
fn is_gone(parts: &Parts, name: &ArchiveName, cx: &Context) -> bool {
    let asked = parts.store.head(&name.key(), cx);
    matches!(asked, Err(fault) if fault.kind == FaultKind::NotFound)
}

/// Records every sealed backup anew.
pub fn rebuild(parts: &Parts, cx: &Context) -> Result<RebuildReport, Fault> {
    let catalog = catalog(parts)?;
    catalog.migrate()?;
    let mut report = RebuildReport::default();
    let mut manifests = Vec::new();
    for (name, manifest) in all_headers(&parts.store, &*parts.codec, cx)? {
        match manifest {
            Ok(manifest) => manifests.push(manifest),
            Err(fault) => report.unreadable.push((name, fault)),
        }
    }
    report.recorded = record(parts, catalog, manifests)?;
    copies::tell_all(parts, &report.recorded, cx)?;
    Ok(report)
}

/// In the order of history, so that each base has its number before what builds on it.
fn record(
    parts: &Parts,
    catalog: &dyn Catalog,
    mut manifests: Vec<Header>,
) -> Result<Vec<ArchiveName>, Fault> {
    manifests.sort_by_key(|manifest| manifest.sequence);
    for manifest in &manifests {
        let location = parts.store.location(&manifest.archive.key());
        catalog.seal(&SealedBackup {
            header: manifest,
            location: &location,
        })?;
    }
    Ok(manifests
        .into_iter()
        .map(|manifest| manifest.archive)
        .collect())
}

/// Removes rows of ours whose archive is in no sink; what is sealed without one restores nothing.
/// Where any sink cannot be listed nothing is. Rows of the existing application and rows of
/// backups that lie elsewhere than this configuration would put them are left: another machine
/// with a folder of its own may have made them.
pub fn purge_invalid(parts: &Parts, cx: &Context) -> Result<PurgeReport, Fault> {
    let catalog = catalog(parts)?;
    let there = parts.store.archives(cx)?;
    let filter = CatalogFilter {
        state: Some(BackupState::Completed),
        ours_only: true,
        ..CatalogFilter::default()
    };
    let mut report = PurgeReport::default();
    for entry in catalog.list(&filter)? {
        let Ok(name) = entry.archive.parse::<ArchiveName>() else {
            continue;
        };
        let ours_to_judge = entry.location == parts.store.location(&name.key());
        if ours_to_judge && !there.contains(&name) {
            catalog.forget(&name)?;
            report.removed.push(name);
        }
    }
    Ok(report)
}

fn known(catalog: &dyn Catalog) -> Result<BTreeSet<String>, Fault> {
    let filter = CatalogFilter {
        state: Some(BackupState::Completed),
        ours_only: true,
        ..CatalogFilter::default()
    };
    Ok(catalog
        .list(&filter)?
        .into_iter()
        .map(|entry| entry.archive)
        .collect())
}

/// The catalog, which the work cannot do without.
pub(crate) fn catalog(parts: &Parts) -> Result<&dyn Catalog, Fault> {
    parts.catalog.as_deref().ok_or_else(|| {
        let hint = "configure [catalog] url, or let the role create the schema of the catalog";
        Fault::new(FaultKind::Unavailable, "there is no catalog", hint)
    })
}
