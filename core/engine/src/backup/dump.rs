//! From the base to an archive in the spool: one snapshot under which the tables were looked at,
//! decided upon and dumped, taken again when DDL overtook it.

use std::collections::HashSet;
use std::mem;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use respaldo_domain::backup::ArchiveName;
use respaldo_domain::changes::TableVerdict;
use respaldo_domain::coverage::{Coverage, Gap, GapKind};
use respaldo_domain::readings::{Evidence, Readings, TableReading};
use respaldo_domain::report::WarningCode;
use respaldo_domain::scope::{self, Decision, ScopeRequest, ScopedTable};
use respaldo_domain::table::{Oid, Readability, TableFacts, TableName, quote_identifier};
use respaldo_postgres::definitions::Print;
use respaldo_postgres::{Fence, SessionOptions, Snapshot, SnapshotSession, coverage};

use super::base::Base;
use super::definitions::{Known, PassedOver, Provenance};
use super::late::LateReading;
use super::listing;
use super::order::{self, LargeObjectScope};
use super::spool::Spool;
use super::surroundings;
use super::tries::Tries;
use super::yielding::{self, Watched};
use super::{BackupError, BackupRequest, Run, joined};
use crate::parts::Parts;
use crate::ports::{
    BaseReading, Context, Definitions, Detection, DetectionRequest, DumpReceipt, DumpRequest,
    Fault, FaultKind, SourceTarget,
};
use crate::store::Payload;

/// An archive in the spool and everything known of it.
pub(super) struct Dumped {
    pub(super) snapshot_at: DateTime<FixedOffset>,
    pub(super) lsn_start: Option<String>,
    pub(super) lsn_end: Option<String>,
    pub(super) scope: Vec<ScopedTable>,
    pub(super) large_objects: LargeObjectScope,
    pub(super) receipt: DumpReceipt,
    pub(super) definitions: Option<Provenance>,
    /// The archive to be stored, where it was hashed.
    pub(super) archive: Option<Payload>,
    pub(super) readings: Written,
    pub(super) coverage: Coverage,
    pub(super) schemas: Vec<String>,
    pub(super) roles: Vec<String>,
}

/// The readings as they are stored, and what the manifest says of large objects.
pub(super) struct Written {
    pub(super) bytes: Vec<u8>,
    pub(super) large_objects: Option<Evidence>,
}

type HashThread<'scope> = ScopedJoinHandle<'scope, Result<Payload, Fault>>;

/// What one attempt came to.
enum Attempt {
    Done(Box<Dumped>),
    Overtaken(String),
    GaveWay,
}

/// What all attempts of a run share.
pub(super) struct Dump<'a> {
    pub(super) parts: &'a Parts,
    pub(super) request: &'a BackupRequest,
    pub(super) target: &'a SourceTarget,
    pub(super) base: &'a Base,
    pub(super) reading: LateReading<'a>,
    pub(super) name: &'a ArchiveName,
    pub(super) spool: &'a Path,
    pub(super) cx: &'a Context,
}

/// The tables as one snapshot shows them, and what was decided for each.
struct Decided {
    scope: Vec<ScopedTable>,
    large_objects: LargeObjectScope,
    coverage: Coverage,
    detection: Detection,
}

/// What was decided, told to the dumper.
struct Ordered {
    decided: Decided,
    order: DumpRequest,
    definitions: Known,
}

/// What looking at the tables came to.
enum Look {
    Ordered(Box<Ordered>),
    Overtaken(String),
}

impl Dump<'_> {
    /// Dumps, with a new snapshot as often as DDL overtakes one or somebody waits for its locks.
    pub(super) fn run(&self, run: &mut Run) -> Result<Dumped, BackupError> {
        let mut tries = Tries::default();
        loop {
            match self.attempt(run, tries)? {
                Attempt::Done(dumped) => return Ok(*dumped),
                Attempt::GaveWay => tries.yielded += 1,
                Attempt::Overtaken(what) => {
                    tries.overtaken += 1;
                    tracing::info!(%what, "the schema changed under the snapshot; taking a new one");
                    if tries.overtaken >= self.parts.settings.snapshot_attempts {
                        return Err(BackupError::Overtaken {
                            attempts: tries.overtaken,
                            what,
                        });
                    }
                }
            }
            thread::sleep(tries.pause());
        }
    }

    fn attempt(&self, run: &mut Run, tries: Tries) -> Result<Attempt, BackupError> {
        run.enter("backup.baseline", self.cx)
            .map_err(BackupError::Detection)?;
        // Connecting takes as long as taking the snapshot.
        let (baseline, session) = thread::scope(|threads| {
            let session = threads.spawn(|| snapshot_session(self.parts, self.target));
            let baseline = self.parts.detector.baseline(self.target, self.cx);
            (baseline, joined(session, "connecting"))
        });
        let baseline = baseline.map_err(BackupError::Detection)?;
        run.enter("backup.snapshot", self.cx)
            .map_err(BackupError::Source)?;
        let snapshot = session.and_then(|session| Ok(Snapshot::take(session)?));
        let mut snapshot = snapshot.map_err(BackupError::Source)?;
        leave_witness(self.parts, run, self.name, self.cx);
        match self.look(run, tries, &mut snapshot, baseline)? {
            Look::Ordered(ordered) => self.write(run, tries, snapshot, *ordered),
            Look::Overtaken(what) => Ok(Attempt::Overtaken(what)),
        }
    }

    /// Looks at every table, asks the detector, decides; behind the fence nothing moves any more.
    fn look(
        &self,
        run: &mut Run,
        tries: Tries,
        snapshot: &mut Snapshot,
        baseline: Option<Evidence>,
    ) -> Result<Look, BackupError> {
        let parts = self.parts;
        run.enter("backup.definitions", self.cx)
            .map_err(BackupError::Source)?;
        let listed = listing::relations(parts, &self.target.facts.lineage, snapshot);
        let listed = listed.map_err(BackupError::Source)?;
        let reading = self.reading.get().map_err(BackupError::Repository)?;
        let facts = self.included(listed, reading);
        let coverage = covered(parts, self.request, run, snapshot, &facts, self.cx)?;
        if !tries.is_repeated() {
            surroundings::warn_of_omissions(parts, run, snapshot).map_err(BackupError::Source)?;
        }
        if tries.locks_first(parts)
            && let Some(what) = fence(parts, snapshot, &facts, &Locks::All)?
        {
            return Ok(Look::Overtaken(what));
        }
        let passed_over = order::passed_over(parts, &facts, &coverage);
        let print = snapshot.print().cloned();
        // What an older backup has of definitions is brought meanwhile, in vain where large objects changed too.
        let (detection, known) = thread::scope(|threads| {
            let known = threads.spawn(|| self.known(print.as_ref(), &passed_over));
            let detection = self.detect(run, snapshot, &facts, &coverage, baseline, reading);
            (detection, joined(known, "fetching definitions"))
        });
        let (mut detection, known) = (detection?, known.map_err(BackupError::Dump)?);
        let large_objects = order::large_object_scope(&detection, self.base, &coverage, snapshot)
            .map_err(BackupError::Source)?;
        run.enter("backup.fence", self.cx)
            .map_err(BackupError::Source)?;
        let decided = Decided {
            scope: decide(
                parts,
                self.base,
                facts.clone(),
                mem::take(&mut detection.tables),
            ),
            large_objects,
            coverage,
            detection,
        };
        let ordered = self.ordered(snapshot, decided, passed_over, known);
        if let Some(what) = fence(parts, snapshot, &facts, &ordered.locks())? {
            return Ok(Look::Overtaken(what));
        }
        Ok(Look::Ordered(Box::new(ordered)))
    }

    /// Every relation that is not excluded. What is as it was at the base shares the memory of the
    /// base's facts.
    fn included(
        &self,
        mut tables: Vec<Arc<TableFacts>>,
        reading: Option<&Arc<BaseReading>>,
    ) -> Vec<Arc<TableFacts>> {
        let excluded = &self.parts.settings.exclude_schemas;
        tables.retain(|table| !excluded.contains(&table.name.schema));
        for facts in &mut tables {
            let then = reading.and_then(|base| base.readings.tables.get(&facts.oid));
            if let Some(then) = then.filter(|then| then.facts == *facts) {
                *facts = Arc::clone(&then.facts);
            }
        }
        tables
    }

    fn detect(
        &self,
        run: &mut Run,
        snapshot: &Snapshot,
        facts: &[Arc<TableFacts>],
        coverage: &Coverage,
        baseline: Option<Evidence>,
        base: Option<&Arc<BaseReading>>,
    ) -> Result<Detection, BackupError> {
        let spent = run.time_in("backup.verdicts");
        run.enter("backup.verdicts", self.cx)
            .map_err(BackupError::Detection)?;
        let unreadable = |gap: &Gap| gap.kind == GapKind::LargeObject;
        let question = DetectionRequest {
            target: self.target.clone(),
            snapshot: snapshot.id().to_owned(),
            snapshot_at: snapshot.taken_at(),
            tables: facts.to_vec(),
            baseline,
            base: base.cloned(),
            spent,
            large_objects_readable: !coverage.gaps.iter().any(unreadable),
        };
        let detection = self.parts.detector.verdicts(&question, self.cx);
        let detection = detection.map_err(BackupError::Detection)?;
        for alarm in &detection.alarms {
            run.warn(WarningCode::SpotCheckFailed, alarm.clone());
        }
        for why in &detection.limited {
            run.warn(WarningCode::DetectorLimited, why.clone());
        }
        for what in &detection.unexamined {
            run.warn(WarningCode::NotExamined, what.clone());
        }
        Ok(detection)
    }

    /// Writes the archive, and makes sure that it is all of what was decided.
    fn write(
        &self,
        run: &mut Run,
        tries: Tries,
        mut snapshot: Snapshot,
        ordered: Ordered,
    ) -> Result<Attempt, BackupError> {
        run.enter("backup.dump", self.cx)
            .map_err(BackupError::Dump)?;
        thread::scope(|threads| {
            let (written, readings) = thread::scope(|meanwhile| {
                let readings = meanwhile.spawn(|| self.written_readings(&ordered.decided));
                let written = self.write_spool(threads, run, tries, &ordered.order);
                (written, joined(readings, "writing readings down"))
            });
            let (receipt, archive) = match written {
                Watched::GaveWay => return Ok(Attempt::GaveWay),
                Watched::Done(Err(fault)) if fault.kind == FaultKind::SnapshotOvertaken => {
                    return Ok(Attempt::Overtaken(super::chain(&fault)));
                }
                Watched::Done(result) => result.map_err(BackupError::Dump)?,
            };
            run.enter("backup.dumped", self.cx)
                .map_err(BackupError::Source)?;
            let moved = moved(&mut snapshot, &ordered, &receipt).map_err(BackupError::Source)?;
            if let Some(what) = moved {
                return Ok(Attempt::Overtaken(what.to_owned()));
            }
            order::check_complete(&ordered.decided.scope, &receipt).map_err(BackupError::Dump)?;
            let readings = readings.map_err(BackupError::Dump)?;
            let dumped = self.conclude(snapshot, ordered, receipt, readings);
            let mut dumped = dumped.map_err(BackupError::Source)?;
            let archive = archive.map(hashed_ahead).transpose();
            dumped.archive = archive.map_err(BackupError::Dump)?.flatten();
            Ok(Attempt::Done(Box::new(dumped)))
        })
    }

    /// What is known of the definitions under the snapshot; nothing where it is not known whether they changed.
    fn known(&self, print: Option<&Print>, passed_over: &PassedOver) -> Result<Known, Fault> {
        let Some(print) = print else {
            return Ok(Known::default());
        };
        let (parts, stored) = (self.parts, &self.base.stored);
        Known::find(parts, stored, print, passed_over, self.spool, self.cx)
    }

    /// The order for the dumper, with definitions of an older backup where they are the same.
    fn ordered(
        &self,
        snapshot: &Snapshot,
        decided: Decided,
        passed_over: PassedOver,
        mut definitions: Known,
    ) -> Ordered {
        let Decided {
            scope,
            large_objects,
            ..
        } = &decided;
        let (parts, target) = (self.parts, self.target);
        let mut order = order::order(parts, target, snapshot, scope, large_objects, passed_over);
        definitions.give_to(&mut order);
        Ordered {
            decided,
            order,
            definitions,
        }
    }

    /// The readings for the next comparison, of which no table's depends on its dump.
    fn written_readings(&self, decided: &Decided) -> Result<Written, Fault> {
        let base = self.reading.get()?;
        let readings = readings(self.parts, base, &decided.scope, &decided.detection);
        Ok(Written {
            bytes: self.parts.codec.encode_readings(&readings)?,
            large_objects: readings.large_objects,
        })
    }

    /// Writes the archive. While it is brought to the disk it is hashed, unless what is stored is another or is read
    /// on its way to where it is stored.
    fn write_spool<'scope>(
        &'scope self,
        threads: &'scope Scope<'scope, '_>,
        run: &mut Run,
        tries: Tries,
        order: &DumpRequest,
    ) -> Watched<(DumpReceipt, Option<HashThread<'scope>>)> {
        let parts = self.parts;
        let hold = tries.hold(parts);
        let is_taken_over =
            !self.name.is_encrypted() && parts.store.is_in_a_folder(&self.name.key());
        let (watched, waited_for) = yielding::run(&self.target.conninfo, hold, self.cx, |cx| {
            let mut spool = Spool::create(self.spool)?;
            let receipt = parts.dumper.dump(order, &mut spool, cx)?;
            let beside = || thread::Builder::new().spawn_scoped(threads, || self.hashed_spool());
            // Without a thread it is hashed afterwards.
            let hashing = is_taken_over.then(beside).and_then(Result::ok);
            spool.finish()?;
            Ok((receipt, hashing))
        });
        if waited_for && !matches!(watched, Watched::GaveWay) {
            run.warn(WarningCode::LocksHeld, "");
        }
        watched
    }

    fn hashed_spool(&self) -> Result<Payload, Fault> {
        let spool = Payload::file(self.spool)?;
        spool.sha256(self.cx)?;
        Ok(spool)
    }

    fn conclude(
        &self,
        mut snapshot: Snapshot,
        ordered: Ordered,
        receipt: DumpReceipt,
        readings: Written,
    ) -> Result<Dumped, Fault> {
        let Ordered {
            decided,
            definitions,
            ..
        } = ordered;
        Ok(Dumped {
            schemas: surroundings::schemas(&mut snapshot)?,
            roles: surroundings::roles(&mut snapshot)?,
            lsn_end: surroundings::lsn_now(&mut snapshot)?,
            readings,
            snapshot_at: snapshot.taken_at(),
            lsn_start: snapshot.lsn().map(str::to_owned),
            scope: decided.scope,
            large_objects: decided.large_objects,
            definitions: definitions.provenance(self.target, &receipt),
            receipt,
            archive: None,
            coverage: decided.coverage,
        })
    }
}

impl Ordered {
    /// What must be locked: where definitions are there, only what is read.
    fn locks(&self) -> Locks {
        match self.order.contents {
            Some(_) => Locks::Only(self.order.tables.iter().map(|table| table.oid).collect()),
            None => Locks::All,
        }
    }
}

/// What was hashed ahead, if it still is the file. Some systems tell when a file was written only once it is closed:
/// there it is hashed again.
fn hashed_ahead(hashing: HashThread<'_>) -> Result<Option<Payload>, Fault> {
    match joined(hashing, "hashing the archive") {
        Ok(archive) => Ok(Some(archive).filter(Payload::is_untouched)),
        Err(fault) if fault.kind == FaultKind::Corrupt => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// What of that which was read without a lock is no longer as under the snapshot.
fn moved(
    snapshot: &mut Snapshot,
    ordered: &Ordered,
    receipt: &DumpReceipt,
) -> Result<Option<&'static str>, Fault> {
    let had_definitions = ordered.order.contents.is_some();
    // A dumper that read them nevertheless read tables that nobody locked before.
    if had_definitions
        && receipt.definitions == Definitions::Written
        && !snapshot.has_same_catalogs()
    {
        return Ok(Some("definitions changed while they were read"));
    }
    let types = types_moved(snapshot, &ordered.decided.scope)?;
    Ok(types.then_some("a type changed while its columns were read"))
}

/// Whether a type that the dumped rows are of changed since the snapshot.
fn types_moved(snapshot: &mut Snapshot, scope: &[ScopedTable]) -> Result<bool, Fault> {
    let read: Vec<_> = scope
        .iter()
        .filter(|table| table.decision == Decision::Dump)
        .map(|table| Arc::clone(&table.facts))
        .collect();
    Ok(snapshot.types_moved(&read)?)
}

fn snapshot_session(parts: &Parts, target: &SourceTarget) -> Result<SnapshotSession, Fault> {
    let options = SessionOptions {
        lock_timeout: Duration::from_millis(parts.settings.lock_timeout_ms),
        ..SessionOptions::default()
    };
    Ok(SnapshotSession::connect(&target.conninfo, &options)?)
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

/// What the role cannot read: refused, unless a partial backup was allowed.
fn covered(
    parts: &Parts,
    request: &BackupRequest,
    run: &mut Run,
    snapshot: &mut Snapshot,
    facts: &[Arc<TableFacts>],
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
    facts: Vec<Arc<TableFacts>>,
    verdicts: Vec<TableVerdict>,
) -> Vec<ScopedTable> {
    let excluded: HashSet<Oid> = facts
        .iter()
        .filter(|table| parts.settings.exclude_tables.contains(&table.name))
        .map(|table| table.oid)
        .collect();
    scope::decide(ScopeRequest {
        kind: base.kind,
        facts,
        verdicts,
        base: base.manifest.as_ref(),
        operational: &parts.settings.operational,
        excluded: &excluded,
    })
}

/// Tables to be locked.
enum Locks {
    /// Every table that may be locked, as pg_dump does which reads all their definitions.
    All,
    /// These alone.
    Only(HashSet<Oid>),
}

/// Locks tables; what happened to one since the snapshot, locked or not, if anything did.
fn fence(
    parts: &Parts,
    snapshot: &mut Snapshot,
    facts: &[Arc<TableFacts>],
    locks: &Locks,
) -> Result<Option<String>, BackupError> {
    let lockable = facts.iter().filter(|table| is_lockable(table)).cloned();
    let lockable: Vec<_> = lockable.collect();
    let is_read = |table: &&Arc<TableFacts>| match locks {
        Locks::All => true,
        Locks::Only(oids) => oids.contains(&table.oid),
    };
    let locked: Vec<_> = lockable.iter().filter(is_read).cloned().collect();
    let patience = Duration::from_millis(parts.settings.lock_timeout_ms);
    match snapshot.lock_and_fence(&locked, &lockable, patience) {
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

/// What the next comparison needs: for a kept table whose verdict brought no new evidence, the
/// base's reading stays.
fn readings(
    parts: &Parts,
    base: Option<&Arc<BaseReading>>,
    scope: &[ScopedTable],
    detection: &Detection,
) -> Readings {
    let old = base.map(|reading| &reading.readings);
    let reading_of = |table: &ScopedTable| {
        let kept = matches!(table.decision, Decision::Keep(_)) && table.evidence.is_none();
        if let Some(reading) = old
            .filter(|_| kept)
            .and_then(|old| old.tables.get(&table.facts.oid))
        {
            return reading.clone();
        }
        TableReading {
            facts: Arc::clone(&table.facts),
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
        large_objects: detection.large_objects.evidence.clone(),
        figures: detection.figures.clone(),
    }
}
