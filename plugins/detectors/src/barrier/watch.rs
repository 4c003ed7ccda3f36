//! Looking at the sessions of our database.

use respaldo_engine::leadership::LOCK_KEY as LEADER_LOCK;
use respaldo_postgres::{PgError, Session, field, sql};

use super::Sighting;

/// Every other process working in this database but those of this very run, which are tagged with
/// its random id, and but a leader's heartbeat, known by the lock that it holds: they write no row that is
/// backed up, and none of them would ever be clean.
pub(crate) fn sample(session: &mut Session) -> Result<Vec<Sighting>, PgError> {
    let (class, purpose) = LEADER_LOCK;
    let question = sql("SELECT pg_catalog.clock_timestamp() AS seen_at, a.pid, \
         a.backend_start, a.backend_type, a.state, a.state_change, a.query_start \
         FROM pg_catalog.pg_stat_activity AS a \
         WHERE a.datname = pg_catalog.current_database() \
         AND a.pid <> pg_catalog.pg_backend_pid() \
         AND (pg_catalog.current_setting('application_name') !~ '^respaldo [0-9a-f]{32}$' \
              OR a.application_name IS DISTINCT FROM pg_catalog.current_setting('application_name')) \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks AS l \
             WHERE l.pid = a.pid AND l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 \
               AND l.classid = $1::text::oid AND l.objid = $2::text::oid)");
    let rows = session.rows(question.bind(class.to_string()).bind(purpose.to_string()))?;
    rows.iter()
        .map(|row| {
            Ok(Sighting {
                seen_at: field(row, "seen_at")?,
                pid: field(row, "pid")?,
                started_at: field(row, "backend_start")?,
                backend_type: field(row, "backend_type")?,
                state: field(row, "state")?,
                state_changed_at: field(row, "state_change")?,
                query_started_at: field(row, "query_start")?,
            })
        })
        .collect()
}

/// The process that holds the exported snapshot `id`, found by its virtual transaction. It stays
/// in its transaction all the time and would never be clean, but it has written nothing.
pub(crate) fn own_process(session: &mut Session, id: &str) -> Result<Option<i32>, PgError> {
    use sqlx::Row;
    let Some(virtual_id) = virtual_transaction(id) else {
        return Ok(None);
    };
    let row = session.optional_row(
        sql(
            "SELECT l.pid FROM pg_catalog.pg_locks AS l WHERE l.locktype = 'virtualxid' \
             AND l.granted AND l.virtualxid = $1",
        )
        .bind(virtual_id),
    )?;
    let pid = row.map(|row| row.try_get(0)).transpose();
    pid.map_err(|error| PgError::new("finding the snapshot's process", error))
}

/// `00000003-0000001B-1` is the first snapshot exported by the virtual transaction `3/27`.
fn virtual_transaction(snapshot: &str) -> Option<String> {
    let mut parts = snapshot.split('-');
    let backend = u32::from_str_radix(parts.next()?, 16).ok()?;
    let transaction = u32::from_str_radix(parts.next()?, 16).ok()?;
    parts.next().map(|_| format!("{backend}/{transaction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_names_its_transaction() {
        assert_eq!(
            virtual_transaction("00000003-0000001B-1").as_deref(),
            Some("3/27")
        );
        for other in ["", "1-2", "x-1-1"] {
            assert_eq!(virtual_transaction(other), None, "{other}");
        }
    }
}
