//! Values of sequences, which follow no snapshot: as they are at the moment of reading, which is
//! after the snapshot was taken, as pg_dump reads them too.

use std::collections::{BTreeSet, HashMap};

use respaldo_domain::table::TableName;
use respaldo_engine::ports::{DumpRequest, Fault};
use respaldo_postgres::{PgError, Session, field, sql};
use sqlx::postgres::PgRow;

use super::catalog::in_snapshot;

/// What a sequence is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    /// Its name as the server quotes it, which is as pg_dump does.
    pub(super) quoted: String,
    pub(super) last: i64,
    /// Whether that one was given out.
    pub(super) is_called: bool,
}

/// All in one statement, from the catalog that has them alone. The function says nothing of a sequence that was never
/// called; asked of anything else it fails, and conditions beside one another are tried in any order.
const CALLED: &str = "
SELECT n.nspname::text AS schema, c.relname::text AS name,
       pg_catalog.format('%I.%I', n.nspname, c.relname) AS quoted,
       pg_catalog.pg_sequence_last_value(c.oid) AS last
FROM pg_catalog.pg_sequence AS q
JOIN pg_catalog.pg_class AS c ON c.oid = q.seqrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relpersistence <> 't'
AND ($1::text[] IS NULL OR n.nspname::text = ANY ($1::text[]))
AND CASE c.relkind WHEN 'S' THEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT') END";

/// Sequences read by one statement, each by its name.
const AT_ONCE: usize = 200;

/// Which sequences are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of<'a> {
    All,
    Schemas(&'a BTreeSet<String>),
}

/// The values of sequences that this role may read.
pub(super) fn values(
    request: &DumpRequest,
    of: Of<'_>,
) -> Result<HashMap<TableName, Value>, Fault> {
    let schemas: Option<Vec<&str>> = match of {
        Of::All => None,
        Of::Schemas(schemas) => Some(schemas.iter().map(String::as_str).collect()),
    };
    let mut session = in_snapshot(request)?;
    let mut values = HashMap::new();
    let mut uncalled = Vec::new();
    for Sequence { name, quoted, last } in session.each_row(sql(CALLED).bind(schemas), called)? {
        match last {
            Some(last) => {
                let value = Value {
                    quoted,
                    last,
                    is_called: true,
                };
                values.insert(name, value);
            }
            None => uncalled.push((name, quoted)),
        }
    }
    for names in uncalled.chunks(AT_ONCE) {
        values.extend(read(&mut session, names)?);
    }
    session.close()?;
    Ok(values)
}

struct Sequence {
    name: TableName,
    quoted: String,
    /// `None` where it was never called.
    last: Option<i64>,
}

fn called(row: &PgRow) -> Result<Sequence, PgError> {
    let (schema, name): (String, String) = (field(row, "schema")?, field(row, "name")?);
    Ok(Sequence {
        name: TableName { schema, name },
        quoted: field(row, "quoted")?,
        last: field(row, "last")?,
    })
}

/// Reads sequences by name.
fn read(
    session: &mut Session,
    names: &[(TableName, String)],
) -> Result<Vec<(TableName, Value)>, PgError> {
    let one = |(place, (_, quoted)): (usize, &(TableName, String))| {
        format!("SELECT {place}::int8 AS place, last_value AS last, is_called FROM {quoted}")
    };
    let all: Vec<_> = names.iter().enumerate().map(one).collect();
    let rows = session.rows(sql(all.join("\nUNION ALL ")))?;
    let value = |row: &PgRow| {
        let place: i64 = field(row, "place")?;
        let Some((name, quoted)) = names.get(place as usize) else {
            return Ok(None);
        };
        let value = Value {
            quoted: quoted.clone(),
            last: field(row, "last")?,
            is_called: field(row, "is_called")?,
        };
        Ok(Some((name.clone(), value)))
    };
    let read = rows.iter().map(value);
    Ok(read
        .collect::<Result<Vec<_>, PgError>>()?
        .into_iter()
        .flatten()
        .collect())
}
