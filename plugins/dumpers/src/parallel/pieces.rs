//! The pieces of a dump: every table is one, a large one is cut into ranges of its pages. Pure.

use super::scope::{Scope, Table};

/// Pages of one range: 16 MiB.
const RANGE_PAGES: u32 = 2048;
/// Pages beyond which a table is cut: 32 MiB.
const LARGE_PAGES: u32 = 2 * RANGE_PAGES;

/// One COPY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Place of its table in the scope.
    pub(super) table: usize,
    /// The statement.
    pub(super) statement: String,
    /// It is all of its table, and little.
    pub(super) is_small_table: bool,
}

/// All pieces, in the order of the archive.
pub(super) fn plan(scope: &Scope) -> Vec<Piece> {
    let cut = |(index, table): (usize, &Table)| {
        let statements = statements(table, scope.has_ranges);
        let is_small_table = is_small(table);
        statements.into_iter().map(move |statement| Piece {
            table: index,
            statement,
            is_small_table,
        })
    };
    scope.tables.iter().enumerate().flat_map(cut).collect()
}

/// With all that is stored apart. It is never cut.
fn is_small(table: &Table) -> bool {
    table.pages.saturating_add(table.toast_pages) <= LARGE_PAGES
}

/// The last range is open: the table may have grown since its size was read, and rows of the
/// snapshot are never beyond its size then, but nothing must depend on it.
fn statements(table: &Table, has_ranges: bool) -> Vec<String> {
    if !has_ranges || table.pages <= LARGE_PAGES {
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
    format!("COPY {}{} TO STDOUT", table.quoted_name, list(table))
}

fn of_range(table: &Table, from: u32, until: Option<u32>) -> String {
    let (columns, name) = (table.quoted_columns.join(", "), &table.quoted_name);
    let end = until.map_or(String::new(), |until| {
        format!(" AND ctid < '({until},0)'::pg_catalog.tid")
    });
    format!(
        "COPY (SELECT {columns} FROM ONLY {name} WHERE ctid >= '({from},0)'::pg_catalog.tid{end}) \
         TO STDOUT"
    )
}

/// The COPY statement of the archive's entry, as pg_dump writes it.
pub(super) fn copy_statement(table: &Table) -> String {
    let separator = if table.columns.is_empty() { " " } else { "" };
    let (name, columns) = (&table.quoted_name, list(table));
    format!("COPY {name}{columns}{separator} FROM stdin;\n")
}

fn list(table: &Table) -> String {
    if table.columns.is_empty() {
        String::new()
    } else {
        format!(" ({})", table.quoted_columns.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use respaldo_domain::table::{Oid, TableName};

    use super::*;

    fn scope(pages: u32, has_ranges: bool) -> Scope {
        let table = Table {
            oid: Oid(1),
            name: TableName::new("s", "t"),
            columns: vec!["a".to_owned(), "B".to_owned()],
            quoted_name: "s.t".to_owned(),
            quoted_columns: vec!["a".to_owned(), "\"B\"".to_owned()],
            pages,
            toast_pages: 0,
        };
        Scope {
            tables: vec![table],
            stock: Vec::new(),
            has_ranges,
        }
    }

    #[test]
    fn a_large_table_is_cut_without_gaps_and_the_last_range_is_open() {
        let pieces = plan(&scope(3 * RANGE_PAGES + 5, true));
        let statements: Vec<_> = pieces
            .iter()
            .map(|piece| piece.statement.as_str())
            .collect();
        assert_eq!(statements.len(), 3);
        assert!(pieces.iter().all(|piece| !piece.is_small_table));
        assert!(
            statements[0].contains("ctid >= '(0,0)'") && statements[0].contains("< '(2048,0)'")
        );
        assert!(statements[1].contains("ctid >= '(2048,0)'"));
        assert!(statements[2].contains("ctid >= '(4096,0)'") && !statements[2].contains('<'));
    }

    #[test]
    fn a_small_table_and_an_old_server_get_one_plain_copy() {
        for scope in [scope(10, true), scope(100_000, false)] {
            let pieces = plan(&scope);
            assert_eq!(pieces.len(), 1);
            assert_eq!(pieces[0].is_small_table, scope.tables[0].pages == 10);
            assert_eq!(pieces[0].statement, "COPY s.t (a, \"B\") TO STDOUT");
        }
    }

    #[test]
    fn a_table_with_much_that_is_stored_apart_is_one_piece_and_not_small() {
        let mut scope = scope(10, true);
        scope.tables[0].toast_pages = LARGE_PAGES;
        let pieces = plan(&scope);
        assert_eq!(pieces.len(), 1);
        assert!(!pieces[0].is_small_table);
    }
}
