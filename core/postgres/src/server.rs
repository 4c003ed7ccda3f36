//! Who the server and the database are.
//!
//! Everything is asked of functions and views that any role may use, on a primary and on a
//! standby, from version 12 on.

use chrono::{DateTime, FixedOffset, Utc};
use respaldo_domain::source::{DatabaseProperties, Lineage, SourceFacts};
use respaldo_domain::table::Oid;
use sqlx::postgres::PgRow;

use crate::rows::field;
use crate::session::{PgError, Session, sql};

/// Identity, history and properties of the database the session is in.
pub fn source_facts(session: &mut Session) -> Result<SourceFacts, PgError> {
    let version = version_num(session)?;
    let row = session.row(sql(DATABASE))?;
    let in_recovery = field(&row, "in_recovery")?;
    Ok(SourceFacts {
        database: field(&row, "database")?,
        server_version_num: version,
        lineage: lineage(session, &row, in_recovery)?,
        in_recovery,
        role: field(&row, "role")?,
        superuser: field(&row, "superuser")?,
        reads_all_stats: field(&row, "reads_all_stats")?,
        properties: properties(session, &row, version)?,
    })
}

/// `server_version_num`, for example 150020.
pub fn version_num(session: &mut Session) -> Result<u32, PgError> {
    let text: String = session.value(sql(
        "SELECT pg_catalog.current_setting('server_version_num')",
    ))?;
    Ok(text.parse().unwrap_or_default())
}

/// Whether the database holds nothing that its template did not have.
pub fn is_empty(session: &mut Session) -> Result<bool, PgError> {
    session.value(sql(
        "SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname::text !~ '^pg_' AND n.nspname <> 'information_schema') \
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n \
             WHERE n.nspname::text !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'public')) \
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_proc p \
             JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'public') \
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_type t \
             JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace AND n.nspname = 'public') \
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata)",
    ))
}

/// The WAL position: written by a primary, replayed by a standby.
pub fn lsn(session: &mut Session) -> Result<Option<String>, PgError> {
    session
        .value(sql("SELECT pg_catalog.format('%s', l) FROM (SELECT \
         CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() \
         ELSE pg_catalog.pg_current_wal_lsn() END AS l) AS s"))
        .map(|text: Option<String>| text.filter(|text| !text.is_empty()))
}

/// Lifts the limits of newer versions under which a long or idle transaction of ours would die;
/// the other sessions' settings are the same on every version and made when connecting.
pub fn lift_time_limits(session: &mut Session) -> Result<(), PgError> {
    session
        .rows(sql("SELECT pg_catalog.set_config(s.name, '0', false) \
             FROM pg_catalog.pg_settings AS s \
             WHERE s.name IN ('transaction_timeout', 'idle_session_timeout')"))
        .map(drop)
}

/// `format('%s', ...)` prints by the type's output function: a cast to text may be the user's own.
const DATABASE: &str = "
SELECT d.oid::int8 AS oid,
       d.datname::text AS database,
       pg_catalog.pg_is_in_recovery() AS in_recovery,
       r.rolname::text AS role,
       r.rolsuper AS superuser,
       pg_catalog.pg_has_role(r.oid, 'pg_read_all_stats', 'USAGE') AS reads_all_stats,
       pg_catalog.pg_postmaster_start_time() AS server_started_at,
       (SELECT stats_reset FROM pg_catalog.pg_stat_archiver) AS archiver_reset_at,
       (SELECT stats_reset FROM pg_catalog.pg_stat_bgwriter) AS bgwriter_reset_at,
       pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding,
       pg_catalog.format('%s', d.datcollate) AS collate,
       pg_catalog.format('%s', d.datctype) AS ctype,
       pg_catalog.pg_get_userbyid(d.datdba)::text AS owner,
       d.datacl IS NOT NULL AS has_acl,
       ARRAY(SELECT pg_catalog.format('%s', i) FROM pg_catalog.unnest(d.datacl) AS i) AS acl,
       pg_catalog.shobj_description(d.oid, 'pg_database') AS comment,
       d.datconnlimit AS connection_limit,
       (SELECT s.spcname::text FROM pg_catalog.pg_tablespace AS s
         WHERE s.oid = d.dattablespace) AS tablespace
  FROM pg_catalog.pg_database AS d, pg_catalog.pg_roles AS r
 WHERE d.datname = pg_catalog.current_database() AND r.rolname = CURRENT_USER";

fn lineage(session: &mut Session, row: &PgRow, in_recovery: bool) -> Result<Lineage, PgError> {
    let may_see_control = control_data_allowed(session)?;
    Ok(Lineage {
        system_identifier: system_identifier(session, may_see_control)?,
        database_oid: Oid(field::<i64>(row, "oid")? as u32),
        timeline: timeline(session, in_recovery, may_see_control)?,
        server_started_at: field::<DateTime<Utc>>(row, "server_started_at")?.fixed_offset(),
        archiver_reset_at: time(row, "archiver_reset_at")?,
        bgwriter_reset_at: time(row, "bgwriter_reset_at")?,
    })
}

fn time(row: &PgRow, name: &str) -> Result<Option<DateTime<FixedOffset>>, PgError> {
    Ok(field::<Option<DateTime<Utc>>>(row, name)?.map(|at| at.fixed_offset()))
}

/// Any role may call these functions unless the operator took that away.
fn control_data_allowed(session: &mut Session) -> Result<bool, PgError> {
    session.value(sql("SELECT pg_catalog.bool_and(\
         pg_catalog.has_function_privilege(f, 'EXECUTE')) FROM pg_catalog.unnest(ARRAY[\
         'pg_catalog.pg_control_system()', 'pg_catalog.pg_control_checkpoint()', \
         'pg_catalog.pg_control_recovery()']) AS f"))
}

/// The cluster's own identifier. Where the role may not ask for it: a hash of the times from
/// which the cluster-wide statistics count. They differ between clusters and stay the same over
/// clean restarts; a crash renews them, so it costs a needless full and never a false base.
fn system_identifier(session: &mut Session, allowed: bool) -> Result<u64, PgError> {
    let text = if allowed {
        "SELECT system_identifier FROM pg_catalog.pg_control_system()"
    } else {
        "SELECT pg_catalog.hashtextextended(pg_catalog.format('%s %s', \
         (SELECT stats_reset FROM pg_catalog.pg_stat_archiver), \
         (SELECT stats_reset FROM pg_catalog.pg_stat_bgwriter)) COLLATE pg_catalog.\"C\", 0)"
    };
    session.value::<i64>(sql(text)).map(|id| id as u64)
}

/// A primary's timeline is that of the WAL it writes: the control file lags behind a promotion
/// until the next checkpoint. A standby has only the control file (0: not allowed to see it).
fn timeline(session: &mut Session, in_recovery: bool, allowed: bool) -> Result<u32, PgError> {
    if !in_recovery {
        let file: String = session.value(sql(
            "SELECT pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn())",
        ))?;
        return Ok(file
            .get(..8)
            .and_then(|hex| u32::from_str_radix(hex, 16).ok())
            .unwrap_or(0));
    }
    if !allowed {
        return Ok(0);
    }
    session
        .value::<i32>(sql(
            "SELECT GREATEST(c.timeline_id, r.min_recovery_end_timeline) \
             FROM pg_catalog.pg_control_checkpoint() AS c, pg_catalog.pg_control_recovery() AS r",
        ))
        .map(|timeline| timeline as u32)
}

fn properties(
    session: &mut Session,
    row: &PgRow,
    version: u32,
) -> Result<DatabaseProperties, PgError> {
    let (locale_provider, locale) = locale(session, version)?;
    let has_acl: bool = field(row, "has_acl")?;
    Ok(DatabaseProperties {
        encoding: field(row, "encoding")?,
        collate: field(row, "collate")?,
        ctype: field(row, "ctype")?,
        locale_provider,
        locale,
        owner: field(row, "owner")?,
        acl: has_acl.then(|| field(row, "acl")).transpose()?,
        comment: field(row, "comment")?,
        connection_limit: field(row, "connection_limit")?,
        settings: settings(session)?,
        tablespace: field(row, "tablespace")?,
    })
}

/// Provider and locale of ICU or builtin collation: columns that came with 15 and were renamed
/// in 17.
fn locale(
    session: &mut Session,
    version: u32,
) -> Result<(Option<String>, Option<String>), PgError> {
    let column = match version {
        170_000.. => "datlocale",
        150_000.. => "daticulocale",
        _ => return Ok((None, None)),
    };
    let row = session.row(sql(format!(
        "SELECT datlocprovider::text AS provider, {column}::text AS locale \
         FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()"
    )))?;
    Ok((field(&row, "provider")?, field(&row, "locale")?))
}

fn settings(session: &mut Session) -> Result<Vec<(String, String)>, PgError> {
    let rows = session.rows(sql(
        "SELECT COALESCE(r.rolname::text, '') AS role, c AS setting \
         FROM pg_catalog.pg_db_role_setting AS s \
         JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase \
         LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole \
         CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c \
         WHERE d.datname = pg_catalog.current_database() ORDER BY 1, 2",
    ))?;
    rows.iter()
        .map(|row| Ok((field(row, "role")?, field(row, "setting")?)))
        .collect()
}
