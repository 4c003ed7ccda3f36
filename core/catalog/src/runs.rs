//! What was made, as the schedule asks.

use chrono::{DateTime, Utc};
use respaldo_contract::labels::Label;
use respaldo_domain::backup::BackupKind;
use respaldo_domain::manifest::{ADOPTED, FROM_CHAIN};
use respaldo_domain::schedule::PastRun;
use respaldo_postgres::{Session, sql};
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::error::{CatalogError, unreadable};

/// Sealed backups that respaldo made of a database; of all of them for `None`.
pub(crate) fn past(
    session: &mut Session,
    database: Option<&str>,
) -> Result<Vec<PastRun>, CatalogError> {
    let made = sql("
        SELECT tipo_backup, fecha_inicio, coalesce(metadata->>'volcador' = $2, false) AS de_cadena
          FROM seguridad.backup_manifest
         WHERE metadata->>'motor' = 'respaldo' AND estado IN ('COMPLETADO', 'VALIDANDO')
           AND metadata->>'volcador' IS DISTINCT FROM $1
           AND ($3::text IS NULL OR coalesce(metadata->>'base_datos', $3) = $3)")
    .bind(ADOPTED)
    .bind(FROM_CHAIN)
    .bind(database.map(str::to_owned));
    session.rows(made)?.iter().map(read).collect()
}

fn read(row: &PgRow) -> Result<PastRun, CatalogError> {
    run(row).map_err(unreadable)
}

fn run(row: &PgRow) -> Result<PastRun, sqlx::Error> {
    let label: String = row.try_get("tipo_backup")?;
    let kind = BackupKind::from_label(&label).map_err(|e| sqlx::Error::Decode(e.into()))?;
    let from_chain: bool = row.try_get("de_cadena")?;
    Ok(PastRun {
        task: kind.into(),
        started_at: row.try_get::<DateTime<Utc>, _>("fecha_inicio")?,
        fresh: !from_chain,
    })
}
