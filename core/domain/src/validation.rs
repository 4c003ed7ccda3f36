//! What looking at a sealed backup can find.

use serde::{Deserialize, Serialize};

/// How deep a validation looks. Each level includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValidationLevel {
    /// Every object is there with its size.
    Presence,
    /// Every object has its SHA-256.
    Checksum,
    /// Every block of the set's own archive decodes to the rows its fingerprint says.
    Readable,
    /// The same for every block in other archives that a restore of it would read.
    Chain,
    /// Restored into a scratch database, every fingerprint compared.
    Drill,
}

impl ValidationLevel {
    /// All levels, shallowest first.
    pub const ALL: [Self; 5] = [
        Self::Presence,
        Self::Checksum,
        Self::Readable,
        Self::Chain,
        Self::Drill,
    ];
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing; the backup restores.
    Warning,
    /// The backup does not restore exactly.
    Error,
}

/// Something wrong with a backup. A check that could not be made is a [`FindingCode::NotChecked`]
/// error, never silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The level that found it.
    pub level: ValidationLevel,
    /// How bad it is.
    pub severity: Severity,
    /// What it is, for programs.
    pub code: FindingCode,
    /// The object, table or archive concerned.
    pub subject: String,
    /// Particulars, in English.
    pub detail: String,
}

/// Kinds of finding.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingCode {
    /// An object is not in the sink.
    Missing,
    /// An object has another size.
    WrongSize,
    /// An object or block has another hash.
    WrongChecksum,
    /// The manifest cannot be read.
    ManifestUnreadable,
    /// A block cannot be decoded.
    Unreadable,
    /// A block's rows are not those of its fingerprint.
    WrongRows,
    /// A set it depends on is not sealed any more.
    BrokenChain,
    /// The drill's restore failed.
    DrillFailed,
    /// The drill's restored rows differ.
    DrillDiffers,
    /// The check itself could not be made.
    NotChecked,
    /// What lies inside is encrypted, and no key is at hand.
    NoKey,
    /// A plugin's own code.
    Other(String),
}
