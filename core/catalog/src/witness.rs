//! The lineage witness: a row whose survival proves that nothing before it was lost. It proves
//! something only in the database that is backed up.

use respaldo_domain::backup::ArchiveName;
use respaldo_postgres::{Session, sql};
use sqlx::Row;
use uuid::Uuid;

use crate::connection::transaction;
use crate::error::{CatalogError, unreadable};

/// A database of a cluster, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    system_identifier: i64,
    database_oid: i64,
}

/// Which database a session is on; `None` where the server does not tell.
pub(crate) fn identity(session: &mut Session) -> Result<Option<Identity>, CatalogError> {
    let told = "SELECT has_function_privilege('pg_control_system()', 'EXECUTE')";
    if !session.value(sql(told))? {
        return Ok(None);
    }
    let query = sql("SELECT c.system_identifier, d.oid::bigint
         FROM pg_control_system() c, pg_database d WHERE d.datname = current_database()");
    let row = session.row(query)?;
    Ok(Some(Identity {
        system_identifier: row.try_get(0).map_err(unreadable)?,
        database_oid: row.try_get(1).map_err(unreadable)?,
    }))
}

/// Leaves the token. Once this returns it is in the WAL, whatever the database's settings say.
pub(crate) fn leave(
    session: &mut Session,
    archive: &ArchiveName,
    token: Uuid,
) -> Result<(), CatalogError> {
    transaction(session, |session| {
        session.batch("SET LOCAL synchronous_commit = on")?;
        let upsert = sql("
            INSERT INTO seguridad.respaldo_witness (archivo_nombre, testigo) VALUES ($1, $2)
            ON CONFLICT (archivo_nombre) DO UPDATE SET testigo = excluded.testigo, fecha = now()")
        .bind(archive.to_string())
        .bind(token);
        session.execute(upsert)?;
        Ok(())
    })
}

/// Whether the token is there.
pub(crate) fn sees(
    session: &mut Session,
    archive: &ArchiveName,
    token: Uuid,
) -> Result<bool, CatalogError> {
    let query = sql("SELECT EXISTS (
             SELECT FROM seguridad.respaldo_witness WHERE archivo_nombre = $1 AND testigo = $2)")
    .bind(archive.to_string())
    .bind(token);
    Ok(session.value(query)?)
}
