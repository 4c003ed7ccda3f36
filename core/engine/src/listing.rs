//! The backups there are: from the catalog, brought up to date with storage first; from the
//! manifests alone where there is no catalog or its server does not answer; from the catalog alone
//! where storage does not.

use respaldo_domain::backup::{BackupKind, BackupState};
use respaldo_domain::manifest::Header;

use crate::backup::chain;
use crate::history::all_headers;
use crate::parts::Parts;
use crate::ports::{Catalog, CatalogEntry, CatalogFilter, Context, Fault, FaultKind};
use crate::rebuild;

/// Entries that pass the filter, newest first.
pub fn list(
    parts: &Parts,
    filter: &CatalogFilter,
    cx: &Context,
) -> Result<Vec<CatalogEntry>, Fault> {
    let Some(catalog) = &parts.catalog else {
        return of_storage(parts, filter, cx);
    };
    match catalogued(parts, &**catalog, filter, cx) {
        Err(fault) if cannot_be_asked(&fault) => of_one(parts, &**catalog, filter, &fault, cx),
        listed => listed,
    }
}

/// Where the catalog and storage cannot be brought together: what one of them tells.
fn of_one(
    parts: &Parts,
    catalog: &dyn Catalog,
    filter: &CatalogFilter,
    fault: &Fault,
    cx: &Context,
) -> Result<Vec<CatalogEntry>, Fault> {
    let error = chain(fault);
    match of_storage(parts, filter, cx) {
        // A dead server is when a list of backups is needed most.
        Ok(entries) => {
            tracing::warn!(%error, "the catalog does not answer: the list is of what storage holds");
            Ok(entries)
        }
        // Before the first backup there is no folder, and a disk may not be plugged in.
        Err(unlisted) => {
            let entries = catalog.list(filter).map_err(|_| unlisted)?;
            tracing::warn!(%error, "storage does not answer: the list is of what the catalog knows");
            Ok(entries)
        }
    }
}

fn catalogued(
    parts: &Parts,
    catalog: &dyn Catalog,
    filter: &CatalogFilter,
    cx: &Context,
) -> Result<Vec<CatalogEntry>, Fault> {
    match rebuild::reconcile(parts, cx) {
        // The catalog went with the server: storage brings it back.
        Err(fault) if fault.kind == FaultKind::NotFound => {
            catalog.migrate()?;
            rebuild::reconcile(parts, cx)?;
        }
        reconciled => reconciled?,
    }
    catalog.list(filter)
}

fn cannot_be_asked(fault: &Fault) -> bool {
    use FaultKind::{Denied, NotFound, Unavailable};
    matches!(fault.kind, Unavailable | Denied | NotFound)
}

/// Entries as the manifests in storage tell them: without numbers, and of sealed backups only.
pub(crate) fn of_storage(
    parts: &Parts,
    filter: &CatalogFilter,
    cx: &Context,
) -> Result<Vec<CatalogEntry>, Fault> {
    if filter
        .state
        .is_some_and(|state| state != BackupState::Completed)
    {
        return Ok(Vec::new());
    }
    let mut headers = Vec::new();
    for (name, header) in all_headers(&parts.store, &*parts.codec, cx)? {
        match header {
            Ok(header) => headers.push(header),
            Err(fault) => tracing::warn!(archive = %name, %fault, "a manifest cannot be read"),
        }
    }
    headers.retain(|header| passes(header.kind, filter));
    headers.sort_by_key(|header| std::cmp::Reverse(header.sequence));
    let wanted = filter.limit.map_or(usize::MAX, |limit| limit as usize);
    Ok(headers
        .iter()
        .take(wanted)
        .map(|header| entry(parts, header))
        .collect())
}

fn passes(kind: BackupKind, filter: &CatalogFilter) -> bool {
    filter.kind.is_none_or(|wanted| wanted == kind)
}

fn entry(parts: &Parts, header: &Header) -> CatalogEntry {
    let archive = header.archive_facts(&header.archive);
    CatalogEntry {
        id: None,
        kind_label: parts.codec.kind_label(header.kind),
        archive: header.archive.to_string(),
        location: parts.store.location(&header.archive.key()),
        started_at: header.started_at,
        finished_at: header.finished_at,
        size_bytes: archive.map(|facts| facts.size_bytes),
        sha256: archive.map(|facts| facts.sha256),
        state: BackupState::Completed,
        error: None,
        base_id: None,
        in_cloud: false,
        copy: (None, None),
        ours: true,
        lsn: (header.lsn_start.clone(), header.lsn_end.clone()),
        label: header.label.clone(),
    }
}
