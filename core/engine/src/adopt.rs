//! Backups of the existing system become ours: each archive without a manifest is read to its end,
//! and a manifest is written beside it. The archives themselves are not touched.
//!
//! What that system's differentials and incrementals hold is rows of some tables, and no
//! definitions; so an adopted one takes its definitions from the full before it, and each table
//! from the newest archive that has it, as that system meant. What it missed is not there: every
//! adopted backup but a full is marked as not covered. Adopted backups belong to no known history
//! and are never the base of a new one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use chrono::{DateTime, FixedOffset, Local, TimeZone, Utc};
use respaldo_archive::{ArchiveError, ArchiveReader, BlockKind, Entry, Header};
use respaldo_domain::backup::{ArchiveName, BackupKind, Trigger};
use respaldo_domain::changes::Reason;
use respaldo_domain::coverage::{Coverage, Gap, GapKind};
use respaldo_domain::fingerprint::{self, RowFingerprint};
use respaldo_domain::manifest::{
    ADOPTED, ArchiveFacts, BlockRef, Compression, Counts, FALLBACK, LargeObjects, Manifest,
    TableData, TableEntry, Tools,
};
use respaldo_domain::object::{ObjectRole, SealedObject, Sha256};
use respaldo_domain::source::{Lineage, SourceFacts};
use respaldo_domain::table::{Column, Oid, RelationKind, TableName};
use respaldo_postgres::{Session, SessionOptions, server};
use uuid::Uuid;

use crate::faults::step;
use crate::history::{History, all_headers};
use crate::intent::{OpenIntent, WorkDir};
use crate::lease::maintenance;
use crate::parts::Parts;
use crate::ports::{Context, Fault, FaultKind, ObjectReader};
use crate::rebuild;
use crate::remove::sweep_dead;
use crate::row_parts::fingerprint_of_text;
use crate::store::Payload;

/// What was adopted and what was not.
#[derive(Debug, Default)]
pub struct AdoptReport {
    /// Archives that have a manifest now.
    pub adopted: Vec<ArchiveName>,
    /// Archives that cannot be adopted, with the reason. They stay as they are.
    pub refused: Vec<(ArchiveName, Fault)>,
}

/// A whole dump that the legacy service made.
#[derive(Debug, Clone)]
pub struct WholeDump {
    /// The file, which stays as it is.
    pub path: PathBuf,
    /// When it was begun.
    pub made_at: DateTime<Utc>,
}

/// An archive of the existing system, read to its end.
struct OldArchive {
    name: ArchiveName,
    made_at: DateTime<FixedOffset>,
    facts: ArchiveFacts,
    has_definitions: bool,
    large_objects: u64,
    tables: Vec<TableEntry>,
    roles: BTreeSet<String>,
    header: Header,
}

/// Adopts every archive of the repository that no manifest seals.
pub fn adopt(parts: &Parts, cx: &Context) -> Result<AdoptReport, Fault> {
    // An archive without a manifest may be that of a run at work.
    let _lease = maintenance(parts)?;
    let source = live_source(parts)?;
    let work = WorkDir::open(&parts.settings.work_dir)?;
    sweep_dead(parts, &work, &source.lineage, cx)?;
    adopt_unsealed(parts, source, None, cx)
}

/// Adopts what was made while the engine was down: the newest whole dump, and with it what the existing
/// system left in the repository. Nothing where a backup is newer than all dumps; so it is
/// harmless to be called again.
///
/// The dump stays where it is and is copied: its own service may remove it any day, and the copy
/// may have a place in every sink. It grows old as a full of ours does.
pub fn adopt_after_fallback(
    parts: &Parts,
    dumps: &[WholeDump],
    cx: &Context,
) -> Result<AdoptReport, Fault> {
    let work = WorkDir::open(&parts.settings.work_dir)?;
    let Some(dump) = newest_unknown(parts, dumps, &work, cx)? else {
        return Ok(AdoptReport::default());
    };
    let _lease = maintenance(parts)?;
    let source = live_source(parts)?;
    sweep_dead(parts, &work, &source.lineage, cx)?;
    let (name, intent) = bring(parts, dump, &work, &source.lineage, cx)?;
    let report = adopt_unsealed(parts, source, Some(&name), cx);
    match &report {
        Ok(done) if done.adopted.contains(&name) => intent.close()?,
        _ => work.undo(&name, &parts.store, cx)?,
    }
    report
}

/// The newest dump, if no sealed backup is newer. Where backups are encrypted none is taken over: its
/// rows would lie in every sink as they are.
fn newest_unknown<'a>(
    parts: &Parts,
    dumps: &'a [WholeDump],
    work: &WorkDir,
    cx: &Context,
) -> Result<Option<&'a WholeDump>, Fault> {
    let Some(dump) = dumps.iter().max_by_key(|dump| dump.made_at) else {
        return Ok(None);
    };
    if parts.store.vault().encrypts() {
        tracing::warn!(
            dump = %dump.path.display(),
            "backups are encrypted and this dump of the legacy service is not: it stays where it is"
        );
        return Ok(None);
    }
    let history = History::load(&parts.store, &*parts.codec, work, cx)?;
    let newest = history.candidates.iter().map(|known| known.snapshot_at);
    let is_newer = newest.max().is_none_or(|known| dump.made_at > known);
    Ok(is_newer.then_some(dump))
}

/// Puts a copy of a dump in the place of a full. Until it is sealed an intent names it.
fn bring(
    parts: &Parts,
    dump: &WholeDump,
    work: &WorkDir,
    lineage: &Lineage,
    cx: &Context,
) -> Result<(ArchiveName, OpenIntent), Fault> {
    step("adopt.bring")?;
    let hashed = Payload::file(&dump.path)?.sha256(cx)?;
    // The same dump has the same name, whoever brings it.
    let suffix = u16::from_be_bytes([hashed.0[0], hashed.0[1]]);
    let made_at = dump.made_at.with_timezone(&Local).fixed_offset();
    let name = ArchiveName::new(BackupKind::Full, made_at, suffix);
    let intent = work.intend(&name, lineage)?;
    let spool = work.spool(&name);
    std::fs::copy(&dump.path, &spool)
        .map_err(|e| Fault::io(format!("copying {}", dump.path.display()), e))?;
    let copied = Payload::file(&spool)
        .and_then(|payload| parts.store.put_everywhere(&name.key(), &payload, cx));
    match copied {
        Ok(_) => Ok((name, intent)),
        Err(fault) => {
            work.undo(&name, &parts.store, cx)?;
            Err(fault)
        }
    }
}

/// Reads what no manifest seals and seals it, in the order in which it was made.
fn adopt_unsealed(
    parts: &Parts,
    mut source: SourceFacts,
    brought: Option<&ArchiveName>,
    cx: &Context,
) -> Result<AdoptReport, Fault> {
    source.lineage = no_lineage();
    let mut report = AdoptReport::default();
    let mut known = adopted_before(parts, cx)?;
    for archive in unsealed_archives(parts, &mut report, cx)? {
        let name = archive.name.clone();
        let (before, full) = what_it_follows(&known, &archive);
        let operational = &parts.settings.operational;
        let Some(mut manifest) = manifest(archive, before, full, &source, operational) else {
            let why = "rows without definitions, and there is no full before it";
            let fault = Fault::bare(FaultKind::Invalid, why);
            report.refused.push((name, fault));
            continue;
        };
        if brought == Some(&name) {
            manifest.header.label = Some(FALLBACK.to_owned());
            // Unlike the existing system's it leaves nothing out.
            manifest.coverage = Coverage { gaps: Vec::new() };
            manifest = manifest.counted();
        }
        step("adopt.manifest")?;
        write(parts, &manifest, cx)?;
        report.adopted.push(name);
        known.push(manifest);
    }
    rebuild::reconcile(parts, cx)?;
    Ok(report)
}

/// What was adopted earlier: newer archives of that system build on it.
fn adopted_before(parts: &Parts, cx: &Context) -> Result<Vec<Manifest>, Fault> {
    let all = all_headers(&parts.store, &*parts.codec, cx)?.into_iter();
    let readable = all.filter_map(|(name, header)| Some((name, header.ok()?)));
    let of_that_system =
        readable.filter(|(_, header)| header.is_adopted() && !header.is_of_fallback());
    let manifest = |(name, _)| parts.store.manifest(&name, &*parts.codec, cx);
    of_that_system.map(manifest).collect()
}

/// The newest adopted backup that is older, and the full at its root; nothing for a full.
fn what_it_follows<'a>(
    known: &'a [Manifest],
    archive: &OldArchive,
) -> (Option<&'a Manifest>, Option<&'a Manifest>) {
    if archive.name.kind() == BackupKind::Full {
        return (None, None);
    }
    let older = known
        .iter()
        .filter(|manifest| manifest.snapshot_at <= archive.made_at && !manifest.is_of_fallback());
    let before = older.max_by_key(|manifest| manifest.snapshot_at);
    let full = before.and_then(|before| {
        let mut all = known.iter();
        all.find(|manifest| manifest.archive == before.full)
    });
    (before, full)
}

/// The archives that no manifest seals, oldest first; what cannot be read goes to the report.
fn unsealed_archives(
    parts: &Parts,
    report: &mut AdoptReport,
    cx: &Context,
) -> Result<Vec<OldArchive>, Fault> {
    let mut archives = Vec::new();
    for name in unsealed(parts, cx)? {
        cx.check()?;
        match read_archive(parts, &name, cx) {
            Ok(archive) => archives.push(archive),
            Err(fault) if fault.kind.is_transient() => return Err(fault),
            Err(fault) => report.refused.push((name, fault)),
        }
    }
    // A full comes before what was made in the same second.
    archives.sort_by_key(|archive| (archive.made_at, archive.name.kind() != BackupKind::Full));
    Ok(archives)
}

/// The database as it is.
fn live_source(parts: &Parts) -> Result<SourceFacts, Fault> {
    let mut session = Session::connect(&parts.source, &SessionOptions::default())?;
    Ok(server::source_facts(&mut session)?)
}

/// A history of its own that no live one equals.
fn no_lineage() -> Lineage {
    Lineage {
        system_identifier: 0,
        database_oid: Oid(0),
        timeline: 0,
        server_started_at: DateTime::UNIX_EPOCH.fixed_offset(),
        archiver_reset_at: None,
        bgwriter_reset_at: None,
    }
}

/// Archives in their proper places that no manifest seals.
fn unsealed(parts: &Parts, cx: &Context) -> Result<Vec<ArchiveName>, Fault> {
    let sealed: BTreeSet<ArchiveName> = parts.store.sealed(cx)?.into_iter().collect();
    let archives = parts.store.archives(cx)?;
    let unsealed = archives.difference(&sealed);
    // That system encrypts nothing.
    Ok(unsealed
        .filter(|name| !name.is_encrypted())
        .cloned()
        .collect())
}

fn read_archive(parts: &Parts, name: &ArchiveName, cx: &Context) -> Result<OldArchive, Fault> {
    step("adopt.read")?;
    let (sha256, size_bytes) = parts.store.hash(&name.key(), cx)?;
    let corrupt = |e: ArchiveError| Fault::new(FaultKind::Corrupt, format!("reading {name}"), e);
    let stream = parts.store.open(&name.key(), None, cx)?;
    let mut reader = ArchiveReader::new(stream).map_err(corrupt)?.with_hashes();
    let toc = reader.toc().clone();
    let entries: BTreeMap<i32, &Entry> = toc
        .table_data()
        .map(|entry| (entry.dump_id, entry))
        .collect();
    let mut tables = Vec::new();
    while let Some(mut block) = reader.next_block().map_err(corrupt)? {
        cx.check()?;
        let entry = entries.get(&block.dump_id()).copied();
        let mut print = RowFingerprint::default();
        if block.kind() == BlockKind::Data {
            let text = block.decoded().map_err(corrupt)?;
            print = fingerprint_of_text(text).map_err(corrupt)?;
        }
        let done = block.finish().map_err(corrupt)?;
        let hashed = done.sha256.zip(entry);
        if let Some((sha256, entry)) = hashed {
            let block = BlockRef {
                dump_id: done.info.dump_id,
                offset: done.info.offset,
                length: done.info.length,
                sha256: Sha256(sha256),
            };
            let plain_bytes = done.plain_bytes.unwrap_or_default();
            let data = TableData {
                archive: name.clone(),
                block,
                plain_bytes,
                fingerprint: print,
            };
            tables.push(table(entry, data)?);
        }
    }
    let facts = ArchiveFacts {
        name: name.clone(),
        size_bytes,
        sha256,
        compression: compression(&toc.header),
        header_version: toc.header.version.to_string(),
        rest: None,
        plain: None,
    };
    Ok(OldArchive {
        name: name.clone(),
        made_at: made_at(&toc.header, name)?,
        facts,
        has_definitions: toc.entries.iter().any(|entry| entry.is("TABLE")),
        large_objects: toc
            .entries
            .iter()
            .filter(|e| e.is("BLOB") || e.is("BLOB METADATA"))
            .count() as u64,
        tables,
        roles: toc
            .entries
            .iter()
            .filter_map(|entry| entry.owner.as_ref()?.as_str())
            .filter(|owner| !owner.is_empty() && !owner.starts_with("pg_"))
            .map(str::to_owned)
            .collect(),
        header: toc.header.clone(),
    })
}

/// Types are not in a COPY statement; a copy beside the live tables shows the columns as text.
fn table(entry: &Entry, data: TableData) -> Result<TableEntry, Fault> {
    let unreadable = || {
        let what = format!(
            "entry {} of {} is not understood",
            entry.dump_id, data.archive
        );
        Fault::bare(FaultKind::Corrupt, what)
    };
    let text = |text: &Option<respaldo_archive::Text>| {
        text.as_ref()
            .and_then(|text| text.as_str())
            .map(str::to_owned)
    };
    let schema = text(&entry.namespace).ok_or_else(unreadable)?;
    let name = entry.tag.as_str().ok_or_else(unreadable)?;
    let columns = entry.copy_columns().ok_or_else(unreadable)?;
    let column = |name| Column {
        name,
        sql_type: "text".to_owned(),
    };
    Ok(TableEntry {
        oid: Oid(entry.oid),
        name: TableName::new(schema, name),
        kind: RelationKind::Table,
        columns: columns.into_iter().map(column).collect(),
        load_via: None,
        reason: Reason::Other("adopted".to_owned()),
        data: Some(data),
    })
}

fn compression(header: &Header) -> Compression {
    match header.compression {
        respaldo_archive::Compression::None => Compression::None,
        respaldo_archive::Compression::Gzip(_) => Compression::Gzip,
        respaldo_archive::Compression::Lz4 => Compression::Lz4,
        respaldo_archive::Compression::Zstd => Compression::Zstd,
    }
}

/// When pg_dump began, by the clock of the machine that ran it.
fn made_at(header: &Header, name: &ArchiveName) -> Result<DateTime<FixedOffset>, Fault> {
    let [second, minute, hour, day, month, year, _] = header.created;
    let whole = |n: i32| u32::try_from(n).unwrap_or(u32::MAX);
    chrono::NaiveDate::from_ymd_opt(year + 1900, whole(month + 1), whole(day))
        .and_then(|date| date.and_hms_opt(whole(hour), whole(minute), whole(second)))
        .and_then(|naive| Local.from_local_datetime(&naive).earliest())
        .map(|time| time.fixed_offset())
        .ok_or_else(|| Fault::bare(FaultKind::Corrupt, format!("{name} has no date")))
}

/// `None` where there are no definitions to go with the rows.
fn manifest(
    archive: OldArchive,
    before: Option<&Manifest>,
    full: Option<&Manifest>,
    source: &SourceFacts,
    operational: &[TableName],
) -> Option<Manifest> {
    let kind = archive.name.kind();
    if kind == BackupKind::Full && !archive.has_definitions {
        return None;
    }
    let base = if kind == BackupKind::Full {
        None
    } else {
        Some(before?)
    };
    let root = if kind == BackupKind::Full {
        None
    } else {
        Some(full?)
    };
    let tables = merge(base, &archive);
    let name = archive.name.clone();
    let large_objects = match base {
        Some(base) => base.large_objects.clone(),
        None => LargeObjects {
            count: archive.large_objects,
            reason: Reason::Other("adopted".to_owned()),
            archive: (archive.large_objects > 0).then(|| name.clone()),
            fingerprint: None,
        },
    };
    let held = |facts: &&ArchiveFacts| {
        root.is_some_and(|root| facts.name == root.archive)
            || tables.iter().any(|table| table.holds_data_in(&facts.name))
    };
    let older = base
        .iter()
        .flat_map(|base| &base.archives)
        .filter(held)
        .cloned();
    let text = |text: &Option<respaldo_archive::Text>| {
        text.as_ref().map(ToString::to_string).unwrap_or_default()
    };
    let coverage = coverage(kind, operational);
    let header = respaldo_domain::manifest::Header {
        kind,
        label: None,
        trigger: Trigger::Operator,
        run: Uuid::new_v4(),
        sequence: 0,
        base: base.map(|base| base.archive.clone()),
        full: root.map_or_else(|| name.clone(), |root| root.archive.clone()),
        full_reason: None,
        started_at: archive.made_at,
        finished_at: archive.made_at,
        snapshot_at: archive.made_at,
        lsn_start: None,
        lsn_end: None,
        source: source.clone(),
        tools: Tools {
            respaldo: "adopted".to_owned(),
            dumper: ADOPTED.to_owned(),
            pg_dump: text(&archive.header.dump_version),
            detector: "adopted".to_owned(),
            fingerprint: fingerprint::ALGORITHM.to_owned(),
            plugins: Vec::new(),
        },
        objects: vec![SealedObject {
            role: ObjectRole::Archive,
            key: name.key(),
            size_bytes: archive.facts.size_bytes,
            sha256: archive.facts.sha256,
            plain: None,
        }],
        definitions: root.map(|root| root.archive.clone()),
        archives: older.chain([archive.facts.clone()]).collect(),
        excluded: Vec::new(),
        counts: Counts::of(&name, &tables, &coverage),
        archive: name,
    };
    Some(Manifest {
        header,
        contents: None,
        tables,
        large_objects,
        coverage,
        schemas: vec!["public".to_owned()],
        roles: archive.roles.into_iter().collect(),
    })
}

/// Each table from the newest archive that has it. Rows of tables the full does not define cannot
/// be restored.
fn merge(base: Option<&Manifest>, archive: &OldArchive) -> Vec<TableEntry> {
    let Some(base) = base else {
        return archive.tables.clone();
    };
    let newest = |entry: &TableEntry| {
        let own = archive.tables.iter().find(|table| table.name == entry.name);
        own.unwrap_or(entry).clone()
    };
    base.tables.iter().map(newest).collect()
}

/// What the existing system's backups do not hold: all but the fulls have no definitions, and the
/// fulls leave out the table of backups, to which other objects refer.
fn coverage(kind: BackupKind, operational: &[TableName]) -> Coverage {
    let gap = |object: String, remedy: &str| Gap {
        object,
        kind: GapKind::Definition,
        remedy: remedy.to_owned(),
    };
    let gaps = match kind {
        BackupKind::Full => operational
            .first()
            .map(|table| {
                gap(
                    table.to_string(),
                    "-- made again by respaldo in the database it backs up",
                )
            })
            .into_iter()
            .collect(),
        BackupKind::Differential | BackupKind::Incremental => {
            vec![gap(
                "*".to_owned(),
                "-- make a full backup: this one has no definitions of its own",
            )]
        }
    };
    Coverage { gaps }
}

/// The manifest goes to the sinks that hold the archive.
fn write(parts: &Parts, manifest: &Manifest, cx: &Context) -> Result<(), Fault> {
    let bytes = parts.codec.encode_manifest(manifest)?;
    for entry in parts.store.sinks() {
        if entry.sink.head(&manifest.archive.key(), cx).is_err() {
            continue;
        }
        if let Some(only) = parts.store.only(entry.sink.name()) {
            let payload = Payload::bytes(bytes.clone());
            only.put_everywhere(&manifest.archive.manifest_key(), &payload, cx)?;
        }
    }
    Ok(())
}
