//! The catalog: the index of backups kept in PostgreSQL. Storage is the truth; the catalog can be
//! lost and is rebuilt from manifests.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use respaldo_domain::backup::{ArchiveName, BackupId, BackupKind, BackupState};
use respaldo_domain::manifest::Header;
use respaldo_domain::object::Sha256;
use respaldo_domain::retention::Policy;
use respaldo_domain::schedule::{PastRun, RuleChange, Schedule};
use respaldo_domain::second_place::{CloudSettings, SecondCopy};
use respaldo_domain::source::SourceFacts;
use respaldo_domain::validation::{Finding, ValidationLevel};
use uuid::Uuid;

use super::{Browse, Fault, LeaseRow};

/// Records backups, validations and events. Every call is one transaction.
pub trait Catalog: Send + Sync {
    /// Makes or upgrades our tables; leaves everything else in the schema as it is.
    fn migrate(&self) -> Result<(), Fault>;

    /// Records a running backup.
    fn begin(&self, backup: &NewBackup) -> Result<BackupId, Fault>;

    /// Records that a manifest was stored. Idempotent: also used to bring a lost row back.
    fn seal(&self, backup: &SealedBackup<'_>) -> Result<BackupId, Fault>;

    /// Records that a run ended without a seal.
    fn fail(&self, run: Uuid, message: &str) -> Result<(), Fault>;

    /// Marks as failed every run of ours on this source still recorded as running except `alive`,
    /// and after a week any; returns how many. The caller holds the source's lease.
    fn fail_abandoned(&self, source: &SourceFacts, alive: Option<Uuid>) -> Result<u64, Fault>;

    /// Entries, newest first.
    fn list(&self, filter: &CatalogFilter) -> Result<Vec<CatalogEntry>, Fault>;

    /// One entry.
    fn get(&self, id: BackupId) -> Result<Option<CatalogEntry>, Fault>;

    /// One entry by its archive.
    fn find(&self, archive: &ArchiveName) -> Result<Option<CatalogEntry>, Fault>;

    /// Forgets a backup with what hangs on it; Ok where there is none.
    fn forget(&self, archive: &ArchiveName) -> Result<(), Fault>;

    /// Records what a validation found.
    fn record_validation(&self, record: &ValidationRecord<'_>) -> Result<(), Fault>;

    /// Records an event. Never fails a flow: a lost event is logged by the caller.
    fn event(
        &self,
        level: EventLevel,
        kind: &str,
        archive: Option<&ArchiveName>,
        detail: &serde_json::Value,
    ) -> Result<(), Fault>;

    /// Backups whose newest validation that read rows ended well: a rehearsal where there was one,
    /// else a look at every row.
    fn proven(&self) -> Result<BTreeSet<ArchiveName>, Fault>;

    /// The retention policy stored beside the catalog; `None` where none is.
    /// [`FaultKind::Invalid`](super::FaultKind::Invalid) where what is stored makes no sense.
    fn retention(&self) -> Result<Option<Policy>, Fault>;

    /// Stores the retention policy.
    fn set_retention(&self, policy: &Policy) -> Result<(), Fault>;

    /// The copy to a second place as the panel of the existing system sets it; `None` where nothing is
    /// stored. What is stored and makes no sense counts as not stored.
    fn cloud(&self) -> Result<Option<CloudSettings>, Fault>;

    /// Stores what [`Catalog::cloud`] reads.
    fn set_cloud(&self, settings: &CloudSettings) -> Result<(), Fault>;

    /// Records that a second place holds a backup, or that none does. Ok where there is no such backup.
    fn record_copy(&self, archive: &ArchiveName, copy: Option<&SecondCopy>) -> Result<(), Fault>;

    /// The stored schedule, over `otherwise` where it says nothing; `None` where none is stored.
    /// What is stored and makes no sense is a repair, never a fault.
    fn schedule(&self, otherwise: &Schedule) -> Result<Option<StoredSchedule>, Fault>;

    /// Stores another rule, and with it those of `otherwise` where none are stored.
    fn change_schedule(&self, change: RuleChange, otherwise: &Schedule) -> Result<(), Fault>;

    /// What was made of the source by us and sealed, whenever and on whichever machine.
    fn past_runs(&self) -> Result<Vec<PastRun>, Fault>;

    /// Leaves a token that survives in the source's WAL (DETECTION.md section 3.4). `false` where
    /// the catalog does not live in the source database.
    fn leave_witness(&self, archive: &ArchiveName, token: Uuid) -> Result<bool, Fault>;

    /// Whether that token is there now.
    fn sees_witness(&self, archive: &ArchiveName, token: Uuid) -> Result<bool, Fault>;

    /// Looks into it in parts; `None` where this catalog cannot.
    fn browse(&self) -> Option<&dyn Browse> {
        None
    }

    /// Spells the row of the lease; `None` where this catalog knows of none.
    fn lease_row(&self) -> Option<Arc<dyn LeaseRow>> {
        None
    }

    /// Nothing will be asked for some time: connections that wait for the next call are ended.
    fn rest(&self) {}
}

/// A schedule as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSchedule {
    /// What holds; the hour of the validation is not stored.
    pub schedule: Schedule,
    /// What is stored and makes no sense, in words.
    pub repairs: Vec<String>,
}

/// A run that begins.
#[derive(Debug, Clone)]
pub struct NewBackup {
    /// The run.
    pub run: Uuid,
    /// The database it is of.
    pub source: SourceFacts,
    /// Name it will have.
    pub archive: ArchiveName,
    /// Kind it will be.
    pub kind: BackupKind,
    /// Asked for as MANUAL.
    pub label: Option<String>,
    /// Base, by name.
    pub base: Option<ArchiveName>,
    /// Where the archive will lie.
    pub location: String,
    /// Start.
    pub started_at: DateTime<FixedOffset>,
}

/// A backup whose manifest is in storage.
#[derive(Debug, Clone)]
pub struct SealedBackup<'a> {
    /// The header of its manifest.
    pub header: &'a Header,
    /// Where the archive lies.
    pub location: &'a str,
}

/// Which entries to list.
#[derive(Debug, Clone, Default)]
pub struct CatalogFilter {
    /// Only this kind.
    pub kind: Option<BackupKind>,
    /// Only this state; `None` for all.
    pub state: Option<BackupState>,
    /// At most so many.
    pub limit: Option<u32>,
    /// Only entries made by respaldo.
    pub ours_only: bool,
}

/// An entry as the catalog holds it, ours or the existing system's.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogEntry {
    /// Number; `None` where storage told of it and no catalog did.
    pub id: Option<BackupId>,
    /// Type label as stored: FULL, DIFERENCIAL, INCREMENTAL, MANUAL.
    pub kind_label: String,
    /// File name.
    pub archive: String,
    /// Where the archive lies.
    pub location: String,
    /// Start.
    pub started_at: DateTime<FixedOffset>,
    /// End.
    pub finished_at: DateTime<FixedOffset>,
    /// Stored size.
    pub size_bytes: Option<u64>,
    /// Hash.
    pub sha256: Option<Sha256>,
    /// State.
    pub state: BackupState,
    /// Error message of a failed run.
    pub error: Option<String>,
    /// Base's number.
    pub base_id: Option<BackupId>,
    /// Copied to a second place.
    pub in_cloud: bool,
    /// Where that copy is, and the label of what is there, as stored.
    pub copy: (Option<String>, Option<String>),
    /// Made by respaldo.
    pub ours: bool,
    /// WAL positions, as text.
    pub lsn: (Option<String>, Option<String>),
    /// The operator's label.
    pub label: Option<String>,
}

/// A validation to be recorded.
#[derive(Debug, Clone)]
pub struct ValidationRecord<'a> {
    /// The backup.
    pub archive: &'a ArchiveName,
    /// How deep.
    pub level: ValidationLevel,
    /// What was found.
    pub findings: &'a [Finding],
    /// Hash computed, where it was.
    pub sha256_found: Option<Sha256>,
    /// Hash expected.
    pub sha256_expected: Option<Sha256>,
    /// Seconds.
    pub seconds: f64,
}

/// Level of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventLevel {
    /// Something done.
    Info,
    /// Worth a look.
    Warning,
    /// Failed.
    Error,
}
