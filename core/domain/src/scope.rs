//! What a backup dumps: verdicts in, a decision with its reason for every table out.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::backup::BackupKind;
use crate::changes::{Reason, TableVerdict, Verdict};
use crate::manifest::{Manifest, TableData};
use crate::readings::Evidence;
use crate::table::{Oid, Readability, RelationKind, TableFacts, TableName};

/// What becomes of a table's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Dumped into this backup's archive.
    Dump,
    /// Proven unchanged: they lie where the base says.
    Keep(Box<TableData>),
    /// No dump holds rows of it.
    NoRows,
}

/// One table with its decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopedTable {
    /// The table.
    pub facts: Arc<TableFacts>,
    /// What becomes of its rows.
    pub decision: Decision,
    /// Why.
    pub reason: Reason,
    /// What the next comparison needs.
    pub evidence: Option<Evidence>,
}

/// Everything the decision looks at.
#[derive(Debug)]
pub struct ScopeRequest<'a> {
    /// Kind being made.
    pub kind: BackupKind,
    /// Every relation under the snapshot.
    pub facts: Vec<Arc<TableFacts>>,
    /// The detector's words.
    pub verdicts: Vec<TableVerdict>,
    /// The base, for a differential or incremental.
    pub base: Option<&'a Manifest>,
    /// Our own operational tables: definition only.
    pub operational: &'a [TableName],
    /// Excluded by configuration.
    pub excluded: &'a HashSet<Oid>,
}

/// Decides for every table. A table is kept only when the detector proved it unchanged *and* the
/// base knows where its rows lie; everything else is dumped.
pub fn decide(request: ScopeRequest<'_>) -> Vec<ScopedTable> {
    let mut verdicts: HashMap<Oid, TableVerdict> = request
        .verdicts
        .into_iter()
        .map(|verdict| (verdict.oid, verdict))
        .collect();
    let kept: HashMap<Oid, &TableData> = request
        .base
        .iter()
        .flat_map(|base| &base.tables)
        .filter_map(|entry| Some((entry.oid, entry.data.as_ref()?)))
        .collect();
    let decide_one = |facts: Arc<TableFacts>| {
        let verdict = verdicts.remove(&facts.oid);
        let without_rows = if request.excluded.contains(&facts.oid) {
            Some(Reason::Excluded)
        } else {
            rowless(&facts, request.operational)
        };
        if let Some(reason) = without_rows {
            return ScopedTable {
                facts,
                decision: Decision::NoRows,
                reason,
                evidence: None,
            };
        }
        let (decision, reason, evidence) =
            decide_rows(request.kind, verdict, kept.get(&facts.oid).copied());
        ScopedTable {
            facts,
            decision,
            reason,
            evidence,
        }
    };
    request.facts.into_iter().map(decide_one).collect()
}

fn rowless(facts: &TableFacts, operational: &[TableName]) -> Option<Reason> {
    if operational.contains(&facts.name) {
        Some(Reason::Operational)
    } else if facts.kind == RelationKind::MaterializedView {
        Some(Reason::Refreshed)
    } else if !facts.has_data() {
        Some(Reason::NoData)
    } else if facts.readable != Readability::All {
        Some(Reason::Unreadable)
    } else {
        None
    }
}

fn decide_rows(
    kind: BackupKind,
    verdict: Option<TableVerdict>,
    kept: Option<&TableData>,
) -> (Decision, Reason, Option<Evidence>) {
    let Some(verdict) = verdict else {
        return (Decision::Dump, Reason::NotExamined, None);
    };
    match (kind, verdict.verdict, kept) {
        (BackupKind::Full, _, _) => (Decision::Dump, Reason::Full, verdict.evidence),
        (_, Verdict::Unchanged, Some(data)) => (
            Decision::Keep(Box::new(data.clone())),
            verdict.reason,
            verdict.evidence,
        ),
        (_, Verdict::Unchanged, None) => (Decision::Dump, Reason::New, verdict.evidence),
        (_, _, _) => (Decision::Dump, verdict.reason, verdict.evidence),
    }
}
