//! Links between rows: the base's number, and one row of `backup_chain` per full.
//!
//! Both are derived from names in the metadata, so sealing in any order - a rebuild reads a
//! listing - ends in the same links.

use respaldo_domain::backup::{ArchiveName, BackupId};
use respaldo_postgres::{Session, sql};
use sqlx::Row;

use crate::error::{CatalogError, unreadable};

/// Gives the number of `archive` to the rows that name it as their base.
pub(crate) fn relink(
    session: &mut Session,
    archive: &ArchiveName,
    id: BackupId,
) -> Result<(), CatalogError> {
    let relink = sql("UPDATE seguridad.backup_manifest SET backup_base_id = $1
         WHERE metadata->>'motor' = 'respaldo' AND metadata->>'base' = $2
           AND backup_base_id IS DISTINCT FROM $1")
    .bind(id.0)
    .bind(archive.to_string());
    session.execute(relink)?;
    Ok(())
}

/// Derives the chain of a full anew; does nothing while the full is not recorded.
pub(crate) fn derive(session: &mut Session, full: &str) -> Result<(), CatalogError> {
    // The lock makes seals of one chain wait for each other: two rows for it would never go.
    let root = sql("SELECT id FROM seguridad.backup_manifest
         WHERE archivo_nombre = $1 AND estado = 'COMPLETADO' FOR UPDATE")
    .bind(full.to_owned());
    let Some(root) = session.optional_row(root)? else {
        return Ok(());
    };
    let root: i64 = root.try_get(0).map_err(unreadable)?;
    let insert = sql(
        "INSERT INTO seguridad.backup_chain (full_backup_id) SELECT $1
         WHERE NOT EXISTS (SELECT FROM seguridad.backup_chain WHERE full_backup_id = $1)",
    )
    .bind(root);
    session.execute(insert)?;
    session.execute(sql(UPDATE).bind(root).bind(full.to_owned()))?;
    Ok(())
}

const UPDATE: &str = "
    WITH member AS (
        SELECT id, tipo_backup, (metadata->>'secuencia')::bigint AS place
        FROM seguridad.backup_manifest
        WHERE metadata->>'motor' = 'respaldo' AND metadata->>'cadena' = $2
          AND estado = 'COMPLETADO'
    )
    UPDATE seguridad.backup_chain
    SET diferencial_id = (
            SELECT id FROM member WHERE tipo_backup = 'DIFERENCIAL'
            ORDER BY place DESC LIMIT 1),
        incremental_ids = ARRAY(
            SELECT id FROM member WHERE tipo_backup = 'INCREMENTAL' ORDER BY place)
    WHERE full_backup_id = $1";

/// Removes a row and derives its chain anew; what hangs on the row goes by a trigger.
pub(crate) fn forget(session: &mut Session, archive: &ArchiveName) -> Result<(), CatalogError> {
    let witness = "DELETE FROM seguridad.respaldo_witness WHERE archivo_nombre = $1";
    session.execute(sql(witness).bind(archive.to_string()))?;
    let delete = sql(
        "DELETE FROM seguridad.backup_manifest WHERE archivo_nombre = $1
         RETURNING metadata->>'cadena'",
    )
    .bind(archive.to_string());
    let Some(row) = session.optional_row(delete)? else {
        return Ok(());
    };
    match row.try_get::<Option<String>, _>(0).map_err(unreadable)? {
        Some(full) => derive(session, &full),
        None => Ok(()),
    }
}
