//! The row that shows who holds the lease of a database, in that database: one row for each, by
//! its name. A counter grows with every holder, so that two of one name are told apart.

use respaldo_engine::ports::{Fault, LeaseHolder, LeaseRow, LeaseSeen, LeaseWork};
use respaldo_postgres::{PgError, Session, field, sql};

/// The rights that a use of the table needs.
const TO_READ: &str = "has_table_privilege(c.oid, 'SELECT')";
const TO_WRITE: &str = "has_table_privilege(c.oid, 'SELECT')
    AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE')
    AND NOT pg_is_in_recovery()";

const WRITE: &str = "
    INSERT INTO seguridad.respaldo_lease AS l
        (recurso, ficha, titular, ejecucion, estado, tomado, latido)
    VALUES (current_database(), 1, $1, $2::text::uuid, $3, clock_timestamp(), clock_timestamp())
    ON CONFLICT (recurso) DO UPDATE SET
        ficha = l.ficha + (l.titular IS DISTINCT FROM excluded.titular)::int,
        tomado = CASE WHEN l.titular = excluded.titular THEN l.tomado ELSE excluded.tomado END,
        titular = excluded.titular, ejecucion = excluded.ejecucion, estado = excluded.estado,
        latido = excluded.latido";

const CLEAR: &str = "
    UPDATE seguridad.respaldo_lease
    SET estado = 'LIBRE', titular = NULL, ejecucion = NULL, latido = clock_timestamp()
    WHERE recurso = current_database() AND titular = $1";

const READ: &str = "
    SELECT titular, ejecucion, estado, tomado, latido FROM seguridad.respaldo_lease
    WHERE recurso = current_database() AND titular IS NOT NULL
      AND tomado IS NOT NULL AND latido IS NOT NULL";

/// How the holder's work is stored.
fn word(work: LeaseWork) -> &'static str {
    match work {
        LeaseWork::Backup(_) => "RESPALDANDO",
        LeaseWork::Restore => "RESTAURANDO",
        LeaseWork::Maintenance => "MANTENIMIENTO",
    }
}

/// The row as it is stored.
#[derive(Debug)]
pub(crate) struct StoredLease;

/// Whether the table is there and may be used so. Asked of the server's catalog, for a name in a
/// schema without the right to use it is an error.
fn is_usable(session: &mut Session, rights: &str) -> Result<bool, PgError> {
    session.value(sql(format!(
        "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = 'seguridad' AND c.relname = 'respaldo_lease'
               AND has_schema_privilege(n.oid, 'USAGE') AND {rights})"
    )))
}

impl LeaseRow for StoredLease {
    fn write(&self, session: &mut Session, holder: &LeaseHolder) -> Result<(), Fault> {
        if is_usable(session, TO_WRITE)? {
            let write = sql(WRITE)
                .bind(holder.name.clone())
                .bind(holder.work.run().map(|run| run.to_string()))
                .bind(word(holder.work));
            session.execute(write)?;
        }
        Ok(())
    }

    fn clear(&self, session: &mut Session, holder: &LeaseHolder) -> Result<(), Fault> {
        if is_usable(session, TO_WRITE)? {
            session.execute(sql(CLEAR).bind(holder.name.clone()))?;
        }
        Ok(())
    }

    fn read(&self, session: &mut Session) -> Result<Option<LeaseSeen>, Fault> {
        if !is_usable(session, TO_READ)? {
            return Ok(None);
        }
        let Some(row) = session.optional_row(sql(READ))? else {
            return Ok(None);
        };
        Ok(Some(LeaseSeen {
            name: field(&row, "titular")?,
            run: field(&row, "ejecucion")?,
            state: field(&row, "estado")?,
            taken_at: field(&row, "tomado")?,
            heartbeat_at: field(&row, "latido")?,
        }))
    }
}
