//! A new full made from the chain: the newest restore point spliced into one archive and sealed
//! as a full of the same snapshot. The database is not read; backups after it build on it as they
//! would have built on the restore point it was made from.

use std::io::{BufWriter, Write};
use std::path::Path;

use chrono::Local;
use respaldo_archive::Hashes;
use respaldo_domain::backup::{ArchiveName, BackupKind, Trigger};
use respaldo_domain::changes::Reason;
use respaldo_domain::manifest::{
    ArchiveFacts, ArchiveRest, BlockRef, Counts, FROM_CHAIN, Header, Manifest, TableEntry,
};
use respaldo_domain::object::{ObjectRole, SealedObject, Sha256};
use respaldo_domain::report::BackupReport;
use uuid::Uuid;

use super::seal::{Sealed, commit, put_payloads};
use super::{
    BackupError, Run, finish, give_up, interrupted_or, keep_bases, note_sinks, settle_owed, sweep,
};
use crate::export::{ExportError, ExportReport, export_with};
use crate::history::History;
use crate::intent::WorkDir;
use crate::lease::Lease;
use crate::parts::Parts;
use crate::ports::{Context, Fault, FaultKind, LeaseWork};
use crate::private;
use crate::rest;
use crate::selector::Selector;
use crate::store::{Kept, Payload, SetWriter};

/// Objects other than archives are small.
const MAX_OBJECT_BYTES: u64 = 512 * 1024 * 1024;

/// Why no full was made from the chain.
#[derive(Debug, thiserror::Error)]
pub enum ConsolidateError {
    /// There is no chain.
    #[error("there is no backup to make a full from")]
    Nothing,
    /// As any backup fails.
    #[error(transparent)]
    Backup(#[from] BackupError),
}

/// Makes a full of the newest restore point.
pub fn consolidate(
    parts: &Parts,
    label: Option<String>,
    trigger: Trigger,
    cx: &Context,
) -> Result<BackupReport, ConsolidateError> {
    let mut run = Run::begin(parts);
    run.enter("consolidate.lease", cx)
        .map_err(BackupError::Lease)?;
    let mut lease = lease(parts, run.id)?;
    let work = WorkDir::open(&parts.settings.work_dir).map_err(BackupError::Repository)?;
    let history =
        History::load(&parts.store, &*parts.codec, &work, cx).map_err(BackupError::Repository)?;
    let newest = history.newest().ok_or(ConsolidateError::Nothing)?;
    if lease.is_some() {
        sweep(parts, &mut run, &work, &newest.lineage, cx).map_err(BackupError::Repository)?;
    }
    let name = run.name(parts, BackupKind::Full);
    let intent = work
        .intend(&name, &newest.lineage)
        .map_err(BackupError::Repository)?;
    let draft = Draft {
        name: name.clone(),
        label,
        trigger,
        sequence: history.next_sequence(),
    };
    let from = Selector::Name(newest.archive.clone());
    let spool = work.spool(&name);
    let made = make(parts, &mut run, &from, draft, &spool, lease.as_mut(), cx);
    let sealed = made.map_err(|error| {
        give_up(parts, &run, &name, &error, cx);
        interrupted_or(error, cx)
    })?;
    if let Err(fault) = intent.close() {
        tracing::warn!(%fault, "the intent could not be taken back; the next run does it");
    }
    keep_bases(parts, &history, &sealed.manifest);
    note_sinks(parts, &sealed);
    let report = finish(parts, run, sealed, cx);
    drop(lease);
    settle_owed(parts, &report, cx);
    Ok(report)
}

/// What the new manifest has of its own.
struct Draft {
    name: ArchiveName,
    label: Option<String>,
    trigger: Trigger,
    sequence: u64,
}

/// Where the database cannot be reached no other run can be under way either: a run needs it.
fn lease(parts: &Parts, run: Uuid) -> Result<Option<Lease>, BackupError> {
    match Lease::acquire_for(parts, &parts.source, LeaseWork::Backup(run)) {
        Ok(lease) => Ok(Some(lease)),
        Err(fault) if fault.kind == FaultKind::Busy => Err(BackupError::Lease(fault)),
        Err(_) => Ok(None),
    }
}

fn make(
    parts: &Parts,
    run: &mut Run,
    from: &Selector,
    draft: Draft,
    spool: &Path,
    lease: Option<&mut Lease>,
    cx: &Context,
) -> Result<Sealed, BackupError> {
    run.enter("consolidate.export", cx)
        .map_err(BackupError::Dump)?;
    let exported = export_to(parts, from, spool, cx)?;
    let blocks = exported.tables.values();
    let blocks = blocks.map(|report| (report.info.offset, report.info.length));
    let rest = rest::of_file(spool, blocks, cx).map_err(BackupError::Dump)?;
    run.enter("consolidate.store", cx)
        .map_err(BackupError::Store)?;
    let mut set = parts.store.begin_set();
    let objects = put_objects(parts, &mut set, &draft.name, &exported.manifest, spool, cx)
        .map_err(BackupError::Store)?;
    run.enter("consolidate.manifest", cx)
        .map_err(BackupError::Store)?;
    let manifest =
        manifest(parts, run, draft, &exported, objects, rest).map_err(BackupError::Dump)?;
    commit(parts, run, lease, set, manifest, Vec::new(), cx)
}

fn export_to(
    parts: &Parts,
    selector: &Selector,
    spool: &Path,
    cx: &Context,
) -> Result<ExportReport, BackupError> {
    let writing = |e| Fault::io(format!("writing {}", spool.display()), e);
    let file = private::writing()
        .create(true)
        .truncate(true)
        .open(spool)
        .map_err(writing)
        .map_err(BackupError::Dump)?;
    let mut out = BufWriter::with_capacity(256 * 1024, file);
    let report = export_with(parts, selector, Hashes::Taken, &mut out, cx).map_err(dump_error)?;
    out.flush().map_err(writing).map_err(BackupError::Dump)?;
    out.get_ref()
        .sync_all()
        .map_err(writing)
        .map_err(BackupError::Dump)?;
    Ok(report)
}

fn dump_error(error: ExportError) -> BackupError {
    match error {
        ExportError::Nothing(fault) | ExportError::Backup(fault) => BackupError::Repository(fault),
        ExportError::Output(fault) => BackupError::Dump(fault),
        ExportError::Splice(error) => BackupError::Repository(Fault::new(
            FaultKind::Corrupt,
            "joining the chain's archives",
            error,
        )),
    }
}

/// The archive, and the readings and roles of the chain under the new name.
fn put_objects(
    parts: &Parts,
    set: &mut SetWriter<'_>,
    name: &ArchiveName,
    from: &Manifest,
    spool: &Path,
    cx: &Context,
) -> Result<Vec<SealedObject>, Fault> {
    let (store, vault) = (&parts.store, parts.store.vault());
    let archive = vault.file(name, spool, Payload::file(spool)?, cx)?;
    let mut made = vec![(ObjectRole::Archive, name.key(), archive)];
    if let Some(stats) = from.object(ObjectRole::Stats) {
        let bytes = store.read_inside(&stats.key, MAX_OBJECT_BYTES, cx)?;
        vault.keep(name, Kept::Stats, &bytes)?;
        let stats = vault.bytes(name, bytes, cx)?;
        made.push((ObjectRole::Stats, name.stats_key(), stats));
    }
    let full = store.header(&from.full, &*parts.codec, cx)?;
    if let Some(roles) = full.object(ObjectRole::Roles) {
        let bytes = store.read_inside(&roles.key, MAX_OBJECT_BYTES, cx)?;
        let roles = vault.bytes(name, bytes, cx)?;
        made.push((ObjectRole::Roles, name.roles_key(), roles));
    }
    put_payloads(set, made, cx)
}

/// The restore point's manifest, with everything in the new archive.
fn manifest(
    parts: &Parts,
    run: &Run,
    draft: Draft,
    exported: &ExportReport,
    objects: Vec<SealedObject>,
    rest: ArchiveRest,
) -> Result<Manifest, Fault> {
    let from = exported.manifest.clone();
    let archive = objects
        .iter()
        .find(|object| object.role == ObjectRole::Archive);
    let like = from.archive_facts(from.definitions_in());
    let own = archive.zip(like).map(|(object, like)| ArchiveFacts {
        name: draft.name.clone(),
        size_bytes: object.size_bytes,
        sha256: object.sha256,
        compression: like.compression,
        header_version: exported.header_version.clone(),
        rest: Some(rest),
        plain: object.plain,
    });
    let tables = from
        .tables
        .iter()
        .map(|table| moved(table, &draft.name, exported));
    let tables = tables.collect::<Result<Vec<_>, Fault>>()?;
    let mut large_objects = from.large_objects.clone();
    large_objects.archive = large_objects.archive.map(|_| draft.name.clone());
    let header = Header {
        kind: BackupKind::Full,
        label: draft.label,
        trigger: draft.trigger,
        run: run.id,
        sequence: draft.sequence,
        base: None,
        full: draft.name.clone(),
        full_reason: None,
        started_at: run.started_at,
        finished_at: Local::now().fixed_offset(),
        tools: respaldo_domain::manifest::Tools {
            respaldo: parts.settings.version.clone(),
            dumper: FROM_CHAIN.to_owned(),
            plugins: parts.settings.plugins.clone(),
            ..from.tools.clone()
        },
        objects,
        definitions: None,
        archives: own.into_iter().collect(),
        counts: Counts::of(&draft.name, &tables, &from.coverage),
        archive: draft.name,
        ..from.header
    };
    Ok(Manifest {
        header,
        contents: None,
        tables,
        large_objects,
        ..from
    })
}

fn moved(
    table: &TableEntry,
    name: &ArchiveName,
    exported: &ExportReport,
) -> Result<TableEntry, Fault> {
    let mut table = table.clone();
    let Some(data) = &mut table.data else {
        return Ok(table);
    };
    let report = exported
        .tables
        .get(&table.name)
        .and_then(|report| Some((report, report.sha256?)));
    let Some((report, sha256)) = report else {
        let what = format!("the joined archive holds no rows of {}", table.name);
        return Err(Fault::bare(FaultKind::Internal, what));
    };
    data.archive = name.clone();
    data.block = BlockRef {
        dump_id: report.info.dump_id,
        offset: report.info.offset,
        length: report.info.length,
        sha256: Sha256(sha256),
    };
    table.reason = Reason::Full;
    Ok(table)
}
