//! A database, the catalog in it, the existing application's hands, and manifests.

use chrono::{DateTime, Duration, FixedOffset};
use respaldo_catalog::{CatalogLimits, PgCatalog};
use respaldo_domain::backup::{ArchiveName, BackupKind, Trigger};
use respaldo_domain::changes::Reason;
use respaldo_domain::coverage::Coverage;
use respaldo_domain::manifest::{
    ArchiveFacts, Compression, Counts, Header, LargeObjects, Manifest, Tools,
};
use respaldo_domain::object::{ObjectRole, SealedObject, Sha256};
use respaldo_domain::source::{DatabaseProperties, Lineage, SourceFacts};
use respaldo_domain::table::Oid;
use respaldo_engine::ports::{Catalog, NewBackup, SealedBackup};
use respaldo_postgres::ConnInfo;
use respaldo_tests::Cluster;
use uuid::Uuid;

pub const APPLICATION: &str = include_str!("application.sql");

/// Role that owns the database; not a superuser.
pub const OWNER: &str = "dueno_sin_createdb";

pub struct Bench {
    pub cluster: Cluster,
    pub catalog: PgCatalog,
}

impl Bench {
    /// An empty database.
    pub fn empty() -> Self {
        let cluster = Cluster::start();
        let url = cluster.owned_database("app", OWNER);
        Self {
            cluster,
            catalog: catalog_at(&url),
        }
    }

    /// An empty database with our tables.
    pub fn migrated() -> Self {
        let bench = Self::empty();
        bench.catalog.migrate().unwrap();
        bench
    }

    /// The existing application's database, taken into service by us.
    pub fn adopted() -> Self {
        let bench = Self::empty();
        bench.load_application();
        bench.catalog.migrate().unwrap();
        bench
    }

    /// Runs SQL as the owner.
    pub fn sql(&self, text: &str) -> String {
        self.cluster.psql_as(OWNER, "app", text)
    }

    /// What the existing application does at each of its upgrades; fails where it would stop.
    pub fn load_application(&self) {
        self.sql(APPLICATION);
    }

    /// How the existing application records a backup: the sequence first, then the row.
    pub fn application_backup(&self, kind: &str, name: &str, at: &str) -> i64 {
        let text = format!(
            "{APPLICATION_SETVAL}; {}",
            application_insert(kind, name, at)
        );
        self.sql(&text).lines().last().unwrap().parse().unwrap()
    }

    pub fn seal(&self, manifest: &Manifest) -> i64 {
        let location = format!("/copias/{}", manifest.archive.key());
        self.catalog
            .seal(&SealedBackup {
                header: manifest,
                location: &location,
            })
            .unwrap()
            .0
    }
}

pub fn catalog_at(url: &str) -> PgCatalog {
    PgCatalog::connect(ConnInfo::parse(url).unwrap(), CatalogLimits::default())
}

pub const APPLICATION_SETVAL: &str = "
    SELECT setval('seguridad.backup_manifest_id_seq',
                  coalesce((SELECT max(id) FROM seguridad.backup_manifest), 1))";

pub fn application_insert(kind: &str, name: &str, at: &str) -> String {
    format!(
        "INSERT INTO seguridad.backup_manifest
             (tipo_backup, archivo_nombre, archivo_ruta, fecha_inicio, fecha_fin, tamano_bytes,
              checksum_sha256, lsn_inicio, lsn_fin, comprimido, estado, creado_por)
         VALUES ('{kind}', '{name}', 'C:\\copias\\{name}', '{at}', '{at}', 10, repeat('a', 64),
                 '0/0', '0/0', true, 'COMPLETADO', 'Sistema') RETURNING id"
    )
}

/// A time in a zone that is not UTC, `hours` after a fixed one.
pub fn at(hours: i64) -> DateTime<FixedOffset> {
    let start = DateTime::parse_from_rfc3339("2026-11-24T02:17:46-03:00").unwrap();
    start + Duration::hours(hours)
}

/// A chain of manifests, made in order.
#[derive(Default)]
pub struct History {
    made: Vec<Manifest>,
}

impl History {
    pub fn add(&mut self, kind: BackupKind, base: Option<usize>) -> Manifest {
        let place = self.made.len();
        let started_at = at(i64::try_from(place).unwrap());
        let archive = ArchiveName::new(kind, started_at, u16::try_from(place).unwrap());
        let base = base.map(|index| &self.made[index]);
        let manifest = Manifest {
            header: Header {
                kind,
                label: None,
                trigger: Trigger::Schedule,
                run: Uuid::new_v4(),
                sequence: place as u64 + 1,
                base: base.map(|base| base.archive.clone()),
                full: base.map_or(archive.clone(), |base| base.full.clone()),
                full_reason: None,
                started_at,
                finished_at: started_at + Duration::minutes(5),
                snapshot_at: started_at + Duration::seconds(2),
                lsn_start: Some("0/16B3748".to_owned()),
                lsn_end: Some("0/16B3800".to_owned()),
                source: source(),
                tools: tools(),
                definitions: None,
                objects: vec![SealedObject {
                    role: ObjectRole::Archive,
                    key: archive.key(),
                    size_bytes: 3 * 1024 * 1024,
                    sha256: Sha256([0xab; 32]),
                    plain: None,
                }],
                archives: vec![ArchiveFacts {
                    name: archive.clone(),
                    size_bytes: 3 * 1024 * 1024,
                    sha256: Sha256([0xab; 32]),
                    compression: Compression::Gzip,
                    header_version: "1.14.0".to_owned(),
                    rest: None,
                    plain: None,
                }],
                excluded: Vec::new(),
                archive,
                counts: Counts::default(),
            },
            contents: None,
            tables: Vec::new(),
            large_objects: LargeObjects {
                count: 0,
                reason: Reason::NoData,
                archive: None,
                fingerprint: None,
            },
            schemas: Vec::new(),
            roles: Vec::new(),
            coverage: Coverage::default(),
        }
        .counted();
        self.made.push(manifest.clone());
        manifest
    }

    pub fn full(&mut self) -> Manifest {
        self.add(BackupKind::Full, None)
    }
}

/// The run that will make `manifest`.
pub fn run_of(manifest: &Manifest) -> NewBackup {
    NewBackup {
        run: manifest.run,
        source: manifest.source.clone(),
        archive: manifest.archive.clone(),
        kind: manifest.kind,
        label: manifest.label.clone(),
        base: manifest.base.clone(),
        location: format!("/copias/{}", manifest.archive.key()),
        started_at: manifest.started_at,
    }
}

fn source() -> SourceFacts {
    SourceFacts {
        database: "app".to_owned(),
        server_version_num: 150_000,
        lineage: Lineage {
            system_identifier: 7_300_000_000_000_000_000,
            database_oid: Oid(16384),
            timeline: 1,
            server_started_at: at(-100),
            archiver_reset_at: None,
            bgwriter_reset_at: None,
        },
        in_recovery: false,
        role: OWNER.to_owned(),
        superuser: false,
        reads_all_stats: false,
        properties: DatabaseProperties::default(),
    }
}

fn tools() -> Tools {
    Tools {
        respaldo: "0.1.0".to_owned(),
        dumper: "pg-dump".to_owned(),
        pg_dump: "15.0".to_owned(),
        detector: "pg-stat".to_owned(),
        fingerprint: "copytext-sip13-128-sum/1".to_owned(),
        plugins: Vec::new(),
    }
}
