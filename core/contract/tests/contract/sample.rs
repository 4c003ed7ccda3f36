//! A manifest with everything in it.

use chrono::{DateTime, FixedOffset};
use respaldo_domain::backup::{ArchiveName, BackupKind, Trigger};
use respaldo_domain::base::FullReason;
use respaldo_domain::changes::Reason;
use respaldo_domain::coverage::{Coverage, Gap, GapKind};
use respaldo_domain::fingerprint::RowFingerprint;
use respaldo_domain::manifest::{
    ArchiveFacts, BlockRef, Compression, Counts, Header, LargeObjects, Manifest, TableData,
    TableEntry, Tools,
};
use respaldo_domain::object::{ObjectRole, SealedObject, Sha256};
use respaldo_domain::source::{DatabaseProperties, Lineage, SourceFacts};
use respaldo_domain::table::{Column, Oid, RelationKind, TableName};

pub const FULL: &str = "full_20261101_000000_0a1b.backup";
pub const INC: &str = "inc_20261124_230000_7f3a.backup";

pub fn at(text: &str) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(text).unwrap()
}

pub fn name(text: &str) -> ArchiveName {
    text.parse().unwrap()
}

pub fn column(name: &str, sql_type: &str) -> Column {
    Column {
        name: name.into(),
        sql_type: sql_type.into(),
    }
}

pub fn manifest() -> Manifest {
    Manifest {
        header: Header {
            archive: name(INC),
            kind: BackupKind::Incremental,
            label: Some("antes de la migración «3»".into()),
            trigger: Trigger::Schedule,
            run: "0b3e4a7c-6f0e-4f7e-9a53-0e2f5f1d9c11".parse().unwrap(),
            sequence: 24,
            base: Some(name(FULL)),
            full: name(FULL),
            full_reason: None,
            started_at: at("2026-11-24T23:00:00-03:00"),
            finished_at: at("2026-11-24T23:00:04.25-03:00"),
            snapshot_at: at("2026-11-25T02:00:00.123456+00:00"),
            lsn_start: Some("0/1A2B3C4D".into()),
            lsn_end: Some("0/1A2B4000".into()),
            source: source(),
            tools: tools(),
            definitions: None,
            objects: objects(),
            archives: vec![archive(FULL, 90_000, 1), archive(INC, 4_321, 2)],
            excluded: vec!["public.scratch".into()],
            counts: Counts::default(),
        },
        contents: None,
        tables: tables(),
        large_objects: LargeObjects {
            count: 2,
            reason: Reason::ContentEqual,
            archive: Some(name(FULL)),
            fingerprint: Some("c0ffee".into()),
        },
        coverage: Coverage {
            gaps: vec![Gap {
                object: "app.\"Secreta\"".into(),
                kind: GapKind::NoSelect,
                remedy: "GRANT SELECT ON app.\"Secreta\" TO respaldo".into(),
            }],
        },
        schemas: vec!["app".into(), "public".into()],
        roles: vec!["dueño".into(), "respaldo".into()],
    }
    .counted()
}

/// A full made because there was no base.
pub fn full_manifest() -> Manifest {
    let mut full = manifest();
    full.header.archive = name(FULL);
    full.header.kind = BackupKind::Full;
    full.header.label = None;
    full.header.base = None;
    full.header.full_reason = Some(FullReason::NoBase);
    full.header.snapshot_at = at("2026-11-01T00:00:01-03:00");
    full.header.archives.truncate(1);
    full.header.objects[0] = SealedObject {
        role: ObjectRole::Archive,
        key: name(FULL).key(),
        size_bytes: 90_000,
        sha256: Sha256([1; 32]),
        plain: None,
    };
    for data in full
        .tables
        .iter_mut()
        .filter_map(|table| table.data.as_mut())
    {
        data.archive = name(FULL);
    }
    full.coverage = Coverage::default();
    full
}

fn source() -> SourceFacts {
    SourceFacts {
        database: "nexoryn_tech".into(),
        server_version_num: 150_020,
        lineage: Lineage {
            system_identifier: 7_300_000_000_000_000_001,
            database_oid: Oid(16_384),
            timeline: 1,
            server_started_at: at("2026-10-30T08:00:00.5+00:00"),
            archiver_reset_at: Some(at("2026-10-30T08:00:01+00:00")),
            bgwriter_reset_at: None,
        },
        in_recovery: false,
        role: "respaldo".into(),
        superuser: false,
        reads_all_stats: true,
        properties: DatabaseProperties {
            encoding: "UTF8".into(),
            collate: "es_AR.UTF-8".into(),
            ctype: "es_AR.UTF-8".into(),
            locale_provider: Some("c".into()),
            locale: None,
            owner: "dueño".into(),
            acl: Some(vec!["dueño=CTc/dueño".into()]),
            comment: Some("gestión".into()),
            connection_limit: -1,
            settings: vec![(
                String::new(),
                "timezone=America/Argentina/Buenos_Aires".into(),
            )],
            tablespace: "pg_default".into(),
        },
    }
}

fn tools() -> Tools {
    Tools {
        respaldo: "0.1.0".into(),
        dumper: "pg-dump".into(),
        pg_dump: "15.20".into(),
        detector: "pg-stat".into(),
        fingerprint: "copytext-sip13-128-sum/1".into(),
        plugins: Vec::new(),
    }
}

fn objects() -> Vec<SealedObject> {
    let inc = name(INC);
    let object = |role, key, size_bytes, byte| SealedObject {
        role,
        key,
        size_bytes,
        sha256: Sha256([byte; 32]),
        plain: None,
    };
    vec![
        object(ObjectRole::Archive, inc.key(), 4_321, 2),
        object(ObjectRole::Stats, inc.stats_key(), 800, 3),
    ]
}

pub fn archive(text: &str, size_bytes: u64, byte: u8) -> ArchiveFacts {
    ArchiveFacts {
        name: name(text),
        size_bytes,
        sha256: Sha256([byte; 32]),
        compression: Compression::Gzip,
        header_version: "1.14.0".into(),
        rest: None,
        plain: None,
    }
}

pub fn data(archive: &str, rows: u64) -> TableData {
    TableData {
        archive: name(archive),
        block: BlockRef {
            dump_id: 3_210,
            offset: 5_000,
            length: 640,
            sha256: Sha256([9; 32]),
        },
        plain_bytes: rows * 20,
        fingerprint: RowFingerprint {
            rows,
            sum: u128::from(rows) << 70,
        },
    }
}

fn tables() -> Vec<TableEntry> {
    let table = |oid, schema: &str, table: &str, reason, data| TableEntry {
        oid: Oid(oid),
        name: TableName::new(schema, table),
        kind: RelationKind::Table,
        columns: [
            column("id", "bigint"),
            column("Nombre \"x\"", "character varying(20)"),
        ]
        .into(),
        load_via: None,
        reason,
        data,
    };
    let mut leaf = table(
        16_402,
        "app",
        "ventas_h0",
        Reason::XminDiffers,
        Some(data(INC, 7)),
    );
    leaf.load_via = Some(TableName::new("app", "ventas"));
    let mut root = table(16_401, "app", "ventas", Reason::NoData, None);
    root.kind = RelationKind::Partitioned;
    let mut view = table(16_403, "app", "resumen", Reason::Refreshed, None);
    view.kind = RelationKind::MaterializedView;
    vec![
        table(
            16_400,
            "ref",
            "provincia",
            Reason::CountersEqual,
            Some(data(FULL, 24)),
        ),
        root,
        leaf,
        view,
        table(16_404, "app", "Secreta", Reason::Unreadable, None),
        table(
            16_405,
            "app",
            "plugin",
            Reason::Other("acme_quiet".into()),
            Some(data(FULL, 0)),
        ),
        table(
            16_406,
            "seguridad",
            "backup_manifest",
            Reason::Operational,
            None,
        ),
    ]
}
