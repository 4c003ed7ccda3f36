//! Which tables we copy ourselves, and what a COPY of them needs to know.

use std::collections::HashMap;

use respaldo_domain::table::{Oid, TableName};
use respaldo_engine::ports::{DumpRequest, DumpTable, Fault};
use respaldo_postgres::{field, sql};

use crate::pg_dump::in_snapshot;

const FACTS: &str = "
SELECT c.oid::int8 AS oid,
       COALESCE(pg_catalog.pg_relation_size(c.oid), 0) / 8192 AS pages,
       COALESCE(pg_catalog.pg_relation_size(NULLIF(c.reltoastrelid, 0)), 0) / 8192 AS toast_pages,
       EXISTS (SELECT 1 FROM pg_catalog.pg_extension AS e WHERE c.oid = ANY (e.extconfig))
       OR EXISTS (SELECT 1 FROM pg_catalog.pg_partition_ancestors(c.oid) AS a
                  JOIN pg_catalog.pg_partitioned_table AS p ON p.partrelid = a.relid
                  WHERE c.relispartition AND p.partstrat = 'h') AS is_stock,
       pg_catalog.format('%I.%I', n.nspname, c.relname) AS quoted_name,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute AS a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             AND a.attgenerated = '' ORDER BY a.attnum) AS columns,
       ARRAY(SELECT pg_catalog.format('%I', a.attname) FROM pg_catalog.pg_attribute AS a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             AND a.attgenerated = '' ORDER BY a.attnum) AS quoted_columns
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = ANY ($1::text[]::oid[])";

/// Server versions from which on a range of row addresses is not a scan of everything.
const RANGES_SINCE: u32 = 140_000;

/// The tables of a dump.
pub(super) struct Scope {
    /// Ours, in the order of the archive.
    pub(super) tables: Vec<Table>,
    /// Those that stock pg_dump dumps.
    pub(super) stock: Vec<DumpTable>,
    /// Whether large tables may be cut.
    pub(super) has_ranges: bool,
}

/// A table that we copy.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) oid: Oid,
    pub(super) name: TableName,
    pub(super) columns: Vec<String>,
    /// Name and columns as the server quotes them, which is as pg_dump does.
    pub(super) quoted_name: String,
    pub(super) quoted_columns: Vec<String>,
    pub(super) pages: u32,
    /// Of the values that are stored apart.
    pub(super) toast_pages: u32,
}

impl Scope {
    /// Looks the tables up under the snapshot.
    pub(super) fn read(request: &DumpRequest) -> Result<Self, Fault> {
        let mut session = in_snapshot(request)?;
        let oids: Vec<String> = request
            .tables
            .iter()
            .map(|table| table.oid.to_string())
            .collect();
        let rows = session.rows(sql(FACTS).bind(oids))?;
        session.close()?;
        let mut names: HashMap<Oid, &DumpTable> = request
            .tables
            .iter()
            .map(|table| (table.oid, table))
            .collect();
        let mut scope = Self {
            tables: Vec::new(),
            stock: Vec::new(),
            has_ranges: request.target.facts.server_version_num >= RANGES_SINCE,
        };
        let pages = |row, name| -> Result<u32, Fault> {
            Ok(u32::try_from(field::<i64>(row, name)?).unwrap_or(u32::MAX))
        };
        for row in &rows {
            let oid = Oid(field::<i64>(row, "oid")? as u32);
            let Some(table) = names.remove(&oid) else {
                continue;
            };
            if field(row, "is_stock")? {
                scope.stock.push(table.clone());
                continue;
            }
            scope.tables.push(Table {
                oid,
                name: table.name.clone(),
                columns: field(row, "columns")?,
                quoted_name: field(row, "quoted_name")?,
                quoted_columns: field(row, "quoted_columns")?,
                pages: pages(row, "pages")?,
                toast_pages: pages(row, "toast_pages")?,
            });
        }
        // What the catalog does not know pg_dump will complain about.
        scope.stock.extend(names.into_values().cloned());
        scope.tables.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(scope)
    }
}
