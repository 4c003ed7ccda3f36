//! When each type ran last: by the names of files, by our record, and by what the existing
//! application keeps in `seguridad.backup_config` (one row, three columns). That table may be
//! missing, which is no fault.

use std::time::Duration;

use chrono::{DateTime, Utc};
use respaldo_postgres::{ConnInfo, PgError, Session, SessionOptions, field, sql};

use crate::kind::LegacyKind;

/// The column of a type.
fn column(kind: LegacyKind) -> Option<&'static str> {
    match kind {
        LegacyKind::Daily => Some("ultimo_daily"),
        LegacyKind::Weekly => Some("ultimo_weekly"),
        LegacyKind::Monthly => Some("ultimo_monthly"),
        LegacyKind::Manual => None,
    }
}

/// Short limits: nobody waits for this.
fn session(database: &ConnInfo) -> Result<Session, PgError> {
    let options = SessionOptions {
        statement_timeout: Duration::from_secs(10),
        lock_timeout: Duration::from_secs(5),
        ..SessionOptions::default()
    };
    Session::connect(database, &options)
}

fn table_exists(session: &mut Session) -> Result<bool, PgError> {
    session.value(sql("SELECT EXISTS (SELECT FROM pg_catalog.pg_class AS c \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE n.nspname = 'seguridad' AND c.relname = 'backup_config')"))
}

/// The last runs the database knows of.
pub(crate) fn told(database: &ConnInfo) -> Result<Vec<(LegacyKind, DateTime<Utc>)>, PgError> {
    let mut session = session(database)?;
    let mut runs = Vec::new();
    if !table_exists(&mut session)? {
        return Ok(runs);
    }
    let rows = session.rows(sql(
        "SELECT ultimo_daily, ultimo_weekly, ultimo_monthly FROM seguridad.backup_config",
    ))?;
    for row in &rows {
        for kind in LegacyKind::SCHEDULED {
            let Some(column) = column(kind) else { continue };
            let at: Option<DateTime<Utc>> = field(row, column)?;
            runs.extend(at.map(|at| (kind, at)));
        }
    }
    Ok(runs)
}

/// Tells the database of a run.
pub(crate) fn tell(
    database: &ConnInfo,
    kind: LegacyKind,
    at: DateTime<Utc>,
) -> Result<(), PgError> {
    let Some(column) = column(kind) else {
        return Ok(());
    };
    let mut session = session(database)?;
    if table_exists(&mut session)? {
        let update = format!("UPDATE seguridad.backup_config SET {column} = $1");
        session.execute(sql(update).bind(at))?;
    }
    Ok(())
}
