//! Who is in the database that is to be replaced and will not leave: found before the long work
//! rather than after it.

use std::thread;
use std::time::{Duration, Instant};

use respaldo_postgres::{ConnInfo, Session, SessionOptions, sql};
use sqlx::Row;

use super::RestoreError;
use crate::ports::{Context, Fault, FaultKind};

/// How long somebody must have stayed to be taken for somebody who stays.
const PATIENCE: Duration = Duration::from_secs(5);

/// An error that names whoever this role may not send away from `database` and who is still there
/// after five seconds.
pub(super) fn refuse_lasting(
    admin: &ConnInfo,
    database: &str,
    cx: &Context,
) -> Result<(), RestoreError> {
    let lasting = lasting(admin, database, cx).map_err(RestoreError::Server)?;
    match lasting.is_empty() {
        true => Ok(()),
        false => Err(RestoreError::Occupied(lasting.join("; "))),
    }
}

fn lasting(admin: &ConnInfo, database: &str, cx: &Context) -> Result<Vec<String>, Fault> {
    let mut session = Session::connect(admin, &SessionOptions::default())?;
    let mut staying = occupants(&mut session, database)?;
    let start = Instant::now();
    while !staying.is_empty() && start.elapsed() < PATIENCE {
        cx.check()?;
        thread::sleep(Duration::from_millis(250));
        let now = occupants(&mut session, database)?;
        staying.retain(|occupant| now.contains(occupant));
    }
    Ok(staying)
}

/// Sessions that pg_terminate_backend is not allowed or not meant for, and prepared transactions:
/// ALTER DATABASE ... RENAME waits for both. A background worker that comes and goes by itself,
/// such as autovacuum's, is none.
fn occupants(session: &mut Session, database: &str) -> Result<Vec<String>, Fault> {
    let question = sql(
        "SELECT pg_catalog.format('session %s of %s (%s)', a.pid, a.usename, \
                  coalesce(nullif(a.application_name, ''), a.backend_type)) \
           FROM pg_catalog.pg_stat_activity AS a \
           JOIN pg_catalog.pg_roles AS me ON me.rolname = current_user \
           LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = a.usesysid \
          WHERE a.datname = $1::text AND a.pid <> pg_catalog.pg_backend_pid() \
            AND CASE a.backend_type \
                WHEN 'client backend' THEN NOT (me.rolsuper OR NOT coalesce(r.rolsuper, true) \
                     AND (pg_catalog.pg_has_role(a.usesysid, 'USAGE') \
                          OR pg_catalog.pg_has_role('pg_signal_backend', 'USAGE'))) \
                WHEN 'walsender' THEN true \
                ELSE a.backend_type LIKE 'logical replication%' END \
         UNION ALL \
         SELECT pg_catalog.format('prepared transaction %L of %s', p.gid, p.owner) \
           FROM pg_catalog.pg_prepared_xacts AS p WHERE p.database = $1::text \
         ORDER BY 1",
    );
    let rows = session.rows(question.bind(database))?;
    let wrong = |e| Fault::new(FaultKind::Internal, "reading who is in the database", e);
    rows.iter()
        .map(|row| row.try_get(0).map_err(wrong))
        .collect()
}
