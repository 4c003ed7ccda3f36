//! The pieces of a dump: every table is one, a large one is cut into ranges of its pages. Pure.

use respaldo_domain::table::{TableName, quote_identifier};

use super::scope::{Scope, Table};

/// Pages of one range: 16 MiB.
const RANGE_PAGES: u32 = 2048;

/// One COPY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Place of its table in the scope.
    pub(super) table: usize,
    /// The statement.
    pub(super) statement: String,
}

/// All pieces, in the order of the archive.
pub(super) fn plan(scope: &Scope) -> Vec<Piece> {
    let cut = |(index, table): (usize, &Table)| {
        let statements = statements(table, scope.has_ranges);
        statements.into_iter().map(move |statement| Piece {
            table: index,
            statement,
        })
    };
    scope.tables.iter().enumerate().flat_map(cut).collect()
}

/// The last range is open: the table may have grown since its size was read, and rows of the
/// snapshot are never beyond its size then, but nothing must depend on it.
fn statements(table: &Table, has_ranges: bool) -> Vec<String> {
    if !has_ranges || table.pages <= 2 * RANGE_PAGES {
        return vec![whole(table)];
    }
    let count = table.pages / RANGE_PAGES;
    let range = |index: u32| {
        let from = index * RANGE_PAGES;
        let until = (index + 1 < count).then(|| from + RANGE_PAGES);
        of_range(table, from, until)
    };
    (0..count).map(range).collect()
}

fn whole(table: &Table) -> String {
    format!("COPY {}{} TO STDOUT", qualified(&table.name), list(table))
}

fn of_range(table: &Table, from: u32, until: Option<u32>) -> String {
    let columns = quoted(table).join(", ");
    let end = until.map_or(String::new(), |until| {
        format!(" AND t.ctid < '({until},0)'::pg_catalog.tid")
    });
    format!(
        "COPY (SELECT {columns} FROM ONLY {} AS t WHERE t.ctid >= '({from},0)'::pg_catalog.tid{end}) \
         TO STDOUT",
        qualified(&table.name)
    )
}

/// The COPY statement of the archive's entry.
pub(super) fn copy_statement(table: &Table) -> String {
    let separator = if table.columns.is_empty() { " " } else { "" };
    format!(
        "COPY {}{}{separator} FROM stdin;\n",
        unquoted_if_plain(&table.name),
        plain_list(table)
    )
}

fn qualified(name: &TableName) -> String {
    format!(
        "{}.{}",
        quote_identifier(&name.schema),
        quote_identifier(&name.name)
    )
}

/// Quoted only where it must be, which is what `TableName` prints; a keyword is quoted as well.
fn unquoted_if_plain(name: &TableName) -> String {
    qualified(name)
}

fn quoted(table: &Table) -> Vec<String> {
    table
        .columns
        .iter()
        .map(|column| quote_identifier(column))
        .collect()
}

fn list(table: &Table) -> String {
    if table.columns.is_empty() {
        String::new()
    } else {
        format!(" ({})", quoted(table).join(", "))
    }
}

fn plain_list(table: &Table) -> String {
    list(table)
}
