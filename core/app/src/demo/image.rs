//! What a database holds, taken without the backup's help: definitions as stock pg_dump prints
//! them, every table's rows, every sequence.

use std::collections::BTreeMap;
use std::time::Duration;

use respaldo_contract::operational::SCHEMA;
use respaldo_domain::fingerprint::RowFingerprint;
use respaldo_domain::table::TableName;
use respaldo_postgres::{ConnInfo, PgError, Session, SessionOptions, Tools, field, sql};

use crate::failure::Failure;

/// The image of a database, but for our own schema.
#[derive(Debug, PartialEq, Eq)]
pub struct Image {
    definitions: String,
    rows: BTreeMap<TableName, RowFingerprint>,
    sequences: BTreeMap<String, String>,
}

const LIMIT: Duration = Duration::from_mins(1);

impl Image {
    /// Takes it. Nothing may be writing meanwhile.
    pub fn take(info: &ConnInfo, tools: &Tools) -> Result<Self, Failure> {
        let mut session = Session::connect(info, &SessionOptions::default())?;
        let tables = relations(&mut session, 'r')?;
        let rows = tables.into_iter().map(|table| {
            let rows = rows_of(&mut session, &table)?;
            Ok((table, rows))
        });
        let rows = rows.collect::<Result<_, PgError>>()?;
        let sequences = relations(&mut session, 'S')?.into_iter().map(|name| {
            let values = format!(
                "SELECT last_value || ' ' || is_called FROM {}",
                name.quoted()
            );
            Ok((name.to_string(), session.value(sql(values))?))
        });
        let sequences = sequences.collect::<Result<_, PgError>>()?;
        Ok(Self {
            definitions: definitions(info, tools)?,
            rows,
            sequences,
        })
    }

    /// Number of tables.
    pub fn tables(&self) -> usize {
        self.rows.len()
    }

    /// Rows of all tables.
    pub fn row_count(&self) -> u64 {
        self.rows.values().map(|print| print.rows).sum()
    }

    /// What differs between two images, by name.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let names = self.rows.keys().chain(other.rows.keys());
        let mut differ: Vec<String> = names
            .filter(|name| self.rows.get(name) != other.rows.get(name))
            .map(ToString::to_string)
            .collect();
        let names = self.sequences.keys().chain(other.sequences.keys());
        let sequences =
            names.filter(|name| self.sequences.get(*name) != other.sequences.get(*name));
        differ.extend(sequences.cloned());
        if self.definitions != other.definitions {
            differ.push("pg_dump --schema-only".to_owned());
        }
        differ.dedup();
        differ
    }
}

fn relations(session: &mut Session, kind: char) -> Result<Vec<TableName>, PgError> {
    let question = format!(
        "SELECT n.nspname::text AS schema, c.relname::text AS name FROM pg_catalog.pg_class c \
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
          WHERE c.relkind = '{kind}' AND n.nspname NOT LIKE 'pg\\_%' \
            AND n.nspname NOT IN ('information_schema', '{SCHEMA}') ORDER BY 1, 2"
    );
    let rows = session.rows(sql(question))?;
    let name = |row| {
        Ok(TableName::new(
            field::<String>(row, "schema")?,
            field::<String>(row, "name")?,
        ))
    };
    rows.iter().map(name).collect()
}

fn rows_of(session: &mut Session, table: &TableName) -> Result<RowFingerprint, PgError> {
    let mut print = RowFingerprint::default();
    let mut rest = Vec::new();
    session.copy_out::<PgError>(&format!("COPY {} TO STDOUT", table.quoted()), |bytes| {
        rest.extend_from_slice(bytes);
        let whole = rest
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let lines = rest[..whole].split_inclusive(|byte| *byte == b'\n');
        lines.for_each(|line| print.add(&line[..line.len() - 1]));
        rest.drain(..whole);
        Ok(())
    })?;
    Ok(print)
}

/// The definitions as text. Newer tools guard their output with a random word on lines of their
/// own, which is no part of it.
fn definitions(info: &ConnInfo, tools: &Tools) -> Result<String, Failure> {
    let command = tools
        .pg_dump
        .command(info)
        .args(["--schema-only", "--exclude-schema", SCHEMA]);
    let done = command.run(&|| false, LIMIT)?;
    let text = String::from_utf8_lossy(&done.output);
    let guard = |line: &&str| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict");
    Ok(text.lines().filter(guard).collect::<Vec<_>>().join("\n"))
}
