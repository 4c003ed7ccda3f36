//! Backups of the existing system become ours: each archive without a manifest is read to its end,
//! and a manifest is written beside it. The archives themselves are not touched.
//!
//! What that system's differentials and incrementals hold is rows of some tables, and no
//! definitions; so an adopted one takes its definitions from the full before it, and each table
//! from the newest archive that has it, as that system meant. What it missed is not there: every
//! adopted backup but a full is marked as not covered. Adopted backups belong to no known history
//! and are never the base of a new one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, FixedOffset, Local, TimeZone};
use respaldo_archive::{ArchiveError, ArchiveReader, BlockKind, Entry, Header, read_copy_lines};
use respaldo_domain::backup::{ArchiveName, BackupKind, Trigger};
use respaldo_domain::changes::Reason;
use respaldo_domain::coverage::{Coverage, Gap, GapKind};
use respaldo_domain::fingerprint::{self, RowFingerprint};
use respaldo_domain::manifest::{
    ADOPTED, ArchiveFacts, BlockRef, Compression, LargeObjects, Manifest, TableData, TableEntry,
    Tools,
};
use respaldo_domain::object::{ObjectRole, SealedObject, Sha256};
use respaldo_domain::source::{Lineage, SourceFacts};
use respaldo_domain::table::{Column, Oid, RelationKind, TableName};
use respaldo_postgres::{Session, SessionOptions, server};
use uuid::Uuid;

use crate::faults::step;
use crate::parts::Parts;
use crate::ports::{Context, Fault, FaultKind, ObjectReader};
use crate::rebuild;
use crate::store::Payload;

/// What was adopted and what was not.
#[derive(Debug, Default)]
pub struct AdoptReport {
    /// Archives that have a manifest now.
    pub adopted: Vec<ArchiveName>,
    /// Archives that cannot be adopted, with the reason. They stay as they are.
    pub refused: Vec<(ArchiveName, Fault)>,
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
    let source = live_source(parts)?;
    let mut report = AdoptReport::default();
    let mut archives = Vec::new();
    for name in unsealed(parts, cx)? {
        cx.check()?;
        match read_archive(parts, &name, cx) {
            Ok(archive) => archives.push(archive),
            Err(fault) if fault.kind.is_transient() => return Err(fault),
            Err(fault) => report.refused.push((name, fault)),
        }
    }
    archives.sort_by_key(|archive| archive.made_at);
    let mut full: Option<Manifest> = None;
    let mut newest: Option<Manifest> = None;
    for archive in archives {
        let name = archive.name.clone();
        let before = match archive.name.kind() {
            BackupKind::Full => None,
            BackupKind::Differential | BackupKind::Incremental => newest.clone(),
        };
        let Some(manifest) = manifest(
            archive,
            before.as_ref(),
            full.as_ref(),
            &source,
            &parts.settings.operational,
        ) else {
            let why = "rows without definitions, and there is no full before it";
            report
                .refused
                .push((name, Fault::bare(FaultKind::Invalid, why)));
            continue;
        };
        step("adopt.manifest")?;
        write(parts, &manifest, cx)?;
        report.adopted.push(name);
        if manifest.kind == BackupKind::Full {
            full = Some(manifest.clone());
        }
        newest = Some(manifest);
    }
    rebuild::reconcile(parts, cx)?;
    Ok(report)
}

/// The database as it is, with a history of its own that no live one equals.
fn live_source(parts: &Parts) -> Result<SourceFacts, Fault> {
    let mut session = Session::connect(&parts.source, &SessionOptions::default())?;
    let mut facts = server::source_facts(&mut session)?;
    facts.lineage = Lineage {
        system_identifier: 0,
        database_oid: Oid(0),
        timeline: 0,
        server_started_at: DateTime::UNIX_EPOCH.fixed_offset(),
        archiver_reset_at: None,
        bgwriter_reset_at: None,
    };
    Ok(facts)
}

/// Archives in their proper places that no manifest seals.
fn unsealed(parts: &Parts, cx: &Context) -> Result<Vec<ArchiveName>, Fault> {
    let sealed: BTreeSet<ArchiveName> = parts.store.sealed(cx)?.into_iter().collect();
    let mut found = BTreeSet::new();
    for entry in parts.store.sinks() {
        for kind in [
            BackupKind::Full,
            BackupKind::Differential,
            BackupKind::Incremental,
        ] {
            for object in entry.sink.list(&format!("{}/", kind.folder()), cx)? {
                let name = object.key.file_name().parse::<ArchiveName>().ok();
                found.extend(name.filter(|name| name.key() == object.key));
            }
        }
    }
    Ok(found
        .into_iter()
        .filter(|name| !sealed.contains(name))
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
            read_copy_lines(text, |row| print.add(row)).map_err(corrupt)?;
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
    Some(Manifest {
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
        },
        objects: vec![SealedObject {
            role: ObjectRole::Archive,
            key: name.key(),
            size_bytes: archive.facts.size_bytes,
            sha256: archive.facts.sha256,
        }],
        definitions: root.map(|root| root.archive.clone()),
        contents: None,
        archives: older.chain([archive.facts.clone()]).collect(),
        tables,
        large_objects,
        excluded: Vec::new(),
        coverage: coverage(kind, operational),
        schemas: vec!["public".to_owned()],
        roles: archive.roles.into_iter().collect(),
        archive: name,
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
