//! What a detector says of a table, and why.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::readings::Evidence;
use crate::table::Oid;

/// A detector's word on one table, compared with the backup its data would be restored from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Proven equal: not dumped.
    Unchanged,
    /// Different, or likely so: dumped.
    Changed,
    /// Not provable: dumped.
    Unknown,
}

/// Why a table was dumped or not. The stable code a person sees is made at the Spanish edge.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The backup is a full.
    Full,
    /// Not in the base: created since.
    New,
    /// Columns differ.
    Columns,
    /// A type used by a column differs.
    Types,
    /// Text of its columns depends on other objects.
    Fragile,
    /// Not a heap table.
    AccessMethod,
    /// The base's server history is not provably ours.
    Lineage,
    /// The base has no reading for it.
    NoReading,
    /// The xmin fingerprint differs.
    XminDiffers,
    /// The xmin fingerprint is equal.
    XminEqual,
    /// Counters differ and nothing refuted them.
    CountersDiffer,
    /// Counters are equal behind a complete barrier.
    CountersEqual,
    /// No committed transaction since the base wrote to it, says the server's decoded log.
    LogSilent,
    /// A table the counters cleared failed the spot check: a writer does not report.
    SpotCheckFailed,
    /// The content hash differs.
    ContentDiffers,
    /// The content hash is equal.
    ContentEqual,
    /// The row condition of an extension's configuration table differs.
    ExtensionCondition,
    /// The detector dumps everything.
    Always,
    /// The detector could not look at it.
    NotExamined,
    /// One of our own operational tables: definition only.
    Operational,
    /// The operator excluded it.
    Excluded,
    /// The role cannot read it (`--allow-partial`).
    Unreadable,
    /// It has no rows of its own in a dump (partitioned root, foreign table, view, extension's).
    NoData,
    /// Definition and REFRESH are dumped, rows are computed.
    Refreshed,
    /// A reason of a plugin.
    Other(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unchanged => "unchanged",
            Self::Changed => "changed",
            Self::Unknown => "unknown",
        })
    }
}

/// A verdict with its reason and the evidence the next comparison needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableVerdict {
    /// The table.
    pub oid: Oid,
    /// The word on it.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// What the detector wants to see again when this table is compared with the backup being
    /// made: its own format, stored under `stats/`. `None`: no later comparison is possible.
    pub evidence: Option<Evidence>,
}
