//! The catalog in parts, for people who look: what is chosen, sorted and counted by the server, in a few statements.

use std::ops::Range;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use respaldo_domain::backup::{BackupId, BackupKind, BackupState};
use serde_json::Value;
use uuid::Uuid;

use super::{CatalogEntry, EventLevel, Fault};

/// Looks into the catalog. Every call is a fixed number of statements, and gives no more rows than were asked for.
pub trait Browse: Send + Sync {
    /// A part of the entries.
    fn page(&self, wanted: &EntryPage) -> Result<Part<CatalogEntry>, Fault>;

    /// How things stand, the newest `points` restore points and `days` of growth among it.
    fn survey(&self, points: u32, days: u32) -> Result<Survey, Fault>;

    /// Days with restore points, newest first.
    fn days(&self, limit: u32) -> Result<Vec<Day>, Fault>;

    /// The entry and all that it builds on or that builds on it, oldest first; at most `limit`.
    fn family(&self, id: BackupId, limit: u32) -> Result<Vec<CatalogEntry>, Fault>;

    /// Validations that were recorded, newest first.
    fn validations(&self, of: Option<BackupId>, rows: Range<u32>)
    -> Result<Part<Validated>, Fault>;

    /// Events that were recorded, newest first.
    fn events(&self, level: Option<EventLevel>, rows: Range<u32>) -> Result<Part<Event>, Fault>;

    /// Records who did what; what is there under its number stays.
    fn note(&self, acts: &[Act]) -> Result<(), Fault>;

    /// Who did what, newest first.
    fn acts(&self, rows: Range<u32>) -> Result<Part<Act>, Fault>;
}

/// Some rows of more.
#[derive(Debug, Clone, PartialEq)]
pub struct Part<T> {
    /// Those that were asked for.
    pub rows: Vec<T>,
    /// How many there are.
    pub total: u64,
}

/// By what entries are sorted; equal ones by start, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EntryOrder {
    /// Start.
    #[default]
    Started,
    /// Stored size.
    Size,
    /// Kind.
    Kind,
    /// State.
    State,
}

/// Which entries, and which part of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntryPage {
    /// Only this kind.
    pub kind: Option<BackupKind>,
    /// Only this state.
    pub state: Option<BackupState>,
    /// Begun at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Begun before.
    pub before: Option<DateTime<Utc>>,
    /// With this text in their name or label, whatever its case.
    pub text: Option<String>,
    /// By what they are sorted.
    pub order: EntryOrder,
    /// The greatest first.
    pub descending: bool,
    /// Which of them, from 0.
    pub rows: Range<u32>,
}

/// How things stand.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Survey {
    /// Completed backups by kind, as labelled.
    pub sums: Vec<Sum>,
    /// The newest completed one.
    pub last: Option<CatalogEntry>,
    /// Tables of that one, and how many of them it dumped.
    pub tables: Option<(u64, u64)>,
    /// Runs of ours that are recorded as under way.
    pub running: Vec<CatalogEntry>,
    /// Restore points, newest first, and by which level each is proven to be whole; `None` where by none.
    pub points: Vec<(CatalogEntry, Option<String>)>,
    /// Stored bytes of all completed backups at the end of each day, oldest first.
    pub growth: Vec<(NaiveDate, u64)>,
    /// Start of the oldest one of ours that nothing has proven to be whole.
    pub oldest_unproven: Option<DateTime<FixedOffset>>,
}

/// Completed backups of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// The kind as labelled.
    pub kind_label: String,
    /// How many.
    pub count: u64,
    /// Stored bytes.
    pub bytes: u64,
    /// The oldest.
    pub first: DateTime<FixedOffset>,
    /// The newest.
    pub last: DateTime<FixedOffset>,
}

/// A day with restore points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// How many.
    pub count: u64,
    /// The first.
    pub first: DateTime<FixedOffset>,
    /// The last.
    pub last: DateTime<FixedOffset>,
}

/// A validation that was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Validated {
    /// Its number.
    pub id: i64,
    /// Of which backup.
    pub backup: BackupId,
    /// The backup's archive.
    pub archive: String,
    /// The backup's kind as labelled.
    pub kind_label: String,
    /// When.
    pub at: DateTime<FixedOffset>,
    /// How deep, as labelled.
    pub level: String,
    /// How it ended, as labelled.
    pub verdict: String,
    /// Seconds.
    pub seconds: Option<f64>,
    /// Particulars as recorded.
    pub detail: Value,
}

/// An event that was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: DateTime<FixedOffset>,
    /// Its level as labelled.
    pub level: String,
    /// What it is.
    pub kind: String,
    /// The backup it is about.
    pub backup: Option<BackupId>,
    /// Particulars as recorded.
    pub detail: Value,
}

/// Somebody did something.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// Unique.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub user: String,
    /// From where.
    pub address: String,
    /// What.
    pub action: String,
    /// To what.
    pub object: String,
    /// How it ended.
    pub outcome: String,
    /// Particulars.
    pub detail: Value,
}
