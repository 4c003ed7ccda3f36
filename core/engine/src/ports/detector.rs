//! Change detection: which tables provably did not change since a base.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use respaldo_domain::changes::{Reason, TableVerdict, Verdict};
use respaldo_domain::readings::{Evidence, Readings};
use respaldo_domain::source::SourceFacts;
use respaldo_domain::table::TableFacts;
use respaldo_postgres::ConnInfo;
use serde_json::Value;

use super::{Context, Fault};

/// The source as a strategy sees it.
#[derive(Debug, Clone)]
pub struct SourceTarget {
    /// How to connect; holds the secret.
    pub conninfo: ConnInfo,
    /// Who it is.
    pub facts: SourceFacts,
}

/// Says of each table whether it is provably unchanged since the base. **Fails towards
/// dumping**: what cannot be proven is `Unknown`, and a missing verdict counts as such.
pub trait ChangeDetector: Send + Sync {
    /// Name in the configuration and in manifests.
    fn name(&self) -> &str;

    /// Reads what must be read *before* the snapshot is taken; `None`: nothing.
    fn baseline(&self, target: &SourceTarget, cx: &Context) -> Result<Option<Evidence>, Fault>;

    /// Compares every table with data as the snapshot sees it with the base's reading. Without a
    /// base every verdict is `Changed` and only carries the evidence for next time.
    ///
    /// The evidence of an `Unchanged` table must compare right with *the backup holding its
    /// data*: the base's own, or a new one that is proven equivalent.
    fn verdicts(&self, request: &DetectionRequest, cx: &Context) -> Result<Detection, Fault>;
}

/// Everything a comparison needs.
#[derive(Debug, Clone)]
pub struct DetectionRequest {
    /// The source.
    pub target: SourceTarget,
    /// Id of the exported snapshot, held open by the engine.
    pub snapshot: String,
    /// Server time right after the snapshot was taken.
    pub snapshot_at: DateTime<FixedOffset>,
    /// Every relation under the snapshot.
    pub tables: Vec<Arc<TableFacts>>,
    /// What [`ChangeDetector::baseline`] read before the snapshot.
    pub baseline: Option<Evidence>,
    /// The base's reading, which grows with the number of tables; `None` for a full.
    pub base: Option<Arc<BaseReading>>,
    /// How long earlier attempts of this run, which DDL overtook, took to compare, with what was done meanwhile: what
    /// may be waited for in a run is waited for once.
    pub spent: Duration,
    /// Whether there are large objects and this role may read them all.
    pub large_objects_readable: bool,
}

/// The stored readings of a base, and whether they may be compared with today's.
#[derive(Debug, Clone)]
pub struct BaseReading {
    /// How the source's history relates to the base's.
    pub lineage: LineageStatus,
    /// What was stored. Another detector's evidence proves nothing.
    pub readings: Readings,
    /// Figures of the newest backup of the chain, where it is newer than the base: what was learnt
    /// of the database's writers since.
    pub learnt: BTreeMap<String, Value>,
}

/// Whether transaction ids and counters of a base may be compared with today's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineageStatus {
    /// The same server process history: both may be.
    Same,
    /// Restarted, crashed or failed over since, but the base's witness is still there: transaction
    /// ids may be compared, counters may not.
    Witnessed,
    /// No proof: neither is evidence.
    Broken,
}

/// The outcome of a comparison.
#[derive(Debug, Clone)]
pub struct Detection {
    /// A word on each table that has data.
    pub tables: Vec<TableVerdict>,
    /// A word on all large objects together.
    pub large_objects: LargeObjectVerdict,
    /// What an operator should know, for example a writer that does not report statistics.
    pub alarms: Vec<String>,
    /// Why the detector had to do without what it is configured to use. Its words are as sound as
    /// ever; they cost more.
    pub limited: Vec<String>,
    /// What could not be looked at, and why; its tables have the verdict unknown.
    pub unexamined: Vec<String>,
    /// Figures for `show`, such as tables cleared by counters, scanned, bytes scanned, waited.
    pub figures: BTreeMap<String, Value>,
}

/// The word on the large objects, which are dumped or kept together.
#[derive(Debug, Clone)]
pub struct LargeObjectVerdict {
    /// The word.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// How many there are under the snapshot, where the role may count them.
    pub count: Option<u64>,
    /// What the next comparison needs.
    pub evidence: Option<Evidence>,
}
