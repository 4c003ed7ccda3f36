//! From the base to an archive in the spool: one snapshot under which the tables were looked at,
//! decided upon and dumped, taken again when DDL overtook it.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use respaldo_domain::backup::ArchiveName;
use respaldo_domain::changes::{Reason, Verdict};
use respaldo_domain::coverage::{Coverage, Gap, GapKind};
use respaldo_domain::readings::{Readings, TableReading};
use respaldo_domain::report::WarningCode;
use respaldo_domain::scope::{self, Decision, ScopeRequest, ScopedTable};
use respaldo_domain::table::{Oid, Readability, TableFacts, TableName, quote_identifier};
use respaldo_postgres::{Fence, Session, SessionOptions, Snapshot, coverage, server, sql};
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::base::Base;
use super::tries::Tries;
use super::yielding::{self, Watched};
use super::{BackupError, BackupRequest, Run};
use crate::parts::Parts;
use crate::ports::{
    Context, Detection, DetectionRequest, DumpReceipt, DumpRequest, DumpTable, Fault, FaultKind,
    SourceTarget,
};

/// An archive in the spool and everything known of it.
pub(super) struct Dumped {
    pub(super) snapshot_at: DateTime<FixedOffset>,
    pub(super) lsn_start: Option<String>,
    pub(super) lsn_end: Option<String>,
    pub(super) scope: Vec<ScopedTable>,
    pub(super) large_objects: LargeObjectScope,
    pub(super) receipt: DumpReceipt,
    pub(super) readings: Readings,
    pub(super) coverage: Coverage,
    pub(super) schemas: Vec<String>,
    pub(super) roles: Vec<String>,
}

/// What becomes of the large objects.
pub(super) struct LargeObjectScope {
    pub(super) count: u64,
    pub(super) dump: bool,
    pub(super) reason: Reason,
}

/// What one attempt came to.
enum Attempt {
    Done(Box<Dumped>),
    Overtaken(String),
    GaveWay,
}

/// Dumps, with a new snapshot as often as DDL overtakes one or somebody waits for its locks.
#[expect(
    clippy::too_many_arguments,
    reason = "the steps of one flow, each with its own input"
)]
pub(super) fn dump(
    parts: &Parts,
    request: &BackupRequest,
    run: &mut Run,
    target: &SourceTarget,
    base: &Base,
    name: &ArchiveName,
    spool: &Path,
    cx: &Context,
) -> Result<Dumped, BackupError> {
    let mut tries = Tries::default();
    loop {
        match attempt(parts, request, run, target, base, name, spool, tries, cx)? {
            Attempt::Done(dumped) => return Ok(*dumped),
            Attempt::GaveWay => tries.yielded += 1,
            Attempt::Overtaken(what) => {
                tries.overtaken += 1;
                tracing::info!(%what, "the schema changed under the snapshot; taking a new one");
                if tries.overtaken >= parts.settings.snapshot_attempts {
                    return Err(BackupError::Overtaken {
                        attempts: tries.overtaken,
                        what,
                    });
                }
            }
        }
        std::thread::sleep(tries.pause());
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "the steps of one flow, each with its own input"
)]
fn attempt(
    parts: &Parts,
    request: &BackupRequest,
    run: &mut Run,
    target: &SourceTarget,
    base: &Base,
    name: &ArchiveName,
    spool: &Path,
    tries: Tries,
    cx: &Context,
) -> Result<Attempt, BackupError> {
    run.enter("backup.baseline", cx)
        .map_err(BackupError::Detection)?;
    let baseline = parts
        .detector
        .baseline(target, cx)
        .map_err(BackupError::Detection)?;

    run.enter("backup.snapshot", cx)
        .map_err(BackupError::Source)?;
    let mut snapshot = open_snapshot(parts, target).map_err(BackupError::Source)?;
    leave_witness(parts, run, name, cx);
    let facts = tables(parts, &mut snapshot).map_err(BackupError::Source)?;
    let coverage = covered(parts, request, run, &mut snapshot, &facts, cx)?;
    if tries.locks_first(parts)
        && let Some(what) = fence(parts, &mut snapshot, &facts)?
    {
        return Ok(Attempt::Overtaken(what));
    }

    run.enter("backup.verdicts", cx)
        .map_err(BackupError::Detection)?;
    let question = DetectionRequest {
        target: target.clone(),
        snapshot: snapshot.id().to_owned(),
        snapshot_at: snapshot.taken_at(),
        tables: facts.clone(),
        baseline,
        base: base.reading.clone(),
        large_objects_readable: !coverage
            .gaps
            .iter()
            .any(|gap| gap.kind == GapKind::LargeObject),
    };
    let detection = parts
        .detector
        .verdicts(&question, cx)
        .map_err(BackupError::Detection)?;
    for alarm in &detection.alarms {
        run.warn(WarningCode::SpotCheckFailed, alarm.clone());
    }
    let large_objects = large_object_scope(&detection, base, &coverage, &mut snapshot)
        .map_err(BackupError::Source)?;

    run.enter("backup.fence", cx).map_err(BackupError::Source)?;
    if let Some(what) = fence(parts, &mut snapshot, &facts)? {
        return Ok(Attempt::Overtaken(what));
    }
    let scope = decide(parts, base, facts, &detection);

    run.enter("backup.dump", cx).map_err(BackupError::Dump)?;
    let order = dump_request(parts, target, &snapshot, &scope, &large_objects, &coverage);
    let (watched, waited_for) = yielding::run(&target.conninfo, tries.hold(parts), cx, |cx| {
        let mut file = create_spool(spool)?;
        let receipt = parts.dumper.dump(&order, &mut file, cx)?;
        file.sync_all()
            .map_err(|e| Fault::io(format!("writing {}", spool.display()), e))?;
        Ok(receipt)
    });
    let receipt = match watched {
        Watched::GaveWay => return Ok(Attempt::GaveWay),
        Watched::Done(Err(fault)) if fault.kind == FaultKind::SnapshotOvertaken => {
            return Ok(Attempt::Overtaken(super::chain(&fault)));
        }
        Watched::Done(result) => result.map_err(BackupError::Dump)?,
    };
    if waited_for {
        run.warn(WarningCode::LocksHeld, "");
    }
    run.enter("backup.dumped", cx)
        .map_err(BackupError::Source)?;
    let read: Vec<TableFacts> = scope
        .iter()
        .filter(|table| table.decision == Decision::Dump)
        .map(|table| table.facts.clone())
        .collect();
    if snapshot
        .types_moved(&read)
        .map_err(|e| BackupError::Source(e.into()))?
    {
        return Ok(Attempt::Overtaken(
            "a type changed while its columns were read".to_owned(),
        ));
    }
    check_complete(&scope, &receipt).map_err(BackupError::Dump)?;
    let schemas = schemas(&mut snapshot).map_err(BackupError::Source)?;
    let roles = roles(&mut snapshot).map_err(BackupError::Source)?;
    let lsn_end = lsn_now(target).map_err(BackupError::Source)?;
    let readings = readings(parts, base, &scope, detection);
    Ok(Attempt::Done(Box::new(Dumped {
        snapshot_at: snapshot.taken_at(),
        lsn_start: snapshot.lsn().map(str::to_owned),
        lsn_end,
        scope,
        large_objects,
        receipt,
        readings,
        coverage,
        schemas,
        roles,
    })))
}

fn open_snapshot(parts: &Parts, target: &SourceTarget) -> Result<Snapshot, Fault> {
    let options = SessionOptions {
        lock_timeout: Duration::from_millis(parts.settings.lock_timeout_ms),
        ..SessionOptions::default()
    };
    Ok(Snapshot::open(&target.conninfo, &options)?)
}

/// A token committed after the snapshot: found again later, it proves that the history the
/// snapshot saw survived whatever happened to the server. Without one, the next backup after a
/// restart only dumps more.
fn leave_witness(parts: &Parts, run: &mut Run, name: &ArchiveName, cx: &Context) {
    let Some(catalog) = &parts.catalog else {
        return;
    };
    let left = run
        .enter("backup.witness", cx)
        .and_then(|()| catalog.leave_witness(name, run.id));
    if let Err(fault) = left {
        tracing::debug!(%fault, "no witness was left");
    }
}

fn tables(parts: &Parts, snapshot: &mut Snapshot) -> Result<Vec<TableFacts>, Fault> {
    let mut facts = snapshot.tables()?;
    facts.retain(|table| !parts.settings.exclude_schemas.contains(&table.name.schema));
    Ok(facts)
}

/// What the role cannot read: refused, unless a partial backup was allowed.
fn covered(
    parts: &Parts,
    request: &BackupRequest,
    run: &mut Run,
    snapshot: &mut Snapshot,
    facts: &[TableFacts],
    cx: &Context,
) -> Result<Coverage, BackupError> {
    run.enter("backup.coverage", cx)
        .map_err(BackupError::Source)?;
    let mut coverage =
        coverage::find_gaps(snapshot, facts).map_err(|e| BackupError::Source(e.into()))?;
    coverage.gaps.retain(|gap| !in_excluded_schema(parts, gap));
    if coverage.is_complete() || request.allow_partial {
        Ok(coverage)
    } else {
        Err(BackupError::Coverage(coverage))
    }
}

/// What lies in an excluded schema need not be read.
fn in_excluded_schema(parts: &Parts, gap: &Gap) -> bool {
    let excluded = &parts.settings.exclude_schemas;
    match TableName::parse(&gap.object) {
        Some(name) => excluded.contains(&name.schema),
        None => excluded
            .iter()
            .any(|schema| gap.object == *schema || gap.object == quote_identifier(schema)),
    }
}

fn decide(
    parts: &Parts,
    base: &Base,
    facts: Vec<TableFacts>,
    detection: &Detection,
) -> Vec<ScopedTable> {
    let excluded: HashSet<Oid> = facts
        .iter()
        .filter(|table| parts.settings.exclude_tables.contains(&table.name))
        .map(|table| table.oid)
        .collect();
    scope::decide(ScopeRequest {
        kind: base.kind,
        facts,
        verdicts: detection.tables.clone(),
        base: base.manifest.as_ref(),
        operational: &parts.settings.operational,
        excluded: &excluded,
    })
}

/// Locks every table that may be locked; what happened to one of them since the snapshot, if
/// anything did.
fn fence(
    parts: &Parts,
    snapshot: &mut Snapshot,
    facts: &[TableFacts],
) -> Result<Option<String>, BackupError> {
    let lockable: Vec<&TableFacts> = facts.iter().filter(|table| is_lockable(table)).collect();
    let patience = Duration::from_millis(parts.settings.lock_timeout_ms);
    match snapshot.lock_and_fence(&lockable, patience) {
        Ok(Fence::Holds) => Ok(None),
        Ok(Fence::Overtaken { what }) => Ok(Some(what)),
        Err(error) => Err(BackupError::Source(error.into())),
    }
}

/// Relations that pg_dump locks too: every table and partitioned table that may be locked.
fn is_lockable(facts: &TableFacts) -> bool {
    use respaldo_domain::table::RelationKind::{Partitioned, Table};
    matches!(facts.kind, Table | Partitioned) && facts.readable != Readability::NoPrivilege
}

/// Large objects are dumped or kept as one unit.
fn large_object_scope(
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

fn dump_request(
    parts: &Parts,
    target: &SourceTarget,
    snapshot: &Snapshot,
    scope: &[ScopedTable],
    large_objects: &LargeObjectScope,
    coverage: &Coverage,
) -> DumpRequest {
    let named = |table: &ScopedTable| DumpTable {
        oid: table.facts.oid,
        name: table.facts.name.clone(),
    };
    let dumped = |table: &&ScopedTable| table.decision == Decision::Dump;
    let locked_out = |facts: &&TableFacts| facts.readable == Readability::NoPrivilege;
    let sequences = coverage
        .gaps
        .iter()
        .filter(|gap| gap.kind == GapKind::Sequence);
    let sequences = sequences.filter_map(|gap| TableName::parse(&gap.object));
    let tables = scope.iter().map(|table| &table.facts).filter(locked_out);
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
        leave_out: tables
            .map(|facts| facts.name.clone())
            .chain(sequences)
            .collect(),
        large_objects: large_objects.dump,
        exclude_schemas: parts.settings.exclude_schemas.clone(),
        lock_timeout_ms: parts.settings.lock_timeout_ms,
    }
}

fn create_spool(spool: &Path) -> Result<File, Fault> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(spool)
        .map_err(|e| Fault::io(format!("creating {}", spool.display()), e))
}

/// Every table of the scope must have come out, with the columns the catalog told.
fn check_complete(scope: &[ScopedTable], receipt: &DumpReceipt) -> Result<(), Fault> {
    for table in scope
        .iter()
        .filter(|table| table.decision == Decision::Dump)
    {
        let Some(dumped) = receipt
            .tables
            .iter()
            .find(|dumped| dumped.oid == table.facts.oid)
        else {
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

/// Roles that objects of the database depend on.
fn roles(snapshot: &mut Snapshot) -> Result<Vec<String>, Fault> {
    names(
        snapshot,
        "SELECT DISTINCT r.rolname::text FROM pg_catalog.pg_shdepend d \
         JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid \
         WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass \
           AND d.dbid = (SELECT oid FROM pg_catalog.pg_database \
                         WHERE datname = pg_catalog.current_database()) \
           AND r.rolname::text !~ '^pg_' ORDER BY 1",
    )
}

/// Schemas outside the system's.
fn schemas(snapshot: &mut Snapshot) -> Result<Vec<String>, Fault> {
    names(
        snapshot,
        "SELECT nspname::text FROM pg_catalog.pg_namespace \
         WHERE nspname::text !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1",
    )
}

fn names(snapshot: &mut Snapshot, question: &str) -> Result<Vec<String>, Fault> {
    let rows = snapshot.session().rows(sql(question))?;
    let name = |row: &PgRow| row.try_get::<String, _>(0);
    rows.iter()
        .map(name)
        .collect::<Result<_, _>>()
        .map_err(|e| Fault::new(FaultKind::Internal, "reading names from the catalog", e))
}

fn lsn_now(target: &SourceTarget) -> Result<Option<String>, Fault> {
    let mut session = Session::connect(&target.conninfo, &SessionOptions::default())?;
    Ok(server::lsn(&mut session)?)
}

/// What the next comparison needs: for a kept table whose verdict brought no new evidence, the
/// base's reading stays.
fn readings(parts: &Parts, base: &Base, scope: &[ScopedTable], detection: Detection) -> Readings {
    let old = base.reading.as_ref().map(|reading| &reading.readings);
    let reading_of = |table: &ScopedTable| {
        let kept = matches!(table.decision, Decision::Keep(_)) && table.evidence.is_none();
        if let Some(reading) = old
            .filter(|_| kept)
            .and_then(|old| old.tables.get(&table.facts.oid))
        {
            return reading.clone();
        }
        TableReading {
            facts: table.facts.clone(),
            evidence: table.evidence.clone(),
        }
    };
    Readings {
        detector: parts.detector.name().to_owned(),
        tables: scope
            .iter()
            .filter(|table| table.decision != Decision::NoRows)
            .map(|table| (table.facts.oid, reading_of(table)))
            .collect(),
        large_objects: detection.large_objects.evidence,
        figures: detection.figures,
    }
}
