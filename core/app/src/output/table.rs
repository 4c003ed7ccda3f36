//! Aligned tables.

use std::fmt;

use respaldo_contract::messages::{Header, Lang, Spoken};

/// A table with a heading; columns of numbers are aligned right.
pub struct Table {
    headings: Vec<String>,
    right: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub fn new(lang: Lang, headings: &[Header]) -> Self {
        let right = headings.iter().map(|heading| is_number(*heading)).collect();
        let headings = headings
            .iter()
            .map(|heading| heading.spoken(lang).to_owned())
            .collect();
        Self {
            headings,
            right,
            rows: Vec::new(),
        }
    }

    /// Adds a row; as many cells as there are headings.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    fn widths(&self) -> Vec<usize> {
        let widest = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            let all = cells.chain(self.headings.get(column));
            all.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        (0..self.headings.len()).map(widest).collect()
    }
}

fn is_number(heading: Header) -> bool {
    matches!(
        heading,
        Header::Id
            | Header::Size
            | Header::Rows
            | Header::Bytes
            | Header::Count
            | Header::Tables
            | Header::Duration
            | Header::Total
            | Header::Base
    )
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        for row in std::iter::once(&self.headings).chain(&self.rows) {
            let cells = row
                .iter()
                .zip(&widths)
                .zip(&self.right)
                .map(|((cell, width), right)| {
                    if *right {
                        format!("{cell:>width$}")
                    } else {
                        format!("{cell:<width$}")
                    }
                });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_numbers_stand_right() {
        let mut table = Table::new(Lang::Es, &[Header::Id, Header::Table, Header::Reason]);
        table.row(["7".to_owned(), "año".to_owned(), "x".to_owned()]);
        table.row(["1234".to_owned(), "t".to_owned(), String::new()]);
        let text = table.to_string();
        assert_eq!(text, "  ID  Tabla  Motivo\n   7  año    x\n1234  t\n");
    }
}
