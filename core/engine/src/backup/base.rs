//! The base of a backup: chosen, read and found whole, or a full with its reason.

use std::collections::BTreeMap;
use std::sync::Arc;

use respaldo_domain::backup::{ArchiveName, BackupKind};
use respaldo_domain::base::{self, BaseChoice, BaseNeeds, FullReason};
use respaldo_domain::fingerprint;
use respaldo_domain::manifest::{Header, Manifest};
use respaldo_domain::object::ObjectRole;
use respaldo_domain::readings::Readings;
use respaldo_domain::source::SourceFacts;
use respaldo_domain::table::TableName;
use serde_json::Value;

use super::definitions::Stored;
use crate::history::History;
use crate::parts::{Parts, Settings};
use crate::ports::{BaseReading, Context, Fault, FaultKind, LineageStatus, ObjectReader};
use crate::reading::{self, Reading};
use crate::store::{Kept, sha256};

/// Largest stats object read, in bytes: 10,000 tables take about 10 MB.
const MAX_STATS_BYTES: u64 = 512 * 1024 * 1024;

/// What a backup builds on.
pub(super) struct Base {
    /// Kind that will be made.
    pub(super) kind: BackupKind,
    /// Why it is a full where another kind was asked for.
    pub(super) reason: Option<FullReason>,
    /// The base's manifest, for a differential or incremental.
    pub(super) manifest: Option<Manifest>,
    /// The header of the newest backup, where that is not the base itself.
    newest: Result<Option<Header>, Fault>,
    /// Tables of contents of this history, the newest first.
    pub(super) stored: Vec<Stored>,
}

impl Base {
    fn full(reason: Option<FullReason>) -> Self {
        Self {
            kind: BackupKind::Full,
            reason,
            manifest: None,
            newest: Ok(None),
            stored: Vec::new(),
        }
    }

    /// The base's readings; `None` for a full. Lost or damaged ones cost a larger backup, not a wrong one.
    pub(super) fn read_readings(
        &self,
        parts: &Parts,
        source: &SourceFacts,
        cx: &Context,
    ) -> Result<Option<BaseReading>, Fault> {
        let Some(manifest) = &self.manifest else {
            return Ok(None);
        };
        let stored = stored_readings(parts, manifest, cx)
            .and_then(|readings| Ok((readings, learnt_since(parts, &self.newest, cx)?)));
        match stored {
            Ok((mut readings, learnt)) => {
                share_columns(manifest, &mut readings);
                Ok(Some(BaseReading {
                    lineage: lineage(parts, manifest, source),
                    readings,
                    learnt,
                }))
            }
            Err(fault) if fault.kind.is_transient() => Err(fault),
            Err(fault) => {
                tracing::warn!(base = %manifest.archive, %fault, "the base's readings are unusable");
                Ok(None)
            }
        }
    }
}

/// Chooses the base and makes sure that a restore of what builds on it could read it.
pub(super) fn choose(
    parts: &Parts,
    kind: BackupKind,
    history: &History,
    source: &SourceFacts,
    cx: &Context,
) -> Result<Base, Fault> {
    let needs = BaseNeeds {
        lineage: source.lineage.clone(),
        compression: parts.dumper.compression(),
        fingerprint: fingerprint::ALGORITHM.to_owned(),
        excluded: exclusions(&parts.settings),
    };
    match base::choose(kind, &history.candidates, &needs) {
        BaseChoice::Full(reason) => Ok(Base::full(reason)),
        BaseChoice::On(name) => match read_whole(parts, &name, cx)? {
            Err(reason) => Ok(Base::full(Some(reason))),
            Ok(manifest) => {
                let newest = newer(parts, &manifest, history, cx);
                let stored = newest.iter().flatten().chain([&manifest]);
                let can_open = |manifest: &&Manifest| {
                    !manifest.is_encrypted() || parts.store.vault().key().is_ok()
                };
                let stored = stored
                    .filter(can_open)
                    .filter_map(|manifest| Stored::of(manifest, source));
                let stored = stored.collect();
                Ok(Base {
                    kind,
                    reason: None,
                    manifest: Some(manifest),
                    newest: newest.map(|newest| newest.map(|manifest| manifest.header)),
                    stored,
                })
            }
        },
    }
}

/// Exclusions in force, as the manifest names them.
pub(super) fn exclusions(settings: &Settings) -> Vec<String> {
    let schemas = settings.exclude_schemas.iter().map(|schema| {
        let whole = TableName::new(schema, "*");
        whole.to_string()
    });
    let tables = settings.exclude_tables.iter().map(ToString::to_string);
    let mut all: Vec<String> = schemas.chain(tables).collect();
    all.sort();
    all
}

/// The manifest, where it can be read and every archive it needs is there with its size; else why
/// it is no base.
fn read_whole(
    parts: &Parts,
    name: &ArchiveName,
    cx: &Context,
) -> Result<Result<Manifest, FullReason>, Fault> {
    let manifest = match parts.store.manifest(name, &*parts.codec, cx) {
        Ok(manifest) => manifest,
        Err(fault) if fault.kind.is_transient() => return Err(fault),
        Err(fault) if fault.kind == FaultKind::NoKey => return Ok(Err(FullReason::BaseLocked)),
        Err(_) => return Ok(Err(FullReason::BaseDamaged)),
    };
    for archive in &manifest.archives {
        match ObjectReader::head(&*parts.store, &archive.name.key(), cx) {
            Ok(info) if info.size_bytes == archive.size_bytes => {}
            Err(fault) if fault.kind.is_transient() => return Err(fault),
            _ => return Ok(Err(FullReason::BaseDamaged)),
        }
    }
    Ok(Ok(manifest))
}

/// Manifest and readings name the same columns of every table: they are held once.
fn share_columns(manifest: &Manifest, readings: &mut Readings) {
    for entry in &manifest.tables {
        let reading = readings.tables.get_mut(&entry.oid);
        let facts = reading.and_then(|reading| Arc::get_mut(&mut reading.facts));
        if let Some(facts) = facts.filter(|facts| facts.columns == entry.columns) {
            facts.columns = Arc::clone(&entry.columns);
        }
    }
}

/// The manifest of the newest backup, where that is not the base itself.
fn newer(
    parts: &Parts,
    base: &Manifest,
    history: &History,
    cx: &Context,
) -> Result<Option<Manifest>, Fault> {
    let newest = history.newest();
    match newest.filter(|newest| newest.archive != base.archive) {
        Some(newest) => parts
            .store
            .manifest(&newest.archive, &*parts.codec, cx)
            .map(Some),
        None => Ok(None),
    }
}

/// Figures of the newest backup, where that is not the base itself.
fn learnt_since(
    parts: &Parts,
    newest: &Result<Option<Header>, Fault>,
    cx: &Context,
) -> Result<BTreeMap<String, Value>, Fault> {
    let manifest = match newest {
        Ok(Some(manifest)) => manifest,
        Ok(None) => return Ok(BTreeMap::new()),
        Err(fault) => {
            let what = format!("the newest backup: {fault}");
            return Err(Fault::bare(fault.kind, what));
        }
    };
    let bytes = stored_bytes(parts, manifest, cx)?;
    parts.codec.decode_figures(&bytes)
}

fn stored_readings(parts: &Parts, manifest: &Manifest, cx: &Context) -> Result<Readings, Fault> {
    let bytes = stored_bytes(parts, manifest, cx)?;
    parts.codec.decode_readings(&bytes)
}

/// The bytes of a backup's readings, which are those the manifest names.
fn stored_bytes(parts: &Parts, manifest: &Header, cx: &Context) -> Result<Vec<u8>, Fault> {
    let object = manifest
        .object(ObjectRole::Stats)
        .ok_or_else(|| Fault::bare(FaultKind::NotFound, "the base has no readings"))?;
    let is_right = |bytes: &[u8]| sha256(bytes) == object.content_sha256();
    let kept = parts.store.vault().kept(&manifest.archive, Kept::Stats);
    if let Some(bytes) = kept.filter(|bytes| is_right(bytes)) {
        return Ok(bytes);
    }
    let bytes = parts.store.read_inside(&object.key, MAX_STATS_BYTES, cx)?;
    if is_right(&bytes) {
        Ok(bytes)
    } else {
        let what = format!("{} has another checksum", object.key);
        Err(Fault::bare(FaultKind::Corrupt, what))
    }
}

/// Whether transaction ids and counters of the base mean something today.
fn lineage(parts: &Parts, manifest: &Manifest, source: &SourceFacts) -> LineageStatus {
    if manifest.source.lineage == source.lineage {
        return LineageStatus::Same;
    }
    let witnessed = match &parts.catalog {
        Some(catalog) => catalog
            .sees_witness(&manifest.archive, manifest.run)
            .unwrap_or(false),
        None => false,
    };
    if witnessed {
        LineageStatus::Witnessed
    } else {
        LineageStatus::Broken
    }
}

/// Keeps the base until this backup is sealed, whatever lease the one who would remove it holds: that of a
/// standby is another. Fails only where the base is gone already.
pub(super) fn hold(parts: &Parts, base: &Base, cx: &Context) -> Result<Option<Reading>, Fault> {
    let Some(manifest) = &base.manifest else {
        return Ok(None);
    };
    match reading::hold(parts, manifest, cx) {
        Err(fault) if fault.kind == FaultKind::NotFound => Err(fault),
        Err(fault) => {
            tracing::debug!(%fault, "the base is held by the lease alone");
            Ok(None)
        }
        Ok(reading) => Ok(Some(reading)),
    }
}
