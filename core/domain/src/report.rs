//! What flows did, for the edge to show.

use chrono::{DateTime, FixedOffset};

use crate::backup::{ArchiveName, BackupId};
use crate::fingerprint::RowFingerprint;
use crate::manifest::Manifest;
use crate::restore_plan::RestorePlan;
use crate::table::TableName;
use crate::validation::{Finding, Severity, ValidationLevel};

/// A backup that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct BackupReport {
    /// Its number, where there is a catalog.
    pub id: Option<BackupId>,
    /// Number of its base.
    pub base_id: Option<BackupId>,
    /// What was sealed.
    pub manifest: Manifest,
    /// Absolute path or address of the archive in the first sink.
    pub location: String,
    /// What each sink did.
    pub sinks: Vec<SinkOutcome>,
    /// How long each step took, in order.
    pub steps: Vec<StepTime>,
    /// What deserves a look (exit code 3 where not empty).
    pub warnings: Vec<Warning>,
}

/// Duration of one step of a flow.
#[derive(Debug, Clone, PartialEq)]
pub struct StepTime {
    /// Name of the step.
    pub step: &'static str,
    /// Seconds.
    pub seconds: f64,
}

/// What one sink did with a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkOutcome {
    /// Name in the configuration.
    pub sink: String,
    /// Stored, or owed with the reason.
    pub state: SinkState,
    /// Address of the archive there.
    pub url: String,
}

/// Whether a sink holds a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkState {
    /// Durable there.
    Stored,
    /// An optional sink that failed; to be brought up to date.
    Owed(String),
}

/// Something done, that an operator should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Kind, for programs and for the message catalogue.
    pub code: WarningCode,
    /// The object concerned, and particulars.
    pub subject: String,
}

/// Kinds of warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WarningCode {
    /// The backup is partial.
    Partial,
    /// An optional sink failed.
    SinkOwed,
    /// A sink does not keep what the backup needs as long as the backup itself.
    LockTooShort,
    /// The panel asks for copies to a second place, and they go elsewhere or nowhere.
    SecondPlace,
    /// The catalog could not be written; storage is complete and a rebuild brings it up to date.
    CatalogBehind,
    /// The clock is behind the newest backup.
    ClockMovedBack,
    /// A writer does not report statistics.
    SpotCheckFailed,
    /// The detector had to do without what it was configured to use; it read or dumped more for it.
    DetectorLimited,
    /// A table could not be looked at, and is dumped for it.
    NotExamined,
    /// Locks had to be held against a waiting session.
    LocksHeld,
    /// A validator after the backup found something.
    ValidationFindings,
    /// A sink's copy of an object is damaged, and another's was taken.
    DamagedCopy,
    /// Rows restored differ from the fingerprint.
    RowsDiffer,
    /// Text of a column legitimately differs in another database.
    NotComparable,
    /// A table came from an older version than the restore point.
    OlderTable,
    /// Replication slots, subscriptions or jobs that follow the database's oid.
    FollowsDatabase,
    /// The client tools' minor release is older than the server's.
    OldTools,
    /// Something the client tools, old ones, do not dump.
    LeftOut,
    /// Owner or grantee missing on the target.
    MissingRole,
    /// Settings or grants of the database could not be carried over.
    DatabaseSettings,
    /// Retention could not be applied.
    RetentionFailed,
    /// Litter of our own was swept.
    Swept,
    /// A stored due time makes no sense.
    ScheduleRepaired,
    /// The stored due times cannot be read.
    ScheduleUnknown,
}

/// A restore that was done.
#[derive(Debug, Clone, PartialEq)]
pub struct RestoreReport {
    /// What was executed.
    pub plan: RestorePlan,
    /// Name of the database that now holds it.
    pub target: String,
    /// Where the database that was there before is kept.
    pub previous_kept_as: Option<String>,
    /// Fingerprints compared afterwards.
    pub verification: Verification,
    /// Seconds.
    pub seconds: f64,
    /// What deserves a look.
    pub warnings: Vec<Warning>,
}

impl RestoreReport {
    /// The backups whose data was used, in the order of the chain.
    pub fn applied(&self) -> impl Iterator<Item = &ArchiveName> {
        self.plan.sources.iter().map(|share| &share.facts.name)
    }
}

/// Comparison of a restored database with the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    /// Tables compared.
    pub tables: usize,
    /// Tables equal.
    pub equal: usize,
    /// Tables that differ.
    pub different: Vec<TableDifference>,
}

/// A table whose rows are not those of its fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDifference {
    /// The table.
    pub table: TableName,
    /// What the manifest says.
    pub expected: RowFingerprint,
    /// What was found.
    pub found: RowFingerprint,
    /// Why text may differ, where a reason is known.
    pub excuse: Option<String>,
}

/// What a restore would do.
#[derive(Debug, Clone, PartialEq)]
pub struct PreviewReport {
    /// The plan that a restore would execute.
    pub plan: RestorePlan,
    /// The backups it takes data from, oldest first.
    pub backups: Vec<PreviewBackup>,
    /// What is missing or corrupt.
    pub problems: Vec<Finding>,
    /// Comparison with the live database, where asked for.
    pub live: Vec<LiveDifference>,
}

/// A backup in a preview.
#[derive(Debug, Clone, PartialEq)]
pub struct PreviewBackup {
    /// Its number, where the catalog knows it.
    pub id: Option<BackupId>,
    /// Its manifest.
    pub manifest: Manifest,
    /// Where its archive lies.
    pub location: String,
}

/// A table at the restore point against the live one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveDifference {
    /// The table.
    pub table: TableName,
    /// What a restore would do to it.
    pub change: LiveChange,
}

/// What a restore would do to a table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveChange {
    /// The same rows.
    Identical,
    /// Present now, absent at the restore point.
    WouldVanish {
        /// Rows now.
        rows: u64,
    },
    /// Absent now.
    WouldReturn {
        /// Rows then.
        rows: u64,
    },
    /// Other rows.
    Differs {
        /// Rows now.
        rows_now: u64,
        /// Rows at the restore point.
        rows_then: u64,
    },
}

/// Validation of one backup.
#[derive(Debug, Clone, PartialEq)]
pub struct Validation {
    /// Its number, where the catalog knows it.
    pub id: Option<BackupId>,
    /// Its name.
    pub archive: ArchiveName,
    /// Where its archive lies.
    pub location: String,
    /// How deep it was looked at.
    pub level: ValidationLevel,
    /// What was found.
    pub findings: Vec<Finding>,
    /// Seconds.
    pub seconds: f64,
    /// When.
    pub at: DateTime<FixedOffset>,
}

impl Validation {
    /// No finding says that it does not restore exactly.
    pub fn is_valid(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.severity != Severity::Error)
    }
}
