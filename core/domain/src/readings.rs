//! A detector's readings of one backup, stored beside it for the next comparison.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::table::{Oid, TableFacts};

/// What was read for one backup. For a table that was kept, the evidence is that of the backup
/// holding its data (or proven equivalent to it), so one file serves a whole chain.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Readings {
    /// Detector that made them.
    pub detector: String,
    /// Facts and evidence per table with rows.
    pub tables: BTreeMap<Oid, TableReading>,
    /// Evidence of the large objects.
    pub large_objects: Option<Value>,
    /// Figures for people: scanned, cleared, waited.
    pub figures: BTreeMap<String, Value>,
}

/// One table's reading.
#[derive(Debug, Clone, PartialEq)]
pub struct TableReading {
    /// Catalog facts when its data was dumped or last proven equal.
    pub facts: TableFacts,
    /// The detector's evidence.
    pub evidence: Option<Value>,
}
