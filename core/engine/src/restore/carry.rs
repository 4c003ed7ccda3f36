//! Rows of our own operational tables, carried from the replaced database into its successor:
//! no backup holds them, and the record of backups must not go back in time with the data.

use respaldo_domain::report::WarningCode;
use respaldo_domain::table::{TableName, quote_identifier, quote_literal};
use respaldo_postgres::{ConnInfo, PgError, Session, SessionOptions, sql};
use sqlx::Row;

use super::Restore;
use crate::backup::chain;
use crate::ports::{Fault, FaultKind};

/// Copies what both databases have a table for. A table that cannot be carried is said; manifests
/// in storage bring the backups themselves back.
pub(super) fn carry_over(
    restore: &mut Restore<'_>,
    old: &ConnInfo,
    new: &ConnInfo,
) -> Result<(), Fault> {
    if let Some(catalog) = &restore.parts.catalog {
        catalog.migrate()?;
    }
    let mut from = Session::connect(old, &SessionOptions::default())?;
    let mut to = Session::connect(new, &SessionOptions::default())?;
    for table in restore.parts.settings.operational.clone() {
        if let Err(fault) = carry_table(&mut from, &mut to, &table) {
            restore.warn(
                WarningCode::CatalogBehind,
                format!("{table}: {}", chain(&fault)),
            );
            to = Session::connect(new, &SessionOptions::default())?;
        }
    }
    Ok(())
}

fn carry_table(from: &mut Session, to: &mut Session, table: &TableName) -> Result<(), Fault> {
    let there = columns(to, table)?;
    let columns: Vec<String> = columns(from, table)?
        .into_iter()
        .filter(|column| there.contains(column))
        .collect();
    if columns.is_empty() {
        return Ok(());
    }
    let list = columns
        .iter()
        .map(|name| quote_identifier(name))
        .collect::<Vec<_>>()
        .join(", ");
    let name = table.quoted();
    let mut text = Vec::new();
    from.copy_out(&format!("COPY {name} ({list}) TO STDOUT"), |piece| {
        text.extend_from_slice(piece);
        Ok::<(), Fault>(())
    })?;
    // In one transaction, foreign keys last: rows may refer to rows of the next table.
    to.batch("BEGIN")?;
    to.execute(sql(format!("DELETE FROM {name}")))?;
    let mut copy = to.copy_in(&format!("COPY {name} ({list}) FROM STDIN"))?;
    copy.send(&text)?;
    copy.finish()?;
    advance_sequences(to, &name, &columns)?;
    Ok(to.batch("COMMIT")?)
}

fn columns(session: &mut Session, table: &TableName) -> Result<Vec<String>, Fault> {
    let rows = session.rows(
        sql("SELECT a.attname::text FROM pg_catalog.pg_attribute a \
             JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped \
               AND a.attgenerated = '' ORDER BY a.attnum")
        .bind(&table.schema)
        .bind(&table.name),
    )?;
    let wrong = |e| Fault::new(FaultKind::Internal, "reading columns", e);
    rows.iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()
        .map_err(wrong)
}

/// Identity columns go on after the highest number carried.
fn advance_sequences(
    session: &mut Session,
    table: &str,
    columns: &[String],
) -> Result<(), PgError> {
    for column in columns {
        let (table_text, column_text) = (quote_literal(table), quote_literal(column));
        let quoted = quote_identifier(column);
        let sequence = format!("pg_catalog.pg_get_serial_sequence({table_text}, {column_text})");
        let owned: Option<String> = session.value(sql(format!("SELECT {sequence}")))?;
        if let Some(sequence) = owned {
            let sequence = quote_literal(&sequence);
            session.rows(sql(format!(
                "SELECT pg_catalog.setval({sequence}, m) \
                 FROM (SELECT pg_catalog.max({quoted}) AS m FROM {table}) s WHERE m IS NOT NULL"
            )))?;
        }
    }
    Ok(())
}
