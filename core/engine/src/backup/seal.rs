//! From the spool to a sealed set: archive, readings and roles into the sinks, then the manifest,
//! then the catalog.

use std::collections::HashMap;
use std::mem;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use chrono::Local;
use respaldo_domain::backup::{ArchiveName, BackupId, BackupKind};
use respaldo_domain::changes::Reason;
use respaldo_domain::fingerprint;
use respaldo_domain::manifest::{
    ArchiveFacts, ArchiveRest, Contents, Counts, Header, LargeObjects, Manifest, TableData,
    TableEntry, Tools,
};
use respaldo_domain::object::{ObjectKey, ObjectRole, SealedObject};
use respaldo_domain::report::{SinkOutcome, SinkState, Warning, WarningCode};
use respaldo_domain::scope::{Decision, ScopedTable};
use respaldo_domain::table::Oid;
use respaldo_postgres::roles;

use super::base::{self, Base};
use super::dump::Dumped;
use super::{BackupError, BackupRequest, Run, chain, joined};
use crate::history::History;
use crate::lease::Lease;
use crate::parts::Parts;
use crate::ports::{
    Context, DumpedTable, EventLevel, Fault, FaultKind, SealedBackup, SourceTarget,
};
use crate::rest;
use crate::store::{self, Kept, Made, Payload, SetWriter};

/// Longest wait for the dump of roles.
const ROLES_LIMIT: Duration = Duration::from_mins(2);

/// Everything a manifest is made from.
pub(super) struct Draft<'a> {
    pub(super) request: &'a BackupRequest,
    pub(super) target: &'a SourceTarget,
    pub(super) history: &'a History,
    pub(super) base: &'a Base,
    pub(super) name: &'a ArchiveName,
    pub(super) dumped: Dumped,
}

/// A set whose manifest is in storage.
pub(super) struct Sealed {
    pub(super) id: Option<BackupId>,
    pub(super) base_id: Option<BackupId>,
    pub(super) manifest: Manifest,
    pub(super) sinks: Vec<SinkOutcome>,
    pub(super) warnings: Vec<Warning>,
}

/// Stores the set. Until the manifest is durable the backup does not exist; after that it does,
/// whatever happens to the catalog.
pub(super) fn seal(
    parts: &Parts,
    run: &mut Run,
    lease: &mut Lease,
    mut draft: Draft<'_>,
    spool: &Path,
    cx: &Context,
) -> Result<Sealed, BackupError> {
    run.enter("backup.store", cx).map_err(BackupError::Store)?;
    let mut warnings = Vec::new();
    let (archive, described) =
        described(&mut draft.dumped, spool, cx).map_err(BackupError::Store)?;
    let readings = mem::take(&mut draft.dumped.readings.bytes);
    let mut set = parts.store.begin_set();
    let objects = put_objects(
        parts,
        &mut set,
        &draft,
        archive,
        readings,
        &mut warnings,
        cx,
    )
    .map_err(BackupError::Store)?;

    run.enter("backup.manifest", cx)
        .map_err(BackupError::Store)?;
    let manifest = manifest(parts, run, draft, objects, described);
    commit(parts, run, Some(lease), set, manifest, warnings, cx)
}

/// Writes the manifest: from then on the backup exists, and the catalog is told.
pub(super) fn commit(
    parts: &Parts,
    run: &mut Run,
    lease: Option<&mut Lease>,
    mut set: SetWriter<'_>,
    mut manifest: Manifest,
    mut warnings: Vec<Warning>,
    cx: &Context,
) -> Result<Sealed, BackupError> {
    let bytes = prepare_seal(parts, &mut set, &mut manifest, cx).map_err(BackupError::Store)?;
    if let Some(lease) = lease {
        lease.confirm(cx.mandate()).map_err(BackupError::Lease)?;
    }
    set.put(&manifest.archive.manifest_key(), &Payload::bytes(bytes), cx)
        .map_err(BackupError::Store)?;
    let sinks = outcomes(parts, &manifest.archive, set, &mut warnings);
    let (id, base_id) = record(parts, run, &manifest, &mut warnings, cx);
    Ok(Sealed {
        id,
        base_id,
        manifest,
        sinks,
        warnings,
    })
}

/// The bytes that will seal the set: the manifest; of an encrypted set, whose whole manifest is put
/// here as an object, the header.
fn prepare_seal(
    parts: &Parts,
    set: &mut SetWriter<'_>,
    manifest: &mut Manifest,
    cx: &Context,
) -> Result<Vec<u8>, Fault> {
    let whole = parts.codec.encode_manifest(manifest)?;
    if !manifest.is_encrypted() {
        return Ok(whole);
    }
    let (name, vault) = (manifest.archive.clone(), parts.store.vault());
    // Before it is sealed: a set that is not kept is no base for a machine without a key.
    vault.keep(&name, Kept::Manifest, &whole)?;
    let made = vault.bytes(&name, whole, cx)?;
    let key = name.whole_manifest_key();
    let itself = put_payloads(set, vec![(ObjectRole::Manifest, key, made)], cx)?;
    manifest.header.objects.extend(itself);
    parts.codec.encode_header(&manifest.header.public())
}

/// The archive to be stored.
struct Archive<'a> {
    spool: &'a Path,
    payload: Payload,
}

/// What the manifest says of it that is no block of rows.
struct Described {
    rest: ArchiveRest,
    contents: Option<Contents>,
}

fn described<'a>(
    dumped: &mut Dumped,
    spool: &'a Path,
    cx: &Context,
) -> Result<(Archive<'a>, Described), Fault> {
    let (receipt, hashed) = (&dumped.receipt, dumped.archive.take());
    let blocks = receipt.tables.iter();
    let blocks = blocks.map(|table| (table.block.offset, table.block.length));
    let is_all_rest = receipt.tables.is_empty();
    let (payload, rest) = match hashed {
        Some(payload) if is_all_rest => {
            let rest = rest::all(payload.size_bytes(), payload.sha256(cx)?);
            (payload, rest)
        }
        Some(payload) => (payload, rest::of_file(spool, blocks, cx)?),
        None => {
            let payload = Payload::file(spool)?;
            let rest = rest::of_file(spool, blocks, cx)?;
            let known = is_all_rest.then_some(rest.sha256);
            (payload.of_hash(known), rest)
        }
    };
    let size_bytes = receipt.contents_bytes;
    let of_contents = rest::of_beginning(&rest, size_bytes);
    let definitions = dumped.definitions.take();
    let contents = definitions.map(|found| found.of_spool(spool, size_bytes, of_contents));
    let contents = contents.transpose()?;
    Ok((Archive { spool, payload }, Described { rest, contents }))
}

/// Puts what the manifest will name. The server is asked for the roles meanwhile: an archive is hashed and put
/// without it.
fn put_objects(
    parts: &Parts,
    set: &mut SetWriter<'_>,
    draft: &Draft<'_>,
    archive: Archive<'_>,
    readings: Vec<u8>,
    warnings: &mut Vec<Warning>,
    cx: &Context,
) -> Result<Vec<SealedObject>, Fault> {
    let (vault, name) = (parts.store.vault(), draft.name);
    thread::scope(|threads| {
        let is_full = draft.base.kind == BackupKind::Full;
        let roles = is_full.then(|| threads.spawn(|| dump_roles(parts, draft.target, cx)));
        vault.keep(name, Kept::Stats, &readings)?;
        let archive = vault.file(name, archive.spool, archive.payload, cx)?;
        let readings = vault.bytes(name, readings, cx)?;
        let made = vec![
            (ObjectRole::Archive, name.key(), archive),
            (ObjectRole::Stats, name.stats_key(), readings),
        ];
        let mut objects = put_payloads(set, made, cx)?;
        if let Some(text) = roles.and_then(|thread| dumped_roles(thread, warnings)) {
            let roles = vault.bytes(name, text, cx)?;
            let made = vec![(ObjectRole::Roles, name.roles_key(), roles)];
            objects.extend(put_payloads(set, made, cx)?);
        }
        Ok(objects)
    })
}

/// Roles are not in a database, yet a restore elsewhere needs them.
fn dump_roles(parts: &Parts, target: &SourceTarget, cx: &Context) -> Result<String, Fault> {
    let stop = || cx.interrupt().is_set();
    roles::dump_roles(parts.tools.get()?, &target.conninfo, &stop, ROLES_LIMIT)
        .map_err(|error| Fault::new(FaultKind::Internal, "roles.sql", error))
}

/// Where the role may not read them the backup is made without.
fn dumped_roles(
    thread: ScopedJoinHandle<'_, Result<String, Fault>>,
    warnings: &mut Vec<Warning>,
) -> Option<Vec<u8>> {
    match joined(thread, "roles.sql") {
        Ok(text) => Some(text.into_bytes()),
        Err(fault) => {
            let subject = chain(&fault);
            warnings.push(Warning {
                code: WarningCode::MissingRole,
                subject,
            });
            None
        }
    }
}

/// Puts the objects of a set in order; returns them as the manifest names them.
pub(crate) fn put_payloads(
    set: &mut SetWriter<'_>,
    made: Vec<(ObjectRole, ObjectKey, Made)>,
    cx: &Context,
) -> Result<Vec<SealedObject>, Fault> {
    let mut objects = Vec::new();
    for (role, key, made) in made {
        let Made { payload, plain } = made;
        set.put(&key, &payload, cx)?;
        let (size_bytes, sha256) = (payload.size_bytes(), payload.sha256(cx)?);
        objects.push(SealedObject {
            role,
            key,
            size_bytes,
            sha256,
            plain,
        });
    }
    Ok(objects)
}

/// What each sink did, with a warning for each that owes the set.
pub(crate) fn outcomes(
    parts: &Parts,
    name: &ArchiveName,
    set: SetWriter<'_>,
    warnings: &mut Vec<Warning>,
) -> Vec<SinkOutcome> {
    let mut outcomes = Vec::new();
    for (entry, outcome) in parts.store.sinks().iter().zip(set.finish()) {
        let state = match outcome.state {
            store::SinkState::Stored => SinkState::Stored,
            store::SinkState::Owed(fault) => {
                let why = chain(&fault);
                let subject = format!("{}: {why}", outcome.sink);
                warnings.push(Warning {
                    code: WarningCode::SinkOwed,
                    subject,
                });
                SinkState::Owed(why)
            }
        };
        let url = entry.sink.location(&name.key());
        outcomes.push(SinkOutcome {
            sink: outcome.sink,
            state,
            url,
        });
    }
    outcomes
}

fn manifest(
    parts: &Parts,
    run: &Run,
    draft: Draft<'_>,
    objects: Vec<SealedObject>,
    described: Described,
) -> Manifest {
    let Draft {
        request,
        target,
        history,
        base,
        name,
        dumped,
    } = draft;
    let own = objects
        .iter()
        .find(|object| object.role == ObjectRole::Archive)
        .map(|object| ArchiveFacts {
            name: name.clone(),
            size_bytes: object.size_bytes,
            sha256: object.sha256,
            compression: dumped.receipt.compression,
            header_version: dumped.receipt.header_version.clone(),
            rest: Some(described.rest),
            plain: object.plain,
        });
    let large_objects = large_objects(&dumped, base, name);
    let receipts: HashMap<Oid, &DumpedTable> = dumped
        .receipt
        .tables
        .iter()
        .map(|receipt| (receipt.oid, receipt))
        .collect();
    let entry_of = |table: ScopedTable| {
        let receipt = receipts.get(&table.facts.oid).copied();
        entry(table, receipt, name)
    };
    let mut tables: Vec<TableEntry> = dumped.scope.into_iter().map(entry_of).collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    let archives = archives(base, own, &tables, &large_objects, name);
    let base_manifest = base.manifest.as_ref();
    let header = Header {
        archive: name.clone(),
        kind: base.kind,
        label: request.label.clone(),
        trigger: request.trigger,
        run: run.id,
        sequence: history.next_sequence(),
        base: base_manifest.map(|base| base.archive.clone()),
        full: base_manifest.map_or_else(|| name.clone(), |base| base.full.clone()),
        full_reason: base.reason,
        started_at: run.started_at,
        finished_at: Local::now().fixed_offset(),
        snapshot_at: dumped.snapshot_at,
        lsn_start: dumped.lsn_start,
        lsn_end: dumped.lsn_end,
        source: target.facts.clone(),
        tools: Tools {
            respaldo: parts.settings.version.clone(),
            dumper: parts.dumper.name().to_owned(),
            pg_dump: dumped.receipt.pg_dump,
            detector: parts.detector.name().to_owned(),
            fingerprint: fingerprint::ALGORITHM.to_owned(),
            plugins: parts.settings.plugins.clone(),
        },
        definitions: None,
        objects,
        archives,
        excluded: base::exclusions(&parts.settings),
        counts: Counts::of(name, &tables, &dumped.coverage),
    };
    Manifest {
        header,
        contents: described.contents,
        tables,
        large_objects,
        coverage: dumped.coverage,
        schemas: dumped.schemas,
        roles: dumped.roles,
    }
}

fn entry(table: ScopedTable, receipt: Option<&DumpedTable>, name: &ArchiveName) -> TableEntry {
    let own = |receipt: &DumpedTable| TableData {
        archive: name.clone(),
        block: receipt.block,
        plain_bytes: receipt.plain_bytes,
        fingerprint: receipt.fingerprint,
    };
    let data = match table.decision {
        Decision::Dump => receipt.map(own),
        Decision::Keep(data) => Some(*data),
        Decision::NoRows => None,
    };
    TableEntry {
        oid: table.facts.oid,
        name: table.facts.name.clone(),
        kind: table.facts.kind,
        columns: Arc::clone(&table.facts.columns),
        load_via: table.facts.load_via.clone(),
        reason: table.reason,
        data,
    }
}

fn large_objects(dumped: &Dumped, base: &Base, name: &ArchiveName) -> LargeObjects {
    let scope = &dumped.large_objects;
    let kept = base
        .manifest
        .as_ref()
        .and_then(|base| base.large_objects.archive.clone());
    let archive = match () {
        () if scope.dump => Some(name.clone()),
        () if scope.count == 0 || scope.reason == Reason::Unreadable => None,
        () => kept,
    };
    let evidence = dumped
        .readings
        .large_objects
        .as_ref()
        .map(ToString::to_string);
    LargeObjects {
        count: scope.count,
        reason: scope.reason.clone(),
        archive,
        fingerprint: evidence,
    }
}

/// The archives that hold data of this restore point: those of the base still needed, then ours.
fn archives(
    base: &Base,
    own: Option<ArchiveFacts>,
    tables: &[TableEntry],
    large_objects: &LargeObjects,
    name: &ArchiveName,
) -> Vec<ArchiveFacts> {
    let needed = |facts: &&ArchiveFacts| {
        &facts.name != name
            && (tables.iter().any(|table| table.holds_data_in(&facts.name))
                || large_objects.archive.as_ref() == Some(&facts.name))
    };
    let of_base = base.manifest.iter().flat_map(|base| &base.archives);
    of_base.filter(needed).cloned().chain(own).collect()
}

/// Brings the sealed set into the catalog. The set is whole without it.
fn record(
    parts: &Parts,
    run: &mut Run,
    manifest: &Manifest,
    warnings: &mut Vec<Warning>,
    cx: &Context,
) -> (Option<BackupId>, Option<BackupId>) {
    let Some(catalog) = &parts.catalog else {
        return (None, None);
    };
    let location = parts.store.location(&manifest.archive.key());
    let recorded = run.enter("backup.seal", cx).and_then(|()| {
        let id = catalog.seal(&SealedBackup {
            header: manifest,
            location: &location,
        })?;
        let base_id = match &manifest.base {
            Some(base) => catalog.find(base)?.and_then(|entry| entry.id),
            None => None,
        };
        let detail = serde_json::json!({
            "tables_dumped": manifest.dumped().count(),
            "size_bytes": manifest.stored_bytes(),
        });
        catalog.event(
            EventLevel::Info,
            "backup-completed",
            Some(&manifest.archive),
            &detail,
        )?;
        Ok((Some(id), base_id))
    });
    recorded.unwrap_or_else(|fault: Fault| {
        if fault.kind != FaultKind::Cancelled {
            tracing::warn!(error = %chain(&fault), "the catalog is behind");
        }
        let subject = chain(&fault);
        warnings.push(Warning {
            code: WarningCode::CatalogBehind,
            subject,
        });
        (None, None)
    })
}
