//! Relations as the snapshot sees them: what pg_dump would dump data of if it were not told.

use std::collections::HashSet;
use std::time::Duration;

use respaldo_domain::table::{Oid, TableName, quote_literal};
use respaldo_engine::ports::{DumpRequest, Fault};
use respaldo_postgres::{PgError, Session, SessionOptions, field, sql};
use sqlx::postgres::PgRow;

const RELATIONS: &str = "
SELECT c.oid::int8 AS oid, n.nspname::text AS schema, c.relname::text AS name,
       c.relkind::text AS kind,
       EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS d
               WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
               AND d.objsubid = 0 AND d.deptype = 'e') AS is_member,
       EXISTS (SELECT 1 FROM pg_catalog.pg_extension AS e WHERE c.oid = ANY (e.extconfig)) AS is_config
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'S') AND c.relpersistence <> 't'
AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY n.nspname, c.relname";

/// What has data in a dump.
#[derive(Debug, Default)]
pub(crate) struct Relations {
    /// Ordinary tables outside extensions and outside the scope.
    pub(super) excluded: Vec<(Oid, TableName)>,
    /// Materialized views.
    pub(super) views: Vec<TableName>,
    /// Sequences whose value is dumped.
    pub(super) sequences: Vec<TableName>,
    /// Tables and sequences of extensions that hold the user's configuration.
    pub(super) configuration: Vec<TableName>,
    /// Sequences that this role may not read: their definition needs no right.
    pub(super) unreadable_sequences: Vec<TableName>,
    /// Tables that this role may not even lock.
    pub(super) left_out: Vec<TableName>,
}

struct Relation {
    oid: Oid,
    name: TableName,
    kind: String,
    is_member: bool,
    is_config: bool,
}

impl Relations {
    /// Reads and sorts them.
    pub(crate) fn read(request: &DumpRequest) -> Result<Self, Fault> {
        let mut session = in_snapshot(request)?;
        let all = session.each_row(sql(RELATIONS), relation)?;
        session.close()?;
        Ok(Self::sort(request, all))
    }

    fn sort(request: &DumpRequest, all: Vec<Relation>) -> Self {
        let scope: HashSet<Oid> = request.tables.iter().map(|table| table.oid).collect();
        let leave_out: HashSet<&TableName> = request.leave_out.iter().collect();
        let mut sorted = Self::default();
        for relation in all {
            let Relation {
                oid,
                name,
                kind,
                is_member,
                is_config,
            } = relation;
            let is_left_out = leave_out.contains(&name);
            match kind.as_str() {
                _ if request.exclude_schemas.contains(&name.schema) => {}
                "S" if is_left_out => sorted.unreadable_sequences.push(name),
                _ if is_left_out => sorted.left_out.push(name),
                _ if is_config => sorted.configuration.push(name),
                _ if is_member || scope.contains(&oid) => {}
                "S" => sorted.sequences.push(name),
                "m" => sorted.views.push(name),
                _ => sorted.excluded.push((oid, name)),
            }
        }
        // Kinds that have no data, such as partitioned tables, were not read.
        let known: HashSet<TableName> = sorted
            .left_out
            .iter()
            .chain(&sorted.unreadable_sequences)
            .cloned()
            .collect();
        let others = request
            .leave_out
            .iter()
            .filter(|name| !known.contains(name));
        sorted.left_out.extend(others.cloned());
        sorted
    }
}

/// A session that sees what the snapshot sees.
pub(crate) fn in_snapshot(request: &DumpRequest) -> Result<Session, Fault> {
    let mut session = Session::connect(&request.target.conninfo, &limits(request))?;
    for statement in enter(request) {
        session.batch(&statement)?;
    }
    Ok(session)
}

/// The same, for copying.
#[cfg(feature = "parallel")]
pub(crate) fn copying_in_snapshot(
    request: &DumpRequest,
) -> Result<respaldo_postgres::CopySession, Fault> {
    use respaldo_postgres::CopySession;

    let mut session = CopySession::connect(&request.target.conninfo, &limits(request))?;
    for statement in enter(request) {
        session.batch(&statement)?;
    }
    Ok(session)
}

fn limits(request: &DumpRequest) -> SessionOptions {
    SessionOptions {
        lock_timeout: Duration::from_millis(request.lock_timeout_ms),
        ..SessionOptions::default()
    }
}

/// A snapshot is taken over by the first statement of a transaction.
fn enter(request: &DumpRequest) -> [String; 2] {
    let snapshot = quote_literal(&request.snapshot);
    [
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned(),
        format!("SET TRANSACTION SNAPSHOT {snapshot}"),
    ]
}

fn relation(row: &PgRow) -> Result<Relation, PgError> {
    let oid: i64 = field(row, "oid")?;
    let (schema, name): (String, String) = (field(row, "schema")?, field(row, "name")?);
    Ok(Relation {
        oid: Oid(oid as u32),
        name: TableName { schema, name },
        kind: field(row, "kind")?,
        is_member: field(row, "is_member")?,
        is_config: field(row, "is_config")?,
    })
}
