//! What the service says of what it did.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::file::LegacyFile;
use crate::kind::LegacyKind;
use crate::retention::Fate;

/// A backup that was made.
#[derive(Debug, Clone)]
pub struct LegacyReport {
    /// Its type.
    pub kind: LegacyKind,
    /// The file; `None` where an external program did not tell where it is.
    pub file: Option<MadeFile>,
    /// When it was begun.
    pub began_at: DateTime<Utc>,
    /// When it was done.
    pub ended_at: DateTime<Utc>,
    /// The copy, where one is configured.
    pub copy: Option<CopyReport>,
    /// What deserves a look.
    pub warnings: Vec<LegacyWarning>,
}

/// A file that was made and looked through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeFile {
    /// Where it is, absolute.
    pub path: PathBuf,
    /// Its size.
    pub size_bytes: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
}

/// How the copy to the second folder went.
#[derive(Debug, Clone)]
pub struct CopyReport {
    /// Where the copy is, or was to be.
    pub destination: PathBuf,
    /// When it was done or given up.
    pub at: DateTime<Utc>,
    /// Its size; or why there is none.
    pub outcome: Result<u64, String>,
}

/// Something an operator should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyWarning {
    /// What it is.
    pub kind: LegacyWarningKind,
    /// The object concerned, and particulars.
    pub subject: String,
}

/// Kinds of warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LegacyWarningKind {
    /// There is no copy of the backup.
    NotCopied,
    /// The database was not told of the run.
    RunNotRecorded,
    /// The record of own files cannot be read: they count as somebody else's.
    RecordLost,
    /// What an external program made could not be looked through.
    NotChecked,
    /// Files of a run that died were removed.
    Swept,
    /// Settings of the database could not be carried over.
    DatabaseSettings,
    /// What the old database knew of newer backups could not be taken over.
    RowsNotCarried,
    /// Statistics could not be gathered.
    NotAnalyzed,
    /// A database that was to go is still there.
    NotDropped,
}

impl LegacyWarning {
    pub(crate) fn new(kind: LegacyWarningKind, subject: impl Into<String>) -> Self {
        let subject = subject.into();
        tracing::debug!(?kind, subject, "warning");
        Self { kind, subject }
    }
}

/// What pruning did, or would do.
#[derive(Debug, Clone, Default)]
pub struct PruneReport {
    /// Every file with what became of it, newest first within each type.
    pub ruled: Vec<(LegacyFile, Fate)>,
    /// Files that were to go and could not be removed, and why.
    pub failed: Vec<(PathBuf, String)>,
    /// What deserves a look.
    pub warnings: Vec<LegacyWarning>,
}

/// A restore that was done.
#[derive(Debug, Clone)]
pub struct LegacyRestored {
    /// The file.
    pub file: PathBuf,
    /// The database that now holds it.
    pub database: String,
    /// Where the database that was there is kept.
    pub previous_kept_as: Option<String>,
    /// Tables whose rows were loaded.
    pub tables: usize,
    /// How long it took.
    pub seconds: f64,
    /// What deserves a look.
    pub warnings: Vec<LegacyWarning>,
}

/// How things stand with one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindStatus {
    /// The type.
    pub kind: LegacyKind,
    /// Its last run that is known.
    pub last_run: Option<DateTime<Utc>>,
    /// The next hour; `None` for manual ones.
    pub next_run: Option<DateTime<Utc>>,
    /// Whether its last hour was missed.
    pub is_due: bool,
}
