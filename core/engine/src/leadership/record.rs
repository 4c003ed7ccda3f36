//! The row that says who leads. It is written where the catalog's tables are in the source and the
//! role may write them; what goes wrong there costs nobody the lead.

use chrono::{DateTime, Utc};
use respaldo_postgres::{Session, field, sql};
use sqlx::postgres::PgRow;

use super::{Instance, Mandate};
use crate::ports::{Fault, FaultKind};

/// One row; made by the catalog's migrations.
const TABLE: (&str, &str) = ("seguridad", "respaldo_leader");

/// Who leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentLeader {
    /// The server's process that holds the lock.
    pub backend: i32,
    /// What it says of itself, where it may.
    pub record: Option<LeaderRecord>,
}

/// What a leader says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaderRecord {
    /// Which one it is.
    pub instance: Instance,
    /// The server's process that holds the lock for it.
    pub backend: i32,
    /// What it does.
    pub state: String,
    /// Grows from leader to leader.
    pub token: i64,
    /// Since when it leads, by the server's clock.
    pub started_at: DateTime<Utc>,
    /// Its last heartbeat, by the server's clock.
    pub heartbeat_at: DateTime<Utc>,
}

/// The rights that a use of the table needs.
const READ: &str = "has_table_privilege(c.oid, 'SELECT')";
const WRITE: &str = "has_table_privilege(c.oid, 'SELECT') \
     AND pg_catalog.has_table_privilege(c.oid, 'INSERT') \
     AND pg_catalog.has_table_privilege(c.oid, 'UPDATE') \
     AND NOT pg_catalog.pg_is_in_recovery()";

/// Whether the table is there and may be used so. Asked of the catalog, for a name in a schema
/// without the right to use it is an error.
fn is_usable(session: &mut Session, rights: &str) -> Result<bool, Fault> {
    let question = format!(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 AND c.relname = $2 \
               AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.{rights})"
    );
    Ok(session.value(sql(question).bind(TABLE.0).bind(TABLE.1))?)
}

/// The token on record, if it can be read, whatever the rest of the record is like.
pub(super) fn token(session: &mut Session) -> Result<Option<i64>, Fault> {
    if_it_makes_sense(read_token(session))
}

fn read_token(session: &mut Session) -> Result<Option<i64>, Fault> {
    let row = record_row(session, "token")?;
    let token = row.map(|row| field(&row, "token")).transpose();
    Ok(token?)
}

/// The record, if there is one that can be read.
pub(super) fn read(session: &mut Session) -> Result<Option<LeaderRecord>, Fault> {
    let columns = "token, instance, host, pid, backend, state, started_at, heartbeat_at";
    let record = record_row(session, columns).and_then(|row| {
        row.map(|row| {
            Ok(LeaderRecord {
                instance: Instance {
                    name: field(&row, "instance")?,
                    host: field(&row, "host")?,
                    pid: u32::try_from(field::<i64>(&row, "pid")?).unwrap_or_default(),
                },
                backend: field(&row, "backend")?,
                state: field(&row, "state")?,
                token: field(&row, "token")?,
                started_at: field(&row, "started_at")?,
                heartbeat_at: field(&row, "heartbeat_at")?,
            })
        })
        .transpose()
    });
    if_it_makes_sense(record)
}

fn record_row(session: &mut Session, columns: &str) -> Result<Option<PgRow>, Fault> {
    if !is_usable(session, READ)? {
        return Ok(None);
    }
    let (schema, table) = TABLE;
    let row = session.optional_row(sql(format!("SELECT {columns} FROM {schema}.{table}")));
    Ok(row?)
}

/// A record that makes no sense is none, and said.
fn if_it_makes_sense<T>(read: Result<Option<T>, Fault>) -> Result<Option<T>, Fault> {
    if let Err(fault) = &read
        && fault.kind != FaultKind::Unavailable
    {
        let why = fault.source.as_ref().map(ToString::to_string);
        tracing::warn!(%fault, why, "who leads is not on record: the lock alone counts");
    }
    without_it(read, None)
}

/// Says that the leader lives. Fails where the connection broke, or a newer leader is on record.
pub(super) fn write(
    session: &mut Session,
    mandate: &Mandate,
    who: &Instance,
    state: &str,
) -> Result<(), Fault> {
    if !is_usable(session, WRITE)? {
        return Ok(());
    }
    let (schema, table) = TABLE;
    let upsert = sql(format!(
        "INSERT INTO {schema}.{table} AS l \
             (single, token, instance, host, pid, backend, state, started_at, heartbeat_at) \
         VALUES (true, $1, $2, $3, $4, $5, $6, pg_catalog.clock_timestamp(), \
                 pg_catalog.clock_timestamp()) \
         ON CONFLICT (single) DO UPDATE SET token = excluded.token, \
             instance = excluded.instance, host = excluded.host, pid = excluded.pid, \
             backend = excluded.backend, state = excluded.state, \
             heartbeat_at = excluded.heartbeat_at, \
             started_at = CASE WHEN l.token = excluded.token THEN l.started_at \
                               ELSE excluded.started_at END \
         WHERE l.token <= excluded.token"
    ))
    .bind(mandate.token)
    .bind(who.name.clone())
    .bind(who.host.clone())
    .bind(i64::from(who.pid))
    .bind(mandate.backend)
    .bind(state.to_owned());
    let written = without_it(session.execute(upsert).map_err(Fault::from), 1)?;
    // A row whose token makes no sense is not replaced either, and is nobody's.
    let on_record = |session| without_it(read_token(session), None);
    if written == 0 && on_record(session)?.is_some_and(|token| token > mandate.token) {
        return Err(Fault::bare(
            FaultKind::Busy,
            "a newer leader than this one is on record",
        ));
    }
    Ok(())
}

/// Says that nobody leads any more: the token stays, for the next one's must be larger.
pub(super) fn erase(session: &mut Session, mandate: &Mandate) -> Result<(), Fault> {
    if !is_usable(session, WRITE)? {
        return Ok(());
    }
    let (schema, table) = TABLE;
    let farewell = sql(format!(
        "UPDATE {schema}.{table} SET state = 'resigned', \
             heartbeat_at = pg_catalog.clock_timestamp() WHERE token = $1"
    ));
    let said = session.execute(farewell.bind(mandate.token));
    without_it(said.map_err(Fault::from), 0).map(drop)
}

/// The lock counts, not the row: what goes wrong with the row alone (somebody locks the table, it
/// was dropped a moment ago, or is another table than ours) is passed over. A connection that broke is not.
fn without_it<T>(done: Result<T, Fault>, otherwise: T) -> Result<T, Fault> {
    match done {
        Err(fault) if fault.kind != FaultKind::Unavailable => {
            tracing::debug!(%fault, "the record of who leads cannot be used now");
            Ok(otherwise)
        }
        done => done,
    }
}
