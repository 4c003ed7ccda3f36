//! The comparison after loading: every table's rows, read back, against its fingerprint.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use respaldo_archive::{CopyLines, RowPart};
use respaldo_domain::fingerprint::{Fingerprinting, RowFingerprint};
use respaldo_domain::report::{TableDifference, Verification, WarningCode};
use respaldo_domain::restore_plan::RestorePlan;
use respaldo_domain::table::{Column, TableName, quote_identifier, quote_literal};
use respaldo_postgres::{ConnInfo, CopyOut, CopySession, Session, SessionOptions, sql};
use sqlx::Row;

use super::{Restore, RestoreError, crowd};
use crate::ports::{Context, Fault, FaultKind};
use crate::row_parts::add_part;

/// A relation to be read back, and what it must hold.
struct Expected {
    name: TableName,
    columns: Arc<[Column]>,
    fingerprint: RowFingerprint,
    plain_bytes: u64,
}

/// Compares every loaded table.
pub(super) fn compare(
    restore: &Restore<'_>,
    plan: &RestorePlan,
    database: &ConnInfo,
) -> Result<Verification, RestoreError> {
    restore
        .enter("restore.verify")
        .map_err(RestoreError::Server)?;
    let expected = expected(plan);
    let conditions = conditions(database).map_err(RestoreError::Server)?;
    let found =
        read_back(restore, &expected, &conditions, database).map_err(RestoreError::Server)?;
    let mut verification = Verification {
        tables: expected.len(),
        ..Verification::default()
    };
    for (expected, found) in expected.into_iter().zip(found) {
        if expected.fingerprint == found {
            verification.equal += 1;
            continue;
        }
        let excuse = excuse(&expected.columns, expected.fingerprint.rows == found.rows);
        verification.different.push(TableDifference {
            table: expected.name,
            expected: expected.fingerprint,
            found,
            excuse,
        });
    }
    Ok(verification)
}

/// A difference without an excuse fails the restore; one with an excuse is said.
pub(super) fn accept(
    restore: &mut Restore<'_>,
    verification: Verification,
) -> Result<Verification, RestoreError> {
    if verification
        .different
        .iter()
        .any(|difference| difference.excuse.is_none())
    {
        return Err(RestoreError::Differs(verification));
    }
    for difference in &verification.different {
        let excuse = difference.excuse.as_deref().unwrap_or_default();
        restore.warn(
            WarningCode::NotComparable,
            format!("{}: {excuse}", difference.table),
        );
    }
    Ok(verification)
}

/// What each relation must hold. Rows loaded through an ancestor may be in other leaves than
/// before, so there the ancestor as a whole is compared.
fn expected(plan: &RestorePlan) -> Vec<Expected> {
    let mut grouped: BTreeMap<TableName, Expected> = BTreeMap::new();
    for load in &plan.loads {
        let name = load.entry.load_via.as_ref().unwrap_or(&load.entry.name);
        let entry = grouped.entry(name.clone()).or_insert_with(|| Expected {
            name: name.clone(),
            columns: Arc::clone(&load.entry.columns),
            fingerprint: RowFingerprint::default(),
            plain_bytes: 0,
        });
        entry.fingerprint.merge(load.data.fingerprint);
        entry.plain_bytes += load.data.plain_bytes;
    }
    let mut largest_first: Vec<Expected> = grouped.into_values().collect();
    largest_first.sort_by_key(|expected| Reverse(expected.plain_bytes));
    largest_first
}

/// Why the text of rows may differ in another database, where it may.
fn excuse(columns: &[Column], same_count: bool) -> Option<String> {
    let names_objects =
        |column: &&Column| column.sql_type.trim_end_matches("[]").starts_with("reg");
    let column = columns.iter().find(names_objects).filter(|_| same_count)?;
    Some(format!(
        "column {} of type {} prints other objects' names",
        column.name, column.sql_type
    ))
}

/// Row conditions of extensions' configuration tables: a dump holds only the user's rows of them.
fn conditions(database: &ConnInfo) -> Result<BTreeMap<TableName, String>, Fault> {
    let mut session = Session::connect(database, &SessionOptions::default())?;
    let rows = session.rows(sql("SELECT n.nspname::text, c.relname::text, x.cond \
         FROM pg_catalog.pg_extension e, \
              ROWS FROM (pg_catalog.unnest(e.extconfig), pg_catalog.unnest(e.extcondition)) \
                AS x(rel, cond) \
         JOIN pg_catalog.pg_class c ON c.oid = x.rel \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"))?;
    let wrong = |e| Fault::new(FaultKind::Internal, "reading extensions", e);
    let read = |row: &sqlx::postgres::PgRow| {
        let name = TableName::new(row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?);
        Ok((
            name,
            row.try_get::<Option<String>, _>(2)?.unwrap_or_default(),
        ))
    };
    rows.iter()
        .map(read)
        .collect::<Result<_, sqlx::Error>>()
        .map_err(wrong)
}

/// Fingerprints of all relations, with several sessions.
fn read_back(
    restore: &Restore<'_>,
    expected: &[Expected],
    conditions: &BTreeMap<TableName, String>,
    database: &ConnInfo,
) -> Result<Vec<RowFingerprint>, Fault> {
    let found = Mutex::new(vec![RowFingerprint::default(); expected.len()]);
    let connect = || Ok(CopySession::connect(database, &SessionOptions::default())?);
    let (jobs, cx) = (restore.jobs(), restore.cx);
    crowd::for_each(expected, jobs, cx, connect, |session, index, table| {
        let condition = conditions.get(&table.name).map_or("", String::as_str);
        let print = fingerprint(session, &table.name, &table.columns, condition, cx)?;
        if let Ok(mut found) = found.lock() {
            found[index] = print;
        }
        Ok(())
    })?;
    found
        .into_inner()
        .map_err(|_| Fault::bare(FaultKind::Internal, "a comparison panicked"))
}

/// Count and hash of the rows a relation holds now: the text COPY prints under the settings every
/// session of ours has, which are pg_dump's.
pub(crate) fn fingerprint(
    session: &mut impl CopyOut,
    table: &TableName,
    columns: &[Column],
    condition: &str,
    cx: &Context,
) -> Result<RowFingerprint, Fault> {
    let mut print = Fingerprinting::default();
    let mut lines = CopyLines::new();
    let broken = |e| Fault::new(FaultKind::Corrupt, "COPY text cannot be split into rows", e);
    let statement = copy_out(has_own_rows(session, table)?, table, columns, condition);
    session.copy_out(&statement, |text| {
        cx.check()?;
        let row = |part: RowPart<'_>| add_part(&mut print, part);
        lines.push(text, row).map_err(broken)
    })?;
    lines.push(b"\\.\n", |_| {}).map_err(broken)?;
    lines.finish().map_err(broken)?;
    Ok(print.finish())
}

/// Whether the relation has rows of its own; a partitioned one is read with its leaves.
fn has_own_rows(session: &mut impl CopyOut, table: &TableName) -> Result<bool, Fault> {
    let name = table.quoted();
    let question = format!(
        "SELECT (relkind <> 'p')::pg_catalog.text FROM pg_catalog.pg_class WHERE oid = {}::pg_catalog.regclass",
        quote_literal(&name)
    );
    Ok(session.text(&question)? == "true")
}

/// A table is printed without a query where that says the same: it is cheaper.
fn copy_out(leaf: bool, table: &TableName, columns: &[Column], condition: &str) -> String {
    let names: Vec<String> = columns
        .iter()
        .map(|column| quote_identifier(&column.name))
        .collect();
    let (names, name) = (names.join(", "), table.quoted());
    if leaf && condition.is_empty() && !names.is_empty() {
        return format!("COPY {name} ({names}) TO STDOUT");
    }
    let only = if leaf { "ONLY " } else { "" };
    format!("COPY (SELECT {names} FROM {only}{name} {condition}) TO STDOUT")
}
