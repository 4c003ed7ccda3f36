//! Reading entries, ours and the existing system's.

use chrono::{DateTime, Utc};
use respaldo_contract::labels::Label;
use respaldo_domain::backup::{ArchiveName, BackupId, BackupState};
use respaldo_domain::object::Sha256;
use respaldo_engine::ports::{CatalogEntry, CatalogFilter};
use respaldo_postgres::{Session, Statement, sql};
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::error::{CatalogError, unreadable};
use crate::labels;

/// What is read of an entry; columns are named, and a condition follows.
pub(crate) const SELECT: &str = "
    SELECT id, tipo_backup, archivo_nombre, archivo_ruta, fecha_inicio, fecha_fin, tamano_bytes,
           checksum_sha256::text AS checksum, estado, error_mensaje, backup_base_id,
           coalesce(nube_subido, false) AS nube, nube_url, nube_proveedor,
           coalesce(metadata->>'motor' = 'respaldo', false) AS nuestro,
           lsn_inicio, lsn_fin, metadata->>'etiqueta' AS etiqueta
    FROM seguridad.backup_manifest";

/// Entries that pass the filter, newest first.
pub(crate) fn list(
    session: &mut Session,
    filter: &CatalogFilter,
) -> Result<Vec<CatalogEntry>, CatalogError> {
    let kinds = filter.kind.map(labels::kinds);
    let text = format!(
        "{SELECT}
         WHERE ($1::text[] IS NULL OR tipo_backup = ANY ($1))
           AND ($2::text IS NULL OR estado = $2)
           AND (NOT $3 OR metadata->>'motor' = 'respaldo')
         ORDER BY fecha_inicio DESC, id DESC LIMIT $4"
    );
    let query = sql(text)
        .bind(kinds)
        .bind(filter.state.map(Label::label))
        .bind(filter.ours_only)
        .bind(filter.limit.map(i64::from));
    session.rows(query)?.iter().map(read).collect()
}

/// The entry with a number.
pub(crate) fn get(
    session: &mut Session,
    id: BackupId,
) -> Result<Option<CatalogEntry>, CatalogError> {
    optional(session, sql(format!("{SELECT} WHERE id = $1")).bind(id.0))
}

/// The entry of an archive.
pub(crate) fn find(
    session: &mut Session,
    archive: &ArchiveName,
) -> Result<Option<CatalogEntry>, CatalogError> {
    let by_name = sql(format!("{SELECT} WHERE archivo_nombre = $1")).bind(archive.to_string());
    optional(session, by_name)
}

fn optional(session: &mut Session, query: Statement) -> Result<Option<CatalogEntry>, CatalogError> {
    session.optional_row(query)?.as_ref().map(read).transpose()
}

fn read(row: &PgRow) -> Result<CatalogEntry, CatalogError> {
    entry(row).map_err(unreadable)
}

/// What a row says.
pub(crate) fn entry(row: &PgRow) -> Result<CatalogEntry, sqlx::Error> {
    let time = |column| {
        row.try_get::<DateTime<Utc>, _>(column)
            .map(|t| t.fixed_offset())
    };
    let state: String = row.try_get("estado")?;
    Ok(CatalogEntry {
        id: Some(BackupId(row.try_get("id")?)),
        kind_label: row.try_get("tipo_backup")?,
        archive: row.try_get("archivo_nombre")?,
        location: row.try_get("archivo_ruta")?,
        started_at: time("fecha_inicio")?,
        finished_at: time("fecha_fin")?,
        size_bytes: row
            .try_get::<Option<i64>, _>("tamano_bytes")?
            .and_then(|n| n.try_into().ok()),
        sha256: row
            .try_get::<Option<String>, _>("checksum")?
            .and_then(checksum),
        state: BackupState::from_label(&state).map_err(|e| sqlx::Error::Decode(e.into()))?,
        error: row.try_get("error_mensaje")?,
        base_id: row
            .try_get::<Option<i64>, _>("backup_base_id")?
            .map(BackupId),
        in_cloud: row.try_get("nube")?,
        copy: (row.try_get("nube_url")?, row.try_get("nube_proveedor")?),
        ours: row.try_get("nuestro")?,
        lsn: (row.try_get("lsn_inicio")?, row.try_get("lsn_fin")?),
        label: row.try_get("etiqueta")?,
    })
}

/// What the existing system wrote and is no checksum is none: its rows are only listed.
fn checksum(text: String) -> Option<Sha256> {
    Sha256::try_from(text).ok()
}
