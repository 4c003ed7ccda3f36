//! The result of `diff`.

use respaldo_domain::backup::ArchiveName;
use respaldo_domain::difference::{Change, ColumnChange, RowChange, RowDifferences};
use respaldo_domain::difference::{RowsDiffer, TableDifference};
use respaldo_domain::table::TableName;
use serde::Serialize;

use crate::messages::{Lang, Outcome};

/// What differs between two backups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiffRecord {
    /// They could be compared.
    pub exitoso: bool,
    /// A sentence about it.
    pub mensaje: String,
    /// The first backup.
    pub primero: ArchiveName,
    /// The second.
    pub segundo: ArchiveName,
    /// Tables of either.
    pub tablas_total: usize,
    /// Of those, the ones that differ.
    pub tablas_distintas: usize,
    /// Every table.
    pub tablas: Vec<TableDiffRecord>,
    /// Rows of the table asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filas: Option<RowsDiffRecord>,
}

/// A table at two restore points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableDiffRecord {
    /// Its name, quoted where needed.
    pub tabla: String,
    /// Its name at the first, where that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nombre_anterior: Option<String>,
    /// `igual`, `distinta`, `solo_primero`, `solo_segundo` or `sin_huella`.
    pub cambio: &'static str,
    /// Its columns are others.
    pub columnas_distintas: bool,
    /// Rows at the first; none where it is absent.
    pub filas_primero: Option<u64>,
    /// Rows at the second.
    pub filas_segundo: Option<u64>,
}

/// Rows of a table at two restore points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowsDiffRecord {
    /// The table, quoted where needed.
    pub tabla: String,
    /// Columns of its primary key.
    pub clave: Vec<String>,
    /// Rows of the second alone.
    pub agregadas: u64,
    /// Rows of the first alone.
    pub quitadas: u64,
    /// Rows of both with other values.
    pub cambiadas: u64,
    /// Some of them.
    pub detalle: Vec<RowDiffRecord>,
}

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowDiffRecord {
    /// Values of its key.
    pub clave: Vec<String>,
    /// `agregada`, `quitada` or `cambiada`.
    pub cambio: &'static str,
    /// Values that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columnas: Vec<ColumnDiffRecord>,
}

/// A value that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnDiffRecord {
    /// The column.
    pub columna: String,
    /// Its value at the first; null is NULL.
    pub primero: Option<String>,
    /// Its value at the second.
    pub segundo: Option<String>,
}

impl DiffRecord {
    /// The record of a comparison.
    pub fn of(
        (before, after): (&ArchiveName, &ArchiveName),
        tables: &[TableDifference],
        rows: Option<(&TableName, &RowDifferences)>,
        lang: Lang,
    ) -> Self {
        let differing = tables.iter().filter(|table| !table.is_same()).count();
        let outcome = Outcome::Differing {
            before,
            after,
            differing: &differing,
            tables: &tables.len(),
        };
        Self {
            exitoso: true,
            mensaje: outcome.text(lang),
            primero: before.clone(),
            segundo: after.clone(),
            tablas_total: tables.len(),
            tablas_distintas: differing,
            tablas: tables.iter().map(TableDiffRecord::from).collect(),
            filas: rows.map(|(table, rows)| RowsDiffRecord::of(table, rows)),
        }
    }
}

impl From<&TableDifference> for TableDiffRecord {
    fn from(table: &TableDifference) -> Self {
        let (cambio, filas_primero, filas_segundo) = match table.rows {
            RowsDiffer::Same { rows } => ("igual", Some(rows), Some(rows)),
            RowsDiffer::Other { before, after } => ("distinta", Some(before), Some(after)),
            RowsDiffer::OnlyBefore { rows } => ("solo_primero", Some(rows), None),
            RowsDiffer::OnlyAfter { rows } => ("solo_segundo", None, Some(rows)),
            RowsDiffer::Unknown { before, after } => ("sin_huella", Some(before), Some(after)),
        };
        Self {
            tabla: table.table.to_string(),
            nombre_anterior: table.was.as_ref().map(ToString::to_string),
            cambio,
            columnas_distintas: table.columns_differ,
            filas_primero,
            filas_segundo,
        }
    }
}

impl RowsDiffRecord {
    fn of(table: &TableName, rows: &RowDifferences) -> Self {
        Self {
            tabla: table.to_string(),
            clave: rows.key.clone(),
            agregadas: rows.added,
            quitadas: rows.removed,
            cambiadas: rows.changed,
            detalle: rows.rows.iter().map(RowDiffRecord::from).collect(),
        }
    }
}

impl From<&RowChange> for RowDiffRecord {
    fn from(row: &RowChange) -> Self {
        let (cambio, columns) = match &row.change {
            Change::Added => ("agregada", &[][..]),
            Change::Removed => ("quitada", &[][..]),
            Change::Changed(columns) => ("cambiada", &columns[..]),
        };
        Self {
            clave: row.key.clone(),
            cambio,
            columnas: columns.iter().map(ColumnDiffRecord::from).collect(),
        }
    }
}

impl From<&ColumnChange> for ColumnDiffRecord {
    fn from(change: &ColumnChange) -> Self {
        Self {
            columna: change.column.clone(),
            primero: change.before.clone(),
            segundo: change.after.clone(),
        }
    }
}
