//! What differs between two restore points: every table as far as their manifests tell, and rows of one.

use std::collections::BTreeMap;

use crate::manifest::{Manifest, TableEntry};
use crate::table::{Oid, TableName};

/// One table at two restore points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDifference {
    /// Its name at the second, else at the first.
    pub table: TableName,
    /// Its name at the first, where that is another one.
    pub was: Option<TableName>,
    /// Whether names, order or types of its columns differ.
    pub columns_differ: bool,
    /// Its rows.
    pub rows: RowsDiffer,
}

impl TableDifference {
    /// Whether nothing of it differs.
    pub fn is_same(&self) -> bool {
        self.was.is_none() && !self.columns_differ && matches!(self.rows, RowsDiffer::Same { .. })
    }
}

/// The rows of a table at two restore points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsDiffer {
    /// The same rows.
    Same {
        /// How many.
        rows: u64,
    },
    /// Other rows.
    Other {
        /// At the first.
        before: u64,
        /// At the second.
        after: u64,
    },
    /// There is no such table at the second.
    OnlyBefore {
        /// Rows it had.
        rows: u64,
    },
    /// There is no such table at the first.
    OnlyAfter {
        /// Rows it has.
        rows: u64,
    },
    /// Their fingerprints are of different algorithms.
    Unknown {
        /// At the first.
        before: u64,
        /// At the second.
        after: u64,
    },
}

/// What differs in the rows of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowDifferences {
    /// Columns of the primary key.
    pub key: Vec<String>,
    /// Rows of the second alone.
    pub added: u64,
    /// Rows of the first alone.
    pub removed: u64,
    /// Rows of both with other values.
    pub changed: u64,
    /// Some of them, as many as were asked for.
    pub rows: Vec<RowChange>,
}

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChange {
    /// Values of its key.
    pub key: Vec<String>,
    /// What became of it.
    pub change: Change,
}

/// What became of a row from the first to the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It came.
    Added,
    /// It went.
    Removed,
    /// It has other values.
    Changed(Vec<ColumnChange>),
}

/// A value that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnChange {
    /// The column.
    pub column: String,
    /// Its value at the first; `None` is NULL.
    pub before: Option<String>,
    /// Its value at the second.
    pub after: Option<String>,
}

/// Every table whose rows either holds, by name. Within one database a table stays the same when it is
/// renamed; between databases names are all there is.
pub fn tables(before: &Manifest, after: &Manifest) -> Vec<TableDifference> {
    let mut pairs = Pairs::of(before, after);
    let is_comparable = before.tools.fingerprint == after.tools.fingerprint;
    let mut differences: Vec<TableDifference> = with_rows(after)
        .map(|now| difference(pairs.take(now), now, is_comparable))
        .collect();
    differences.extend(pairs.left().map(gone));
    differences.sort_by(|a, b| a.table.cmp(&b.table));
    differences
}

fn with_rows(manifest: &Manifest) -> impl Iterator<Item = &TableEntry> {
    manifest.tables.iter().filter(|table| table.data.is_some())
}

/// Tables of the first that have found no table of the second yet.
struct Pairs<'a> {
    by_oid: Option<BTreeMap<Oid, &'a TableEntry>>,
    by_name: BTreeMap<&'a TableName, &'a TableEntry>,
}

impl<'a> Pairs<'a> {
    fn of(before: &'a Manifest, after: &Manifest) -> Self {
        let has_oids = before.source.lineage.same_database(&after.source.lineage);
        Self {
            by_oid: has_oids.then(|| with_rows(before).map(|table| (table.oid, table)).collect()),
            by_name: with_rows(before)
                .map(|table| (&table.name, table))
                .collect(),
        }
    }

    fn take(&mut self, now: &TableEntry) -> Option<&'a TableEntry> {
        let found = match &self.by_oid {
            Some(by_oid) => by_oid.get(&now.oid).copied(),
            None => self.by_name.get(&now.name).copied(),
        }?;
        self.by_name.remove(&found.name);
        Some(found)
    }

    fn left(self) -> impl Iterator<Item = &'a TableEntry> {
        self.by_name.into_values()
    }
}

fn difference(then: Option<&TableEntry>, now: &TableEntry, is_comparable: bool) -> TableDifference {
    let Some(then) = then else {
        return TableDifference {
            table: now.name.clone(),
            was: None,
            columns_differ: false,
            rows: RowsDiffer::OnlyAfter { rows: rows(now) },
        };
    };
    TableDifference {
        table: now.name.clone(),
        was: (then.name != now.name).then(|| then.name.clone()),
        columns_differ: then.columns != now.columns,
        rows: compared(then, now, is_comparable),
    }
}

fn compared(then: &TableEntry, now: &TableEntry, is_comparable: bool) -> RowsDiffer {
    let (before, after) = (rows(then), rows(now));
    let print = |table: &TableEntry| table.data.as_ref().map(|data| data.fingerprint);
    // The very same block needs no fingerprint to be the same.
    let is_same_block = then.data == now.data;
    if is_same_block || (is_comparable && print(then) == print(now)) {
        RowsDiffer::Same { rows: after }
    } else if is_comparable || before != after {
        RowsDiffer::Other { before, after }
    } else {
        RowsDiffer::Unknown { before, after }
    }
}

fn gone(then: &TableEntry) -> TableDifference {
    TableDifference {
        table: then.name.clone(),
        was: None,
        columns_differ: false,
        rows: RowsDiffer::OnlyBefore { rows: rows(then) },
    }
}

fn rows(table: &TableEntry) -> u64 {
    table.data.as_ref().map_or(0, |data| data.fingerprint.rows)
}
