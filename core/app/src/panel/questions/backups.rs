//! Backups: listed, shown, and how they hang together.

use std::collections::BTreeSet;

use respaldo_contract::labels::Label;
use respaldo_contract::messages::{ErrorCode, Lang};
use respaldo_domain::backup::{BackupKind, BackupState};
use respaldo_engine::operations::{Operations, Selector};
use respaldo_engine::ports::{
    CatalogEntry, Context, EntryOrder, EntryPage, Part as Rows, Validated,
};
use respaldo_panel::ask::{Backups, Part};
use serde_json::{Value, json};

use super::super::{browse, point};
use super::{document, page, rows};
use crate::catalogued;
use crate::failure::{Failure, of_lookup};
use crate::records;

/// Backups of one family that are told of.
const FAMILY: u32 = 2000;

/// A page of backups.
pub fn list(operations: &Operations, wanted: &Backups, cx: &Context) -> Result<Value, Failure> {
    let part = Part {
        limit: wanted.limit,
        offset: wanted.offset,
    };
    let since = wanted.since.as_deref().map(point::since).transpose()?;
    let until = wanted.until.as_deref().map(point::until).transpose()?;
    let entries = EntryPage {
        kind: wanted
            .kind
            .as_deref()
            .and_then(|kind| BackupKind::from_label(kind).ok()),
        state: wanted
            .state
            .as_deref()
            .and_then(|state| BackupState::from_label(state).ok()),
        since: since.flatten(),
        before: until.flatten(),
        text: wanted.search.clone(),
        order: match wanted.order.as_deref() {
            Some("tamano") => EntryOrder::Size,
            Some("tipo") => EntryOrder::Kind,
            Some("estado") => EntryOrder::State,
            _ => EntryOrder::Started,
        },
        descending: wanted.descending,
        rows: rows(part),
    };
    let found = browse::page(operations, &entries, cx)?;
    Ok(page(&found, part, listed))
}

fn listed(entry: &CatalogEntry) -> Value {
    serde_json::to_value(catalogued::record(entry)).unwrap_or_default()
}

/// One backup, with a part of its tables.
pub fn one(
    operations: &Operations,
    which: &str,
    table: Option<&str>,
    part: Part,
    said: Lang,
    cx: &Context,
) -> Result<Value, Failure> {
    let shown = operations.show(&point::backup(which)?, cx);
    let (manifest, entry) = shown.map_err(|fault| of_lookup(&fault))?;
    let mut record = records::shown(operations, &manifest, entry.as_ref(), said);
    if let Some(text) = table {
        let text = text.to_lowercase();
        let has = |name: &str| name.to_lowercase().contains(&text);
        record.tablas.retain(|table| has(&table.tabla));
    }
    let found = record.tablas.len();
    let tables = record.tablas.into_iter();
    record.tablas = tables
        .skip(part.offset as usize)
        .take(part.limit as usize)
        .collect();
    let mut document = document(&record)?;
    document["tablas_encontradas"] = json!(found);
    Ok(document)
}

/// All that belongs to a backup, oldest first, and the backup itself.
fn family(
    operations: &Operations,
    which: &str,
    cx: &Context,
) -> Result<(Vec<CatalogEntry>, CatalogEntry), Failure> {
    let unknown = || Failure::new(ErrorCode::UnknownBackup, which);
    let selector = point::backup(which)?;
    let asked = browse::asked(operations, cx, |_| Ok(()));
    let number = match asked {
        Ok(Some(())) => browse::number(operations, which).unwrap_or_default(),
        _ => None,
    };
    if let Some(id) = number
        && let Some(family) = browse::asked(operations, cx, |browse| browse.family(id, FAMILY))?
    {
        let this = family.iter().find(|entry| entry.id == Some(id)).cloned();
        return this.map(|this| (family, this)).ok_or_else(unknown);
    }
    of_storage(operations, &selector, cx)
}

/// The same from the manifests alone.
fn of_storage(
    operations: &Operations,
    selector: &Selector,
    cx: &Context,
) -> Result<(Vec<CatalogEntry>, CatalogEntry), Failure> {
    let (manifest, _) = operations
        .show(selector, cx)
        .map_err(|fault| of_lookup(&fault))?;
    let above = operations.dependents(selector, cx);
    let above = above.map_err(|fault| of_lookup(&fault))?;
    let mut names: BTreeSet<String> = above
        .iter()
        .map(|header| header.archive.to_string())
        .collect();
    names.extend(
        manifest
            .archives_needed()
            .map(|facts| facts.name.to_string()),
    );
    names.insert(manifest.archive.to_string());
    let mut entries = browse::stored(operations, cx)?;
    entries.retain(|entry| names.contains(&entry.archive));
    entries.reverse();
    let this = entries
        .iter()
        .find(|entry| entry.archive == manifest.archive.as_str());
    let this = this.cloned();
    let unknown = || Failure::new(ErrorCode::UnknownBackup, manifest.archive.as_str());
    this.map(|this| (entries, this)).ok_or_else(unknown)
}

/// What a backup builds on and what builds on it, as a graph.
pub fn chain(operations: &Operations, which: &str, cx: &Context) -> Result<Value, Failure> {
    let (family, _) = family(operations, which, cx)?;
    let node = |entry: &CatalogEntry| {
        json!({
            "id": super::super::rooms::Room::name_of(entry),
            "archivo": entry.archive,
            "tipo": entry.kind_label,
            "fecha": entry.started_at,
            "tamano": entry.size_bytes,
            "estado": entry.state.label(),
        })
    };
    let known: BTreeSet<i64> = family
        .iter()
        .filter_map(|entry| Some(entry.id?.0))
        .collect();
    let edge = |entry: &CatalogEntry| {
        let (from, to) = (entry.id?, entry.base_id?);
        known
            .contains(&to.0)
            .then(|| json!({ "de": from, "a": to }))
    };
    let mut edges: Vec<Value> = family.iter().filter_map(edge).collect();
    if known.is_empty() {
        // Storage tells who builds on whom by name.
        for entry in &family {
            let selector = point::backup(&entry.archive)?;
            let (manifest, _) = operations
                .show(&selector, cx)
                .map_err(|fault| of_lookup(&fault))?;
            if let Some(base) = &manifest.base {
                edges.push(json!({ "de": entry.archive, "a": base }));
            }
        }
    }
    Ok(json!({
        "nodos": family.iter().map(node).collect::<Vec<_>>(),
        "aristas": edges,
    }))
}

/// What deleting a backup would take along, newest first: whatever reaches it over its bases.
pub fn dependents(operations: &Operations, which: &str, cx: &Context) -> Result<Value, Failure> {
    let (family, this) = family(operations, which, cx)?;
    let Some(id) = this.id else {
        let above = operations.dependents(&point::backup(which)?, cx);
        let above = above.map_err(|fault| of_lookup(&fault))?;
        let names: BTreeSet<&str> = above.iter().map(|header| header.archive.as_str()).collect();
        let taken = family
            .iter()
            .rev()
            .filter(|entry| names.contains(entry.archive.as_str()));
        return Ok(taken.map(listed).collect());
    };
    let mut reached = BTreeSet::from([id.0]);
    let mut taken = Vec::new();
    // Oldest first, so that a base is met before what builds on it; again until nothing is added, for clocks may have
    // been put back.
    loop {
        let before = reached.len();
        for entry in &family {
            let (Some(own), Some(base)) = (entry.id, entry.base_id) else {
                continue;
            };
            if reached.contains(&base.0) && reached.insert(own.0) {
                taken.push(entry.clone());
            }
        }
        if reached.len() == before {
            break;
        }
    }
    taken.sort_by_key(|entry| std::cmp::Reverse(entry.started_at));
    Ok(taken.iter().map(listed).collect())
}

/// Looks at backups that were recorded.
pub fn validations(
    operations: &Operations,
    backup: Option<&str>,
    part: Part,
    cx: &Context,
) -> Result<Value, Failure> {
    let nothing = || Rows {
        rows: Vec::new(),
        total: 0,
    };
    let of = match backup {
        None => None,
        Some(which) => {
            point::backup(which)?;
            match browse::number(operations, which)? {
                Some(id) => Some(id),
                None => return Ok(page(&nothing(), part, validated)),
            }
        }
    };
    let told = browse::asked(operations, cx, |browse| browse.validations(of, rows(part)))?;
    Ok(page(&told.unwrap_or_else(nothing), part, validated))
}

fn validated(row: &Validated) -> Value {
    let findings = row.detail.get("hallazgos").cloned();
    json!({
        "id": row.id,
        "backup_id": row.backup,
        "archivo": row.archive,
        "tipo": row.kind_label,
        "fecha": row.at,
        "nivel": row.level,
        "resultado": row.verdict,
        "tiempo_segundos": row.seconds,
        "hallazgos": findings.filter(Value::is_array).unwrap_or_else(|| json!([])),
    })
}
