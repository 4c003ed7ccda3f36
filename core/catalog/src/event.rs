//! Rows of `backup_event`, a table which the existing application had and now drops, with all that
//! depends on it, at each load of its schema: it is made with our other tables and again when a row is
//! to be written, and nothing may depend on it.

use respaldo_postgres::{PgErrorKind, Session, sql};
use serde_json::Value;

use crate::connection::transaction;
use crate::error::CatalogError;

/// A row to be written.
#[derive(Clone)]
pub(crate) struct EventRow {
    pub(crate) level: &'static str,
    pub(crate) kind: String,
    pub(crate) archive: Option<String>,
    pub(crate) detail: Value,
}

/// Makes the table where it is absent.
pub(crate) const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS seguridad.backup_event (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tipo_evento varchar(50) NOT NULL,
        backup_id bigint REFERENCES seguridad.backup_manifest (id) ON DELETE SET NULL,
        fecha_hora timestamptz NOT NULL DEFAULT now(),
        detalle jsonb,
        nivel_log varchar(20) DEFAULT 'INFO',
        CONSTRAINT ck_nivel_log
            CHECK (nivel_log IN ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'))
    );
    CREATE INDEX IF NOT EXISTS idx_backup_event_fecha ON seguridad.backup_event (fecha_hora DESC);
    CREATE INDEX IF NOT EXISTS idx_backup_event_backup ON seguridad.backup_event (backup_id);
    CREATE INDEX IF NOT EXISTS idx_backup_event_tipo ON seguridad.backup_event (tipo_evento)";

/// Writes it, making the table where it is absent.
pub(crate) fn record(session: &mut Session, row: EventRow) -> Result<(), CatalogError> {
    match insert(session, row.clone()) {
        Err(CatalogError::Server(error)) if error.kind == PgErrorKind::NotFound => {
            transaction(session, |session| Ok(session.batch(TABLE)?))?;
            insert(session, row)
        }
        outcome => outcome,
    }
}

fn insert(session: &mut Session, row: EventRow) -> Result<(), CatalogError> {
    let insert = sql("
        INSERT INTO seguridad.backup_event (tipo_evento, backup_id, detalle, nivel_log)
        VALUES (left($1, 50),
                (SELECT id FROM seguridad.backup_manifest WHERE archivo_nombre = $2), $3, $4)")
    .bind(row.kind)
    .bind(row.archive)
    .bind(row.detail)
    .bind(row.level);
    session.execute(insert)?;
    Ok(())
}
