//! A full and an incremental upon it, with real archives, in a sink that can be tampered with.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::sync::Arc;

use chrono::DateTime;
use respaldo_archive::{
    ArchiveWriter, BlockReport, Compression as Coding, EncodeOptions, Entry, Finished, Header,
    Offset, Section, Toc, Version,
};
use respaldo_domain::backup::{ArchiveName, BackupKind, Trigger};
use respaldo_domain::changes::Reason;
use respaldo_domain::coverage::Coverage;
use respaldo_domain::fingerprint::{ALGORITHM, RowFingerprint};
use respaldo_domain::manifest::{
    ArchiveFacts, BlockRef, Compression, Counts, LargeObjects, Manifest, TableData, TableEntry,
    Tools,
};
use respaldo_domain::object::{ObjectRole, SealedObject, Sha256};
use respaldo_domain::readings::Readings;
use respaldo_domain::source::{DatabaseProperties, Lineage, SourceFacts};
use respaldo_domain::table::{Column, Oid, RelationKind, TableName};
use respaldo_domain::validation::{Finding, ValidationLevel};
use respaldo_engine::ports::{
    Codec, Context, Fault, FaultKind, Inside, ObjectReader, ValidationRequest, Verified,
};
use respaldo_engine::store::{Payload, Store, StoreSink};
use respaldo_sinks::memory::MemorySink;

/// Dump id of the large objects.
const LARGE_OBJECTS: i32 = 90;

/// A repository of two sealed sets.
pub struct Repository {
    pub sink: Arc<MemorySink>,
    pub store: Store,
    pub full: Manifest,
    pub incremental: Manifest,
    pub codec: Arc<dyn Codec>,
}

/// An archive with what its manifest says of it.
struct Made {
    bytes: Vec<u8>,
    facts: ArchiveFacts,
    blocks: BTreeMap<i32, (TableData, u64)>,
}

impl Repository {
    pub fn new(compression: Compression) -> Self {
        let full_name: ArchiveName = "full_20260101_000000_aaaa.backup".parse().unwrap();
        let inc_name: ArchiveName = "inc_20260102_000000_bbbb.backup".parse().unwrap();
        let full_made = make(&full_name, compression, &[(1, 'a'), (2, 'b')], true);
        let inc_made = make(&inc_name, compression, &[(2, 'c')], false);
        let full = manifest(&full_name, None, &[&full_made], &full_made);
        let incremental = manifest(
            &inc_name,
            Some(&full_name),
            &[&full_made, &inc_made],
            &inc_made,
        );
        let codec = Arc::new(Known(vec![full.clone(), incremental.clone()]));
        let sink = Arc::new(MemorySink::new("memory"));
        let store = Store::new(vec![StoreSink {
            sink: sink.clone(),
            required: true,
        }]);
        let repository = Self {
            sink,
            store,
            full,
            incremental,
            codec,
        };
        repository.put(&repository.full, full_made.bytes);
        repository.put(&repository.incremental, inc_made.bytes);
        repository
    }

    fn put(&self, manifest: &Manifest, archive: Vec<u8>) {
        let (name, cx) = (&manifest.archive, Context::quiet());
        let encoded = self.codec.encode_manifest(manifest).unwrap();
        let mut set = self.store.begin_set();
        set.put(&name.key(), &Payload::bytes(archive), &cx).unwrap();
        set.put(&name.stats_key(), &Payload::bytes(stats(name)), &cx)
            .unwrap();
        set.put(&name.manifest_key(), &Payload::bytes(encoded), &cx)
            .unwrap();
    }

    /// What the validator of a level finds in the incremental.
    pub fn find(&self, level: ValidationLevel) -> Vec<Finding> {
        self.find_with(level, &self.incremental, &self.store, &Context::quiet())
            .unwrap()
    }

    pub fn find_with(
        &self,
        level: ValidationLevel,
        manifest: &Manifest,
        objects: &dyn ObjectReader,
        cx: &Context,
    ) -> Result<Vec<Finding>, Fault> {
        self.find_again(level, manifest, objects, &Verified::default(), cx)
    }

    /// The same in a look at several backups.
    pub fn find_again(
        &self,
        level: ValidationLevel,
        manifest: &Manifest,
        objects: &dyn ObjectReader,
        verified: &Verified,
        cx: &Context,
    ) -> Result<Vec<Finding>, Fault> {
        let validators = respaldo_validators::NAMES
            .iter()
            .map(|name| respaldo_validators::by_name(name, &self.codec));
        let validator = validators
            .flatten()
            .find(|validator| validator.level() == level)
            .unwrap();
        let request = ValidationRequest {
            header: manifest,
            objects,
            inside: Some(Inside { manifest, objects }),
            scratch_server: None,
            verified,
        };
        validator.validate(&request, cx)
    }
}

/// Readings of the same length for both sets.
fn stats(name: &ArchiveName) -> Vec<u8> {
    format!("{{\"kind\":\"{:04}\"}}", name.kind().prefix()).into_bytes()
}

fn rows(letter: char) -> impl Iterator<Item = String> {
    (0..3000_u64).map(move |n| format!("{n}\t{letter}{}", n.wrapping_mul(2_654_435_761)))
}

fn coding(compression: Compression) -> Coding {
    match compression {
        Compression::None => Coding::None,
        _ => Coding::Gzip(-1),
    }
}

fn make(
    name: &ArchiveName,
    compression: Compression,
    tables: &[(i32, char)],
    large_objects: bool,
) -> Made {
    let mut entries: Vec<Entry> = tables
        .iter()
        .map(|(dump_id, _)| entry(*dump_id, "TABLE DATA"))
        .collect();
    if large_objects {
        entries.push(entry(LARGE_OBJECTS, "BLOBS"));
    }
    let toc = Toc {
        header: header(coding(compression)),
        entries,
    };
    let options = EncodeOptions {
        level: None,
        threads: 0,
    };
    let mut writer = ArchiveWriter::create(Cursor::new(Vec::new()), toc, options).unwrap();
    let mut prints = BTreeMap::new();
    for &(dump_id, letter) in tables {
        let mut print = RowFingerprint::default();
        let mut data = writer.begin_data(dump_id).unwrap();
        for row in rows(letter) {
            print.add(row.as_bytes());
            writeln!(data, "{row}").unwrap();
        }
        data.write_all(b"\\.\n\n\n").unwrap();
        data.finish().unwrap();
        prints.insert(dump_id, print);
    }
    if large_objects {
        write_large_objects(&mut writer);
    }
    finish(name, compression, writer.finish().unwrap(), &prints)
}

fn write_large_objects(writer: &mut ArchiveWriter<Cursor<Vec<u8>>>) {
    let mut blobs = writer.begin_blobs(LARGE_OBJECTS).unwrap();
    for (oid, size) in [(5001, 10_000), (5002, 0)] {
        let mut blob = blobs.begin_blob(oid).unwrap();
        let bytes: Vec<u8> = (0..size)
            .map(|n: u32| (n.wrapping_mul(n) >> 3) as u8)
            .collect();
        blob.write_all(&bytes).unwrap();
        blob.finish().unwrap();
    }
    blobs.finish().unwrap();
}

fn finish(
    name: &ArchiveName,
    compression: Compression,
    finished: Finished<Cursor<Vec<u8>>>,
    prints: &BTreeMap<i32, RowFingerprint>,
) -> Made {
    let bytes = finished.out.into_inner();
    let facts = ArchiveFacts {
        name: name.clone(),
        size_bytes: bytes.len() as u64,
        sha256: Payload::bytes(bytes.clone())
            .sha256(&Context::quiet())
            .unwrap(),
        compression,
        header_version: "1.14.0".to_owned(),
        rest: None,
        plain: None,
    };
    let data = |report: &BlockReport| {
        let dump_id = report.info.dump_id;
        let data = TableData {
            archive: name.clone(),
            block: BlockRef {
                dump_id,
                offset: report.info.offset,
                length: report.info.length,
                sha256: Sha256(report.sha256.unwrap()),
            },
            plain_bytes: report.plain_bytes.unwrap(),
            fingerprint: prints.get(&dump_id).copied().unwrap_or_default(),
        };
        (dump_id, (data, report.info.offset))
    };
    let blocks = finished.blocks.iter().map(data).collect();
    Made {
        bytes,
        facts,
        blocks,
    }
}

fn header(compression: Coding) -> Header {
    Header {
        version: Version::V1_14,
        int_size: 4,
        offset_size: 8,
        format: 1,
        compression,
        created: [0, 0, 0, 1, 0, 126, 0],
        database: Some("tienda".into()),
        server_version: Some("15.4".into()),
        dump_version: Some("15.4".into()),
    }
}

fn entry(dump_id: i32, desc: &str) -> Entry {
    Entry {
        dump_id,
        had_dumper: true,
        table_oid: 0,
        oid: 16_000 + dump_id as u32,
        tag: format!("t{dump_id}").into(),
        desc: desc.into(),
        section: Section::Data,
        defn: Some("".into()),
        drop_stmt: Some("".into()),
        copy_stmt: Some(format!("COPY public.t{dump_id} (id, word) FROM stdin;\n").into()),
        namespace: Some("public".into()),
        tablespace: None,
        table_am: None,
        relkind: None,
        owner: Some("tienda".into()),
        with_oids: Some("false".into()),
        dependencies: Vec::new(),
        offset: Offset::NotSet,
    }
}

fn manifest(
    name: &ArchiveName,
    base: Option<&ArchiveName>,
    archives: &[&Made],
    own: &Made,
) -> Manifest {
    let at = DateTime::parse_from_rfc3339("2026-01-02T00:00:00+00:00").unwrap();
    let first = archives[0];
    let newest = |dump_id: i32| {
        archives
            .iter()
            .rev()
            .find_map(|made| made.blocks.get(&dump_id))
            .unwrap()
            .0
            .clone()
    };
    Manifest {
        header: respaldo_domain::manifest::Header {
            archive: name.clone(),
            kind: name.kind(),
            label: None,
            trigger: Trigger::Schedule,
            run: uuid::Uuid::nil(),
            sequence: archives.len() as u64,
            base: base.cloned(),
            full: first.facts.name.clone(),
            full_reason: None,
            started_at: at,
            finished_at: at,
            snapshot_at: at,
            lsn_start: None,
            lsn_end: None,
            source: source(),
            tools: Tools {
                respaldo: "0.1.0".to_owned(),
                dumper: "pg-dump".to_owned(),
                pg_dump: "15.4".to_owned(),
                detector: "pg-stat".to_owned(),
                fingerprint: ALGORITHM.to_owned(),
                plugins: Vec::new(),
            },
            definitions: None,
            objects: vec![
                sealed(ObjectRole::Archive, name.key(), &own.bytes),
                sealed(ObjectRole::Stats, name.stats_key(), &stats(name)),
            ],
            archives: archives.iter().map(|made| made.facts.clone()).collect(),
            excluded: Vec::new(),
            counts: Counts::default(),
        },
        contents: None,
        tables: vec![table(1, newest(1)), table(2, newest(2))],
        large_objects: LargeObjects {
            count: 2,
            reason: Reason::Full,
            archive: Some(first.facts.name.clone()),
            fingerprint: None,
        },
        coverage: Coverage::default(),
        roles: Vec::new(),
        schemas: vec!["public".to_owned()],
    }
    .counted()
}

fn sealed(role: ObjectRole, key: respaldo_domain::object::ObjectKey, bytes: &[u8]) -> SealedObject {
    let payload = Payload::bytes(bytes.to_vec());
    SealedObject {
        role,
        key,
        size_bytes: payload.size_bytes(),
        sha256: payload.sha256(&Context::quiet()).unwrap(),
        plain: None,
    }
}

fn table(dump_id: i32, data: TableData) -> TableEntry {
    let column = |name: &str, sql_type: &str| Column {
        name: name.to_owned(),
        sql_type: sql_type.to_owned(),
    };
    TableEntry {
        oid: Oid(16_000 + dump_id as u32),
        name: TableName::new("public", format!("t{dump_id}")),
        kind: RelationKind::Table,
        columns: [column("id", "integer"), column("word", "text")].into(),
        load_via: None,
        reason: Reason::Full,
        data: Some(data),
    }
}

fn source() -> SourceFacts {
    let at = DateTime::parse_from_rfc3339("2026-01-01T00:00:00+00:00").unwrap();
    SourceFacts {
        database: "tienda".to_owned(),
        server_version_num: 150_004,
        lineage: Lineage {
            system_identifier: 7,
            database_oid: Oid(16_384),
            timeline: 1,
            server_started_at: at,
            archiver_reset_at: None,
            bgwriter_reset_at: None,
        },
        in_recovery: false,
        role: "respaldo".to_owned(),
        superuser: false,
        reads_all_stats: true,
        properties: DatabaseProperties::default(),
    }
}

/// Spells manifests as text, and reads back those it knows.
struct Known(Vec<Manifest>);

impl Codec for Known {
    fn encode_manifest(&self, manifest: &Manifest) -> Result<Vec<u8>, Fault> {
        Ok(format!("{manifest:?}").into_bytes())
    }

    fn decode_manifest(&self, bytes: &[u8]) -> Result<Manifest, Fault> {
        let spelled = |manifest: &&Manifest| format!("{manifest:?}").as_bytes() == bytes;
        let known = self.0.iter().find(spelled).cloned();
        known.ok_or_else(|| Fault::bare(FaultKind::Corrupt, "no manifest"))
    }

    fn encode_header(&self, _: &respaldo_domain::manifest::Header) -> Result<Vec<u8>, Fault> {
        Err(Fault::bare(FaultKind::Invalid, "not needed here"))
    }

    fn decode_header(&self, bytes: &[u8]) -> Result<respaldo_domain::manifest::Header, Fault> {
        Ok(self.decode_manifest(bytes)?.header)
    }

    fn encode_readings(&self, _: &Readings) -> Result<Vec<u8>, Fault> {
        Err(Fault::bare(FaultKind::Invalid, "not needed here"))
    }

    fn decode_readings(&self, _: &[u8]) -> Result<Readings, Fault> {
        Err(Fault::bare(FaultKind::Invalid, "not needed here"))
    }

    fn decode_figures(&self, _: &[u8]) -> Result<BTreeMap<String, serde_json::Value>, Fault> {
        Err(Fault::bare(FaultKind::Invalid, "not needed here"))
    }

    fn kind_label(&self, kind: BackupKind) -> String {
        format!("{kind:?}")
    }
}
