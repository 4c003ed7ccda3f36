//! A detector's readings of one backup, stored beside it for the next comparison.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};
use serde_json::Value;
use serde_json::value::RawValue;

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
    pub large_objects: Option<Evidence>,
    /// Figures for people: scanned, cleared, waited.
    pub figures: BTreeMap<String, Value>,
}

/// One table's reading.
#[derive(Debug, Clone, PartialEq)]
pub struct TableReading {
    /// Catalog facts when its data was dumped or last proven equal.
    pub facts: Arc<TableFacts>,
    /// The detector's evidence.
    pub evidence: Option<Evidence>,
}

/// What a detector wants to see again of one subject: JSON in a format of its own, kept as text.
/// A backup holds it for every table at once, and as a tree of values it would take ten times the
/// memory. Clones share the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence(Arc<str>);

impl Evidence {
    /// Evidence that says what `value` says; fails where that has no form in JSON.
    pub fn of<T: Serialize>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::to_string(value).map(|text| Self(text.into()))
    }

    /// What it says, where it is of the form that the reader knows.
    ///
    /// ```
    /// use respaldo_domain::readings::Evidence;
    ///
    /// let rows = Evidence::of(&12)?;
    /// assert_eq!(rows.read::<u64>()?, 12);
    /// assert!(rows.read::<String>().is_err());
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Evidence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Evidence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self(raw.get().into()))
    }
}
