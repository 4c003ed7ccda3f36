//! The existing application: its schema after the facts known of it, and what its backup services
//! do to rows and files, so that living beside it can be tested without it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::{NaiveDateTime, TimeDelta};

use crate::cluster::literal;
use crate::install::run;
use crate::{Client, Cluster};

const SCHEMA: &str = include_str!("app_fixture/schema.sql");
const ACTIVITY: &str = include_str!("app_fixture/activity.sql");

/// Applies the application's schema as `role`, the database's owner; may be done again at any time.
pub fn load(cluster: &Cluster, db: &str, role: &str) {
    cluster.psql_as(role, db, SCHEMA);
}

/// Applies the schema or says why that failed, as a schema upgrade of the application would.
pub fn try_load(cluster: &Cluster, db: &str, role: &str) -> Result<(), String> {
    cluster.try_psql_as(role, db, SCHEMA).map(drop)
}

/// Adds a little business of some 350 rows; once.
pub fn add_activity(cluster: &Cluster, db: &str, role: &str) {
    cluster.psql_as(role, db, ACTIVITY);
}

/// A row of `seguridad.backup_manifest` as the old service inserts it.
#[derive(Debug, Clone)]
pub struct ManifestRow {
    /// FULL, DIFERENCIAL or INCREMENTAL.
    pub kind: String,
    /// Id of the row that it is based on.
    pub base: Option<i64>,
    /// The archive, as an absolute path.
    pub path: PathBuf,
    /// When it began.
    pub started_at: NaiveDateTime,
    /// When it ended.
    pub ended_at: NaiveDateTime,
    /// Size of the archive, in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the archive, in hexadecimal.
    pub checksum: String,
}

/// What a listing of the old service shows of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Id of the row.
    pub id: i64,
    /// FULL, DIFERENCIAL, INCREMENTAL or MANUAL.
    pub kind: String,
    /// The archive's path.
    pub path: String,
}

/// The old services on one database, with their folders below one folder.
#[derive(Debug)]
pub struct AppService {
    client: Client,
    url: String,
    pg_dump: PathBuf,
    folder: PathBuf,
}

impl AppService {
    /// Connects to a database that has the schema; `folder` plays the project's root.
    pub fn new(cluster: &Cluster, url: &str, folder: &Path) -> Self {
        let (pg_dump, folder) = (cluster.bin("pg_dump"), folder.to_owned());
        Self {
            client: Client::connect(url),
            url: url.to_owned(),
            pg_dump,
            folder,
        }
    }

    /// Inserts a row the way the service does: the sequence is set to the greatest id first, so the
    /// id of a deleted newest row is used again.
    pub fn try_insert_manifest_row(&mut self, row: &ManifestRow) -> Result<i64, String> {
        self.client.try_exec(
            "SELECT setval('seguridad.backup_manifest_id_seq', \
             coalesce((SELECT max(id) FROM seguridad.backup_manifest), 1), true)",
        )?;
        let base = row
            .base
            .map_or_else(|| "NULL".to_owned(), |id| id.to_string());
        let name = row.path.file_name().unwrap().to_string_lossy();
        let id = self.client.try_rows(&format!(
            "INSERT INTO seguridad.backup_manifest (tipo_backup, backup_base_id, archivo_nombre, archivo_ruta, \
             fecha_inicio, fecha_fin, tamano_bytes, checksum_sha256, lsn_inicio, lsn_fin, comprimido, estado, creado_por) \
             VALUES ({}, {base}, {}, {}, '{}', '{}', {}, {}, '0/0', '0/0', true, 'COMPLETADO', 'Sistema') RETURNING id",
            literal(&row.kind),
            literal(&name),
            literal(&row.path.to_string_lossy()),
            row.started_at,
            row.ended_at,
            row.size_bytes,
            literal(&row.checksum),
        ))?;
        Ok(id[0][0].as_ref().unwrap().parse().unwrap())
    }

    /// Like [`AppService::try_insert_manifest_row`]; panics when refused.
    pub fn insert_manifest_row(&mut self, row: &ManifestRow) -> i64 {
        self.try_insert_manifest_row(row).unwrap()
    }

    /// What the panel does to delete a backup: the file first, then the row.
    pub fn delete_row(&mut self, id: i64) -> Result<(), String> {
        let path = self.client.try_rows(&format!(
            "SELECT archivo_ruta FROM seguridad.backup_manifest WHERE id = {id}"
        ))?;
        if let Some(path) = path.into_iter().flatten().flatten().next() {
            // The panel only warns when the file is gone already.
            let _ = fs::remove_file(path);
        }
        self.client.try_exec(&format!(
            "DELETE FROM seguridad.backup_manifest WHERE id = {id}"
        ))
    }

    /// Deletes the rows of completed backups whose file is not on this machine; how many.
    pub fn purge_invalid(&mut self) -> Result<usize, String> {
        let rows = self.listed("estado = 'COMPLETADO'", "id");
        let gone: Vec<_> = rows
            .into_iter()
            .filter(|row| !Path::new(&row.path).exists())
            .collect();
        for row in &gone {
            let delete = format!(
                "DELETE FROM seguridad.backup_manifest WHERE id = {}",
                row.id
            );
            self.client.try_exec(&delete)?;
        }
        Ok(gone.len())
    }

    /// The newest completed backup, of one type or of any: the base of the next partial one.
    pub fn newest_completed(&mut self, kind: Option<&str>) -> Option<Listed> {
        let kind = kind.map_or_else(String::new, |k| {
            format!(" AND tipo_backup = {}", literal(k))
        });
        self.listed(&format!("estado = 'COMPLETADO'{kind}"), "fecha_inicio DESC")
            .into_iter()
            .next()
    }

    /// What the service would restore for a moment: the newest full backup before it, and every
    /// completed row after that, whatever its base.
    pub fn chain(&mut self, at: NaiveDateTime) -> Vec<Listed> {
        let full = format!(
            "(SELECT max(fecha_inicio) FROM seguridad.backup_manifest \
             WHERE tipo_backup = 'FULL' AND estado = 'COMPLETADO' AND fecha_inicio <= '{at}')"
        );
        self.listed(
            &format!("estado = 'COMPLETADO' AND fecha_inicio >= {full} AND fecha_inicio <= '{at}'"),
            "fecha_inicio",
        )
    }

    /// Makes a full backup as the service does: archive, stats file, row. Gives the row's id.
    pub fn full_backup(&mut self, at: NaiveDateTime) -> i64 {
        let path = self.archive_path("full", "full", at);
        let only = ["-b", "--exclude-table=seguridad.backup_manifest"];
        self.backup("FULL", None, path, at, &only)
    }

    /// Makes an incremental backup of the given tables (`schema.table`) as the service does.
    pub fn incremental_backup(&mut self, at: NaiveDateTime, tables: &[&str]) -> i64 {
        let base = self.newest_completed(None).map(|row| row.id);
        let path = self.archive_path("incremental", "inc", at);
        let mut options = vec!["--data-only"];
        options.extend(tables.iter().flat_map(|&table| ["-t", table]));
        if tables.is_empty() {
            options = vec!["--schema-only", "--exclude-schema=*"];
        }
        self.backup("INCREMENTAL", base, path, at, &options)
    }

    /// Makes a differential backup of the given tables (`schema.table`) as the service does.
    pub fn differential_backup(&mut self, at: NaiveDateTime, tables: &[&str]) -> i64 {
        let base = self.newest_completed(Some("FULL")).map(|row| row.id);
        let path = self.archive_path("differential", "dif", at);
        let mut options = vec!["--data-only"];
        options.extend(tables.iter().flat_map(|&table| ["-t", table]));
        self.backup("DIFERENCIAL", base, path, at, &options)
    }

    /// Makes a backup of the legacy service (`daily`, `weekly`, `monthly`, `manual`): a complete
    /// archive in custom format whose name ends in `.sql`, without a row.
    pub fn legacy_backup(&mut self, kind: &str, at: NaiveDateTime) -> PathBuf {
        let stamp = at.format("%Y%m%d_%H%M%S");
        let path = self
            .folder
            .join("backups")
            .join(kind)
            .join(format!("backup_{kind}_{stamp}.sql"));
        self.dump(&path, &["-b"]);
        path
    }

    /// Reads a key of `config_sistema`.
    pub fn config(&mut self, key: &str) -> Option<String> {
        let sql = format!(
            "SELECT valor FROM seguridad.config_sistema WHERE clave = {}",
            literal(key)
        );
        self.client
            .rows(&sql)
            .into_iter()
            .flatten()
            .flatten()
            .next()
    }

    /// Stores a key of `config_sistema`, as the panel does (type TEXT).
    pub fn set_config(&mut self, key: &str, value: &str) {
        self.client.exec(&format!(
            "INSERT INTO seguridad.config_sistema (clave, valor, tipo) VALUES ({}, {}, 'TEXT') \
             ON CONFLICT (clave) DO UPDATE SET valor = excluded.valor",
            literal(key),
            literal(value)
        ));
    }

    fn listed(&mut self, condition: &str, order: &str) -> Vec<Listed> {
        let rows = self.client.rows(&format!(
            "SELECT id, tipo_backup, archivo_ruta FROM seguridad.backup_manifest \
             WHERE {condition} ORDER BY {order}"
        ));
        rows.into_iter()
            .map(|row| <[_; 3]>::try_from(row).unwrap().map(Option::unwrap))
            .map(|[id, kind, path]| Listed {
                id: id.parse().unwrap(),
                kind,
                path,
            })
            .collect()
    }

    fn archive_path(&self, folder: &str, prefix: &str, at: NaiveDateTime) -> PathBuf {
        let name = format!("{prefix}_{}.backup", at.format("%Y%m%d_%H%M%S"));
        self.folder
            .join("backups_incrementales")
            .join(folder)
            .join(name)
    }

    fn backup(
        &mut self,
        kind: &str,
        base: Option<i64>,
        path: PathBuf,
        at: NaiveDateTime,
        options: &[&str],
    ) -> i64 {
        let counters = self.counters();
        self.dump(&path, options);
        let (size_bytes, checksum) = (fs::metadata(&path).unwrap().len(), sha256(&path));
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let stats = self
            .folder
            .join("backups_incrementales/stats")
            .join(format!("{name}.json"));
        fs::create_dir_all(stats.parent().unwrap()).unwrap();
        fs::write(stats, counters).unwrap();
        let (started_at, ended_at) = (at, at + TimeDelta::seconds(1));
        let kind = kind.to_owned();
        self.insert_manifest_row(&ManifestRow {
            kind,
            base,
            path,
            started_at,
            ended_at,
            size_bytes,
            checksum,
        })
    }

    fn dump(&self, path: &Path, options: &[&str]) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        run(Command::new(&self.pg_dump)
            .args(["-F", "c"])
            .args(options)
            .arg("-f")
            .arg(path)
            .arg(&self.url));
    }

    /// One flat JSON object: changes counted per table, outside of `seguridad`.
    fn counters(&mut self) -> String {
        self.client.one(
            "SELECT coalesce(json_object_agg(schemaname || '.' || relname, n_tup_ins + n_tup_upd + n_tup_del), '{}') \
             FROM pg_stat_user_tables WHERE schemaname <> 'seguridad'",
        )
    }
}

fn sha256(path: &Path) -> String {
    let said = run(Command::new("sha256sum").arg(path)).stdout;
    String::from_utf8_lossy(&said)
        .split(' ')
        .next()
        .unwrap()
        .trim_start_matches('\\')
        .to_owned()
}
