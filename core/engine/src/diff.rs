//! What differs between two restore points: every table as far as the manifests tell, and the rows of
//! one of them, out of storage alone.

mod keys;
mod rows;

use respaldo_domain::difference::{self, RowDifferences, TableDifference};
use respaldo_domain::manifest::Manifest;
use respaldo_domain::table::TableName;

use crate::parts::Parts;
use crate::ports::{Context, Fault};
use crate::reading::{self, Reading};
use crate::selector::{Selector, resolve};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct DiffRequest {
    /// The first restore point.
    pub before: Selector,
    /// The second.
    pub after: Selector,
    /// A table, by its name at the second, whose rows are compared.
    pub table: Option<TableName>,
    /// Rows that are told at most; the others are counted.
    pub most_rows: usize,
}

/// What differs.
#[derive(Debug, Clone)]
pub struct DiffReport {
    /// The first restore point.
    pub before: Manifest,
    /// The second.
    pub after: Manifest,
    /// Every table, by name.
    pub tables: Vec<TableDifference>,
    /// Rows of the table asked for.
    pub rows: Option<RowDifferences>,
}

/// Why two restore points cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// One of them is not there.
    #[error("looking for the backups")]
    Lookup(#[source] Fault),
    /// What they stored cannot be read.
    #[error("reading the backups")]
    Backup(#[source] Fault),
    /// Not both have the table.
    #[error("table {0} is not in both backups")]
    UnknownTable(TableName),
    /// Rows of it cannot be told apart.
    #[error("table {0} has no primary key of the same columns in both backups")]
    NoKey(TableName),
}

/// Compares two restore points. Nobody is asked but storage.
pub fn diff(parts: &Parts, request: &DiffRequest, cx: &Context) -> Result<DiffReport, DiffError> {
    let manifest = |selector| {
        let name = resolve(parts, selector, cx).map_err(DiffError::Lookup)?;
        let manifest = parts.store.manifest(&name, &*parts.codec, cx);
        manifest.map_err(DiffError::Backup)
    };
    let (before, after) = (manifest(&request.before)?, manifest(&request.after)?);
    let tables = difference::tables(&before, &after);
    let rows = match &request.table {
        Some(table) => Some(rows_of(
            parts,
            (&before, &after),
            &tables,
            table,
            request,
            cx,
        )?),
        None => None,
    };
    Ok(DiffReport {
        before,
        after,
        tables,
        rows,
    })
}

/// Rows of one table; retention removes neither backup meanwhile.
fn rows_of(
    parts: &Parts,
    (before, after): (&Manifest, &Manifest),
    tables: &[TableDifference],
    name: &TableName,
    request: &DiffRequest,
    cx: &Context,
) -> Result<RowDifferences, DiffError> {
    let unknown = || DiffError::UnknownTable(name.clone());
    let named = tables.iter().find(|table| &table.table == name);
    let named = named.ok_or_else(unknown)?;
    let _held = [before, after]
        .map(|manifest| reading::hold(parts, manifest, cx).map(Reading::warned))
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .map_err(DiffError::Backup)?;
    let side = |manifest, name| rows::Side::of(parts, manifest, name, cx);
    let then = side(before, named.was.as_ref().unwrap_or(name)).map_err(DiffError::Backup)?;
    let now = side(after, name).map_err(DiffError::Backup)?;
    let (then, now) = (then.ok_or_else(unknown)?, now.ok_or_else(unknown)?);
    let comparison = rows::Comparison::of(then, now);
    let comparison = comparison.ok_or_else(|| DiffError::NoKey(name.clone()))?;
    comparison
        .run(parts, request.most_rows, cx)
        .map_err(DiffError::Backup)
}
