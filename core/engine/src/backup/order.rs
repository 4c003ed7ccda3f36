//! The order for the dumper: which rows, which definitions alone, what is left out; and whether
//! what came back is all of it.

use std::collections::HashMap;
use std::sync::Arc;

use respaldo_domain::changes::{Reason, Verdict};
use respaldo_domain::coverage::{Coverage, GapKind};
use respaldo_domain::scope::{Decision, ScopedTable};
use respaldo_domain::table::{Oid, Readability, TableFacts, TableName};
use respaldo_postgres::{Snapshot, sql};

use super::base::Base;
use super::definitions::PassedOver;
use crate::parts::Parts;
use crate::ports::{
    Detection, DumpReceipt, DumpRequest, DumpTable, DumpedTable, Fault, FaultKind, SourceTarget,
};

/// What becomes of the large objects.
pub(super) struct LargeObjectScope {
    pub(super) count: u64,
    pub(super) dump: bool,
    pub(super) reason: Reason,
}

/// Large objects are dumped or kept as one unit.
pub(super) fn large_object_scope(
    detection: &Detection,
    base: &Base,
    coverage: &Coverage,
    snapshot: &mut Snapshot,
) -> Result<LargeObjectScope, Fault> {
    let count: i64 = snapshot.session().value(sql(
        "SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata",
    ))?;
    let count = count.unsigned_abs();
    let unreadable = coverage
        .gaps
        .iter()
        .any(|gap| gap.kind == GapKind::LargeObject);
    let kept = base.manifest.as_ref().is_some_and(|base| {
        base.large_objects.count == count && (count == 0 || base.large_objects.archive.is_some())
    });
    let word = &detection.large_objects;
    let (dump, reason) = match word.verdict {
        _ if unreadable => (false, Reason::Unreadable),
        _ if count == 0 => (false, Reason::NoData),
        Verdict::Unchanged if kept => (false, word.reason.clone()),
        _ if base.manifest.is_none() => (true, Reason::Full),
        _ => (true, word.reason.clone()),
    };
    Ok(LargeObjectScope {
        count,
        dump,
        reason,
    })
}

/// What pg_dump is told to pass over: schemas that are excluded, and what the role may not read.
pub(super) fn passed_over(
    parts: &Parts,
    facts: &[Arc<TableFacts>],
    coverage: &Coverage,
) -> PassedOver {
    let locked_out = |facts: &&Arc<TableFacts>| facts.readable == Readability::NoPrivilege;
    let tables = facts.iter().filter(locked_out);
    let gaps = coverage.gaps.iter();
    let sequences = gaps.filter(|gap| gap.kind == GapKind::Sequence);
    let sequences = sequences.filter_map(|gap| TableName::parse(&gap.object));
    PassedOver {
        schemas: parts.settings.exclude_schemas.clone(),
        relations: tables
            .map(|facts| facts.name.clone())
            .chain(sequences)
            .collect(),
    }
}

/// The order, from what was decided for each table.
pub(super) fn order(
    parts: &Parts,
    target: &SourceTarget,
    snapshot: &Snapshot,
    scope: &[ScopedTable],
    large_objects: &LargeObjectScope,
    passed_over: PassedOver,
) -> DumpRequest {
    let named = |table: &ScopedTable| DumpTable {
        oid: table.facts.oid,
        name: table.facts.name.clone(),
    };
    let dumped = |table: &&ScopedTable| table.decision == Decision::Dump;
    DumpRequest {
        target: target.clone(),
        snapshot: snapshot.id().to_owned(),
        tables: scope.iter().filter(dumped).map(named).collect(),
        definition_only: scope
            .iter()
            .filter(|table| table.decision != Decision::Dump)
            .filter(|table| {
                table.facts.has_data() && table.facts.readable != Readability::NoPrivilege
            })
            .map(|table| table.facts.name.clone())
            .collect(),
        leave_out: passed_over.relations,
        large_objects: large_objects.dump,
        exclude_schemas: passed_over.schemas,
        lock_timeout_ms: parts.settings.lock_timeout_ms,
        contents: None,
    }
}

/// Every table of the scope must have come out, with the columns the catalog told.
pub(super) fn check_complete(scope: &[ScopedTable], receipt: &DumpReceipt) -> Result<(), Fault> {
    let receipts: HashMap<Oid, &DumpedTable> = receipt
        .tables
        .iter()
        .map(|dumped| (dumped.oid, dumped))
        .collect();
    for table in scope
        .iter()
        .filter(|table| table.decision == Decision::Dump)
    {
        let Some(dumped) = receipts.get(&table.facts.oid) else {
            let what = format!("the archive holds no data of table {}", table.facts.name);
            return Err(Fault::bare(FaultKind::Internal, what));
        };
        let told = table.facts.columns.iter().map(|column| &column.name);
        if !dumped.columns.iter().eq(told) {
            let what = format!(
                "columns of table {} changed while it was dumped",
                table.facts.name
            );
            return Err(Fault::bare(FaultKind::SnapshotOvertaken, what));
        }
    }
    Ok(())
}
