//! Planner statistics of the restored database, and the point from which all of it lasts.
//!
//! Full statistics of a table cost as much for a small table as for a huge one, up to a third of a
//! restore of many middling tables. So a table whose statistics autovacuum keeps is sampled in
//! proportion to its size, and in a way that leaves autovacuum its count of changed rows: it
//! gathers the rest soon, as it does after any bulk load. All others are sampled in full.

use respaldo_domain::table::TableName;
use respaldo_postgres::{ConnInfo, Session, SessionOptions, sql};
use sqlx::Row;

use super::{Restore, RestoreError, crowd};
use crate::ports::{Fault, FaultKind};

/// Heap bytes for which the statistics target grows by one: of every table some percent of its rows
/// are sampled.
const BYTES_PER_TARGET: i64 = 4 << 20;

/// Targets below tell the planner too little.
const LEAST_TARGET: i64 = 10;

/// Tables that the role may analyze, largest first so that the last to begin are short: name, bytes,
/// columns, and whether autovacuum will gather all that we would.
const TABLES: &str = "SELECT n.nspname::text, c.relname::text, \
      pg_catalog.pg_relation_size(c.oid), \
      (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ') \
       FROM pg_catalog.pg_attribute a \
       WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), \
      pg_catalog.current_setting('autovacuum') = 'on' \
        AND pg_catalog.current_setting('track_counts') = 'on' \
        AND c.relkind <> 'p' AND NOT c.relhassubclass \
        AND coalesce(c.reloptions::text, '') NOT LIKE '%autovacuum\\_%' \
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i \
          WHERE i.indrelid = c.oid AND i.indexprs IS NOT NULL), \
      pg_catalog.current_setting('default_statistics_target')::bigint \
    FROM pg_catalog.pg_class c \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'm', 'p') AND n.nspname::text !~ '^pg_' \
      AND n.nspname <> 'information_schema' \
      AND pg_catalog.pg_has_role(c.relowner, 'USAGE') \
    ORDER BY c.relkind = 'p' DESC, 3 DESC";

/// Gathers statistics, one table at a time per session, so that an interruption is heard.
pub(super) fn analyze(restore: &Restore<'_>, database: &ConnInfo) -> Result<(), RestoreError> {
    restore
        .enter("restore.analyze")
        .and_then(|()| analyze_all(restore, database))
        .map_err(RestoreError::Definitions)
}

fn analyze_all(restore: &Restore<'_>, database: &ConnInfo) -> Result<(), Fault> {
    let wrong = |e| Fault::new(FaultKind::Internal, "reading the list of tables", e);
    let rows = connect(database, "off")?.rows(sql(TABLES))?;
    let tables: Result<Vec<Table>, _> = rows.iter().map(Table::read).collect();
    let tables = tables.map_err(wrong)?;
    let connect = || connect(database, "off");
    let (jobs, cx) = (restore.jobs(), restore.cx);
    crowd::for_each(&tables, jobs, cx, connect, |session, _, table| {
        Ok(session.batch(&table.statements())?)
    })
}

fn connect(database: &ConnInfo, synchronous_commit: &str) -> Result<Session, Fault> {
    let mut options = SessionOptions::default();
    let setting = (
        "synchronous_commit".to_owned(),
        synchronous_commit.to_owned(),
    );
    options.settings.push(setting);
    Ok(Session::connect(database, &options)?)
}

/// A table to be sampled.
struct Table {
    name: TableName,
    bytes: i64,
    columns: Option<String>,
    is_kept: bool,
    full_target: i64,
}

impl Table {
    fn read(row: &sqlx::postgres::PgRow) -> Result<Self, sqlx::Error> {
        let (schema, name): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        Ok(Self {
            name: TableName::new(schema, name),
            bytes: row.try_get(2)?,
            columns: row.try_get(3)?,
            is_kept: row.try_get(4)?,
            full_target: row.try_get(5)?,
        })
    }

    fn statements(&self) -> String {
        let target = (self.bytes / BYTES_PER_TARGET).max(LEAST_TARGET);
        let name = self.name.quoted();
        match &self.columns {
            // With its columns named, the table's count of changes stays as it is.
            Some(columns) if self.is_kept && target < self.full_target => {
                format!("SET default_statistics_target = {target}; ANALYZE {name} ({columns})")
            }
            _ => format!("RESET default_statistics_target; ANALYZE {name}"),
        }
    }
}

/// Nothing so far waited for the disk. WAL is one sequence: once this record lasts, so does
/// everything before it.
pub(super) fn make_durable(database: &ConnInfo) -> Result<(), RestoreError> {
    let emit = "SELECT pg_catalog.pg_logical_emit_message(true, 'respaldo', 'restored')";
    connect(database, "local")
        .and_then(|mut session| Ok(session.rows(sql(emit))?))
        .map(drop)
        .map_err(RestoreError::Definitions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(bytes: i64, is_kept: bool) -> String {
        let table = Table {
            name: TableName::new("s", "t"),
            bytes,
            columns: Some("a, b".to_owned()),
            is_kept,
            full_target: 100,
        };
        table.statements()
    }

    #[test]
    fn a_table_is_sampled_by_its_size_where_autovacuum_gathers_the_rest() {
        let sampled = |target| {
            format!("SET default_statistics_target = {target}; ANALYZE \"s\".\"t\" (a, b)")
        };
        assert_eq!(table(1, true), sampled(10));
        assert_eq!(table(80 << 20, true), sampled(20));
        let full = "RESET default_statistics_target; ANALYZE \"s\".\"t\"";
        assert_eq!(table(80 << 20, false), full);
        assert_eq!(table(1 << 30, true), full);
    }
}
