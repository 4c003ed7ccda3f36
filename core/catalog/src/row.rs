//! Rows of ours in `backup_manifest`: what they hold, and how they are written.

use chrono::{DateTime, Utc};
use respaldo_contract::labels::Label;
use respaldo_domain::backup::{ArchiveName, BackupId, BackupKind, BackupState};
use respaldo_domain::manifest::{Compression, Header};
use respaldo_domain::object::ObjectRole;
use respaldo_domain::second_place::SecondCopy;
use respaldo_engine::ports::{NewBackup, SealedBackup};
use respaldo_postgres::{PgError, Session, Statement, sql};
use serde_json::{Value, json};
use sqlx::Row;

use crate::error::{CatalogError, unreadable};

/// A row to be written.
#[derive(Debug, Clone)]
pub(crate) struct ManifestRow {
    pub(crate) archive: ArchiveName,
    kind: BackupKind,
    state: BackupState,
    location: String,
    started_at: DateTime<Utc>,
    finished_at: DateTime<Utc>,
    size_bytes: Option<i64>,
    sha256: Option<String>,
    lsn: (Option<String>, Option<String>),
    compressed: bool,
    base: Option<ArchiveName>,
    metadata: Value,
}

impl ManifestRow {
    /// The row of a run that begins. `fecha_fin` must hold something: the start, until it ends.
    pub(crate) fn running(backup: &NewBackup) -> Self {
        let started_at = backup.started_at.to_utc();
        Self {
            archive: backup.archive.clone(),
            kind: backup.kind,
            state: BackupState::Running,
            location: backup.location.clone(),
            started_at,
            finished_at: started_at,
            size_bytes: None,
            sha256: None,
            lsn: (None, None),
            compressed: true,
            base: backup.base.clone(),
            metadata: json!({
                "motor": "respaldo",
                "version": env!("CARGO_PKG_VERSION"),
                "ejecucion": backup.run,
                "etiqueta": backup.label,
                "base": backup.base,
                "base_datos": backup.source.database,
                "identificador_sistema": backup.source.lineage.system_identifier.to_string(),
            }),
        }
    }

    /// The row of a backup whose manifest is in storage.
    pub(crate) fn sealed(backup: &SealedBackup<'_>) -> Self {
        let manifest = backup.header;
        let archive = manifest.object(ObjectRole::Archive);
        let facts = manifest.archive_facts(&manifest.archive);
        Self {
            archive: manifest.archive.clone(),
            kind: manifest.kind,
            state: BackupState::Completed,
            location: backup.location.to_owned(),
            started_at: manifest.started_at.to_utc(),
            finished_at: manifest.finished_at.to_utc(),
            size_bytes: archive.and_then(|object| object.size_bytes.try_into().ok()),
            sha256: archive.map(|object| object.sha256.to_string()),
            lsn: (manifest.lsn_start.clone(), manifest.lsn_end.clone()),
            compressed: facts.is_none_or(|facts| facts.compression != Compression::None),
            base: manifest.base.clone(),
            metadata: sealed_metadata(manifest),
        }
    }

    fn bind_to(&self, statement: Statement) -> Statement {
        statement
            .bind(self.kind.label())
            .bind(self.base.as_ref().map(ToString::to_string))
            .bind(self.archive.to_string())
            .bind(self.location.clone())
            .bind(self.started_at)
            .bind(self.finished_at)
            .bind(self.size_bytes)
            .bind(self.sha256.clone())
            .bind(self.lsn.0.clone())
            .bind(self.lsn.1.clone())
            .bind(self.compressed)
            .bind(self.state.label())
            .bind(self.metadata.clone())
    }
}

fn sealed_metadata(manifest: &Header) -> Value {
    let source = &manifest.source;
    json!({
        "motor": "respaldo",
        "version": manifest.tools.respaldo,
        "volcador": manifest.tools.dumper,
        "ejecucion": manifest.run,
        "etiqueta": manifest.label,
        "secuencia": manifest.sequence,
        "base": manifest.base,
        "cadena": manifest.full,
        "motivo_full": manifest.full_reason.map(Label::label),
        "instantanea": manifest.snapshot_at.to_rfc3339(),
        "base_datos": source.database,
        "identificador_sistema": source.lineage.system_identifier.to_string(),
        "oid_base_datos": source.lineage.database_oid,
        "tablas_total": manifest.counts.tables,
        "tablas_volcadas": manifest.counts.dumped,
        "cobertura_completa": manifest.counts.is_complete,
        "cifrado": manifest.is_encrypted(),
    })
}

/// Everything both writes have in common. The base's number is looked up by its name.
const INSERT: &str = "
    INSERT INTO seguridad.backup_manifest AS m
        (tipo_backup, backup_base_id, archivo_nombre, archivo_ruta, fecha_inicio, fecha_fin,
         tamano_bytes, checksum_sha256, lsn_inicio, lsn_fin, comprimido, estado, metadata,
         error_mensaje, creado_por)
    VALUES ($1, (SELECT b.id FROM seguridad.backup_manifest b WHERE b.archivo_nombre = $2),
            $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, NULL, 'respaldo')
    ON CONFLICT (archivo_nombre) DO UPDATE
    SET tipo_backup = excluded.tipo_backup, backup_base_id = excluded.backup_base_id,
        archivo_ruta = excluded.archivo_ruta, fecha_inicio = excluded.fecha_inicio,
        fecha_fin = excluded.fecha_fin, tamano_bytes = excluded.tamano_bytes,
        checksum_sha256 = excluded.checksum_sha256, lsn_inicio = excluded.lsn_inicio,
        lsn_fin = excluded.lsn_fin, comprimido = excluded.comprimido, estado = excluded.estado,
        metadata = excluded.metadata, error_mensaje = NULL, creado_por = excluded.creado_por";

/// Writes where a second copy lies, in the columns that the existing panel reads.
pub(crate) fn record_copy(
    session: &mut Session,
    archive: &ArchiveName,
    copy: Option<&SecondCopy>,
) -> Result<(), CatalogError> {
    let update = sql("
        UPDATE seguridad.backup_manifest
        SET nube_subido = $2, nube_url = $3, nube_proveedor = $4
        WHERE archivo_nombre = $1
          AND (nube_subido, nube_url, nube_proveedor) IS DISTINCT FROM ($2, $3, $4)")
    .bind(archive.to_string())
    .bind(copy.is_some())
    .bind(copy.map(|copy| copy.url.clone()))
    .bind(copy.map(|copy| copy.provider.label()));
    session.execute(update)?;
    Ok(())
}

/// Writes the row of a run that begins; a run that is recorded already keeps its number.
pub(crate) fn begin(session: &mut Session, row: &ManifestRow) -> Result<BackupId, CatalogError> {
    let own = "WHERE m.metadata->>'ejecucion' = excluded.metadata->>'ejecucion'
                 AND m.estado <> 'COMPLETADO'";
    let text = format!("{INSERT} {own} RETURNING m.id");
    write(session, row, &text)?.ok_or_else(|| CatalogError::NameTaken(row.archive.clone()))
}

/// Writes the row of a sealed backup, whatever is there under its name: the manifest in storage
/// is what counts. A row of the same run under another name, as left by a run that made another
/// kind than it began with, goes.
pub(crate) fn seal(session: &mut Session, row: &ManifestRow) -> Result<BackupId, CatalogError> {
    let other_name = sql("DELETE FROM seguridad.backup_manifest
         WHERE metadata->>'motor' = 'respaldo' AND metadata->>'ejecucion' = $1
           AND archivo_nombre <> $2 AND estado <> 'COMPLETADO'")
    .bind(row.metadata["ejecucion"].as_str().map(str::to_owned))
    .bind(row.archive.to_string());
    session.execute(other_name)?;
    let id = write(session, row, &format!("{INSERT} RETURNING m.id"))?;
    id.ok_or_else(|| CatalogError::Unknown(row.archive.clone()))
}

/// A number may be taken by a row which we cannot see yet (the existing application moves the
/// sequence back before each insert); the next one is tried then.
const NUMBERS_TRIED: usize = 20;

fn write(
    session: &mut Session,
    row: &ManifestRow,
    text: &str,
) -> Result<Option<BackupId>, CatalogError> {
    let mut tried = 0;
    loop {
        tried += 1;
        session.batch("SAVEPOINT numero")?;
        match session.optional_row(row.bind_to(sql(text))) {
            Ok(Some(row)) => return Ok(Some(BackupId(row.try_get(0).map_err(unreadable)?))),
            Ok(None) => return Ok(None),
            Err(error) if tried < NUMBERS_TRIED && is_taken_number(&error) => {
                session.batch("ROLLBACK TO SAVEPOINT numero")?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The only other unique key is the name, which `ON CONFLICT` takes.
fn is_taken_number(error: &PgError) -> bool {
    error.sqlstate.as_deref() == Some("23505")
}
