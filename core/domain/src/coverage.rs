//! What a backup could not cover exactly with the rights it had.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing that the role cannot read exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The object, quoted.
    pub object: String,
    /// What is in the way.
    pub kind: GapKind,
    /// A statement that mends it, to be run by the owner or a superuser.
    pub remedy: String,
}

/// Why something cannot be read exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapKind {
    /// No SELECT on a table.
    NoSelect,
    /// No USAGE on a schema.
    NoUsage,
    /// Row-level security hides rows.
    RowSecurity,
    /// Unlogged, and the source is a standby: the rows are on the primary alone.
    Unlogged,
    /// No SELECT on a sequence.
    Sequence,
    /// No SELECT on a large object.
    LargeObject,
    /// pg_dump itself could not carry the object.
    Definition,
}

/// All gaps of one backup. Empty: complete.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Coverage {
    /// The gaps.
    pub gaps: Vec<Gap>,
}

impl Coverage {
    /// Nothing is missing.
    pub fn is_complete(&self) -> bool {
        self.gaps.is_empty()
    }
}

/// Gaps named in one line; the rest are counted.
const NAMED: usize = 20;

/// The objects, separated by commas.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named: Vec<&str> = self
            .gaps
            .iter()
            .take(NAMED)
            .map(|gap| gap.object.as_str())
            .collect();
        f.write_str(&named.join(", "))?;
        match self.gaps.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
