//! `diff`.

use clap::Args;
use respaldo_domain::table::TableName;

use super::table;
use crate::cli::time::BackupRef;

/// `diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// Number or file name of the first backup
    #[arg(value_name = "ID1")]
    pub before: BackupRef,
    /// Number or file name of the second
    #[arg(value_name = "ID2")]
    pub after: BackupRef,
    /// Compare the rows of this table, by its primary key
    #[arg(long, value_name = "SCHEMA.NAME", value_parser = table)]
    pub table: Option<TableName>,
    /// Rows that are told at most; the others are counted
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub rows: usize,
}
