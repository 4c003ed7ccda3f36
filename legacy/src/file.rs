//! A backup file of the folder, as it is listed.

use std::path::PathBuf;

use chrono::{DateTime, NaiveDateTime, Utc};

use crate::kind::LegacyKind;
use crate::name::BackupName;

/// One file in a folder of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyFile {
    /// File name.
    pub name: String,
    /// Where it is, absolute.
    pub path: PathBuf,
    /// The type of its folder.
    pub kind: LegacyKind,
    /// Its size.
    pub size_bytes: u64,
    /// The time in its name; where that tells none, its last change.
    pub created_at: DateTime<Utc>,
    /// What its name says.
    pub stamp: Option<BackupName>,
    /// Whose it is.
    pub owner: Owner,
}

/// Whose a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// Recorded by this service, of this database, and of the size that was recorded.
    Own,
    /// Recorded by this service as a backup of another database.
    OtherDatabase,
    /// Recorded by this service, and of another size since.
    Changed,
    /// Not recorded: somebody else's, or of a record that was lost.
    Foreign,
}

impl LegacyFile {
    /// What orders files of a type by age: the time in the name alone.
    pub(crate) fn age(&self) -> Option<(NaiveDateTime, u32)> {
        self.stamp.map(|stamp| (stamp.at, stamp.copy))
    }
}
