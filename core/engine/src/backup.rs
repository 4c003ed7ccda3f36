//! The backup flow.
//!
//! Order is the design: the lease comes before anything is asked, the intent before anything is written, the dump
//! before the sinks, the manifest after every object it names, the catalog after the manifest. A
//! crash leaves: before the manifest, litter named by the intent, swept by the next run; after
//! it, a whole backup, which the next run brings into the catalog.

mod base;
mod definitions;
mod dump;
mod from_chain;
mod late;
mod listing;
mod order;
mod seal;
mod spool;
mod surroundings;
mod tries;
mod yielding;

use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use chrono::{DateTime, FixedOffset, Local, Utc};
use respaldo_domain::backup::{ArchiveName, BackupKind, Trigger};
use respaldo_domain::coverage::Coverage;
use respaldo_domain::manifest::Header;
use respaldo_domain::report::{
    BackupReport, SinkOutcome, SinkState, StepTime, Warning, WarningCode,
};
use respaldo_domain::schedule::Occurrence;
use respaldo_domain::source::{Lineage, SourceFacts};
use respaldo_domain::validation::Finding;
use respaldo_postgres::{ConnInfo, Session, SessionOptions, ToolError, server};
use uuid::Uuid;

use crate::copies;
use crate::expire;
use crate::faults::step;
use crate::history::History;
use crate::intent::WorkDir;
use crate::lease::Lease;
use crate::locks;
use crate::owed::{self, Settle};
use crate::parts::Parts;
use crate::ports::{Context, EventLevel, Fault, FaultKind, LeaseWork, NewBackup, SourceTarget};
use crate::rebuild;
use crate::remove::sweep_dead;
use crate::schedule;
use crate::validate;

pub use self::from_chain::{ConsolidateError, consolidate};
use self::late::LateReading;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct BackupRequest {
    /// Kind; a full is made where a differential or incremental has no base.
    pub kind: BackupKind,
    /// Free text.
    pub label: Option<String>,
    /// Who asks.
    pub trigger: Trigger,
    /// Whether to go on where the role cannot read everything.
    pub allow_partial: bool,
    /// The due time it is for: none is made where that has been met, which is looked at under the lease, so that of
    /// several machines one makes it.
    pub due: Option<Occurrence>,
}

/// Why no backup was made. In every case nothing half is left that looks whole.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Another run holds the lease.
    #[error("the lease was not to be had")]
    Lease(#[source] Fault),
    /// Another machine made what does for the due time.
    #[error("a backup that does for it was made meanwhile")]
    NotDue,
    /// The client tools are missing or too old.
    #[error("the client tools cannot be used")]
    Tools(#[source] ToolError),
    /// The source cannot be used.
    #[error("the source database cannot be used")]
    Source(#[source] Fault),
    /// The repository cannot be read or written before the dump.
    #[error("the repository cannot be used")]
    Repository(#[source] Fault),
    /// The role cannot read everything, and a partial backup was not allowed.
    #[error("the role cannot read {} objects exactly: {}", .0.gaps.len(), .0)]
    Coverage(Coverage),
    /// The detector failed.
    #[error("finding out what changed failed")]
    Detection(#[source] Fault),
    /// DDL overtook every snapshot.
    #[error("schema changes overtook {attempts} snapshots in a row, the last: {what}")]
    Overtaken {
        /// Snapshots taken.
        attempts: u32,
        /// What changed under the last one.
        what: String,
    },
    /// The dump failed.
    #[error("the dump failed")]
    Dump(#[source] Fault),
    /// A required sink did not take the set.
    #[error("no sink took the backup")]
    Store(#[source] Fault),
    /// The operator or a signal stopped the run.
    #[error("the backup was interrupted")]
    Interrupted,
}

/// One run with its names.
pub(crate) struct Run {
    id: Uuid,
    source: ConnInfo,
    started_at: DateTime<FixedOffset>,
    clock: Instant,
    steps: Vec<StepTime>,
    warnings: Vec<Warning>,
}

impl Run {
    fn begin(parts: &Parts) -> Self {
        let id = Uuid::new_v4();
        let tag = format!("respaldo {}", id.simple());
        Self {
            id,
            source: parts.source.with_option("application_name", &tag),
            started_at: Local::now().fixed_offset(),
            clock: Instant::now(),
            steps: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn name(&self, parts: &Parts, kind: BackupKind) -> ArchiveName {
        let (_, suffix) = self.id.as_u64_pair();
        let name = ArchiveName::new(kind, self.started_at, (suffix & 0xffff) as u16);
        match parts.store.vault().encrypts() {
            true => name.encrypted(),
            false => name,
        }
    }

    /// Enters a step: told to the watcher, timed, and a place where tests break the run.
    fn enter(&mut self, name: &'static str, cx: &Context) -> Result<(), Fault> {
        self.steps.push(StepTime {
            step: name,
            seconds: self.clock.elapsed().as_secs_f64(),
        });
        cx.progress().step(name, None);
        cx.check()?;
        step(name)
    }

    fn warn(&mut self, code: WarningCode, subject: impl Into<String>) {
        self.warnings.push(Warning {
            code,
            subject: subject.into(),
        });
    }

    /// How long all visits to a step took so far.
    fn time_in(&self, name: &str) -> Duration {
        let visits = self
            .step_times()
            .into_iter()
            .filter(|time| time.step == name);
        Duration::from_secs_f64(visits.map(|time| time.seconds.max(0.0)).sum())
    }

    /// Starts become durations.
    fn step_times(&self) -> Vec<StepTime> {
        let end = self.clock.elapsed().as_secs_f64();
        let next = self
            .steps
            .iter()
            .skip(1)
            .map(|step| step.seconds)
            .chain([end]);
        let durations = self.steps.iter().zip(next);
        durations
            .map(|(step, end)| StepTime {
                step: step.step,
                seconds: end - step.seconds,
            })
            .collect()
    }
}

/// Makes one backup: a whole one, or none.
pub fn backup(
    parts: &Parts,
    request: &BackupRequest,
    cx: &Context,
) -> Result<BackupReport, BackupError> {
    let mut run = Run::begin(parts);
    run.enter("backup.lease", cx).map_err(BackupError::Lease)?;
    let (lease, session) = thread::scope(|threads| {
        let session = threads.spawn(|| source_session(&run));
        let lease = Lease::acquire_for(parts, &run.source, LeaseWork::Backup(run.id));
        (lease, joined(session, "connecting"))
    });
    let mut lease = lease.map_err(lease_error)?;
    parts.tools.get().map_err(BackupError::Tools)?;
    let target = session.and_then(|session| probe_source(parts, &mut run, session, cx));
    let target = target.map_err(BackupError::Source)?;
    if let Some(note) = &parts.settings.second_place_note {
        run.warn(WarningCode::SecondPlace, note.clone());
    }
    let work = WorkDir::open(&parts.settings.work_dir).map_err(BackupError::Repository)?;
    let history =
        tidy_up(parts, &mut run, &work, &target.facts, cx).map_err(BackupError::Repository)?;
    let is_met = |due| schedule::is_met(parts, due, &history, &target.facts.lineage);
    if request.due.is_some_and(is_met) {
        return Err(BackupError::NotDue);
    }
    let base = base::choose(parts, request.kind, &history, &target.facts, cx)
        .map_err(BackupError::Repository)?;
    let name = run.name(parts, base.kind);
    run.enter("backup.intent", cx)
        .map_err(BackupError::Repository)?;
    let intent = work
        .intend(&name, &target.facts.lineage)
        .map_err(BackupError::Repository)?;
    record_begin(parts, &mut run, request, &target.facts, &name, &base, cx);

    let made = make(
        parts, request, &mut run, &mut lease, &target, &history, &base, &name, cx,
    );
    let outcome = match made {
        Ok(sealed) => sealed,
        Err(error) => {
            give_up(parts, &run, &name, &error, cx);
            return Err(interrupted_or(error, cx));
        }
    };
    if let Err(fault) = intent.close() {
        tracing::warn!(%fault, "the intent could not be taken back; the next run does it");
    }
    free_beside(base);
    history.remember(&work, &outcome.manifest);
    keep_bases(parts, &history, &outcome.manifest);
    note_sinks(parts, &outcome);
    lock_what_it_needs(parts, &mut run, &outcome, cx);
    let report = finish(parts, run, outcome, cx);
    // What is owed may take long, and the next run need not wait for it.
    drop(lease);
    settle_owed(parts, &report, cx);
    Ok(report)
}

/// Gives up what was kept readable of encrypted sets on which nothing will be built any more.
fn keep_bases(parts: &Parts, history: &History, sealed: &Header) {
    let earlier = history.bases().filter(|_| sealed.kind != BackupKind::Full);
    let bases = earlier.chain([&sealed.archive]).cloned().collect();
    parts.store.vault().keep_only(&bases);
}

/// Notes what became of the set in each sink, before anything else can go wrong.
fn note_sinks(parts: &Parts, sealed: &seal::Sealed) {
    owed::note(parts, &sealed.manifest.archive, &sealed.sinks);
    copies::tell_outcomes(parts, &sealed.manifest.archive, &sealed.sinks);
}

/// What the backup is restored from is kept as long as the backup itself.
fn lock_what_it_needs(parts: &Parts, run: &mut Run, sealed: &seal::Sealed, cx: &Context) {
    for (sink, fault) in locks::after_backup(parts, &sealed.manifest, cx) {
        let subject = format!("{sink}: {}", chain(&fault));
        run.warn(WarningCode::LockTooShort, subject);
    }
}

/// Where every sink took the backup, whatever is owed of earlier ones is given, too.
fn settle_owed(parts: &Parts, report: &BackupReport, cx: &Context) {
    let took = |outcome: &SinkOutcome| matches!(outcome.state, SinkState::Stored);
    if !report.sinks.iter().all(took) {
        return;
    }
    if let Err(fault) = owed::settle(parts, Settle::All, Utc::now(), cx) {
        tracing::warn!(error = %chain(&fault), "what is owed stays owed");
    }
}

/// Everything between the intent and the manifest.
#[expect(
    clippy::too_many_arguments,
    reason = "the steps of one flow, each with its own input"
)]
fn make(
    parts: &Parts,
    request: &BackupRequest,
    run: &mut Run,
    lease: &mut Lease,
    target: &SourceTarget,
    history: &History,
    base: &base::Base,
    name: &ArchiveName,
    cx: &Context,
) -> Result<seal::Sealed, BackupError> {
    let _held = base::hold(parts, base, cx).map_err(BackupError::Repository)?;
    let spool = WorkDir::open(&parts.settings.work_dir)
        .map_err(BackupError::Repository)?
        .spool(name);
    let dumped = thread::scope(|threads| {
        let mut dump = dump::Dump {
            parts,
            request,
            target,
            base,
            reading: LateReading::begin(threads, parts, base, target, cx),
            name,
            spool: &spool,
            cx,
        };
        let dumped = dump.run(run);
        free_beside(dump.reading.take());
        dumped
    })?;
    let draft = seal::Draft {
        request,
        target,
        history,
        base,
        name,
        dumped,
    };
    seal::seal(parts, run, lease, draft, &spool, cx)
}

/// What a thread beside ours came to.
fn joined<T>(thread: ScopedJoinHandle<'_, Result<T, Fault>>, doing: &str) -> Result<T, Fault> {
    let gone = |_| {
        let what = format!("{doing}: its thread is gone");
        Err(Fault::bare(FaultKind::Internal, what))
    };
    thread.join().unwrap_or_else(gone)
}

/// Frees what has the size of the database's catalog; nobody waits for that.
fn free_beside(what: impl Send + 'static) {
    let freeing = thread::Builder::new().spawn(move || drop(what));
    // Where there was no thread it is free already.
    drop(freeing);
}

fn lease_error(fault: Fault) -> BackupError {
    match fault.kind {
        FaultKind::Busy => BackupError::Lease(fault),
        _ => BackupError::Source(fault),
    }
}

/// A session that may have to wait until it is asked something.
fn source_session(run: &Run) -> Result<Session, Fault> {
    let mut session = Session::connect(&run.source, &SessionOptions::default())?;
    server::lift_time_limits(&mut session)?;
    Ok(session)
}

/// Who the source is, and whether the tools can dump it.
fn probe_source(
    parts: &Parts,
    run: &mut Run,
    mut session: Session,
    cx: &Context,
) -> Result<SourceTarget, Fault> {
    run.enter("backup.source", cx)?;
    let facts = server::source_facts(&mut session)?;
    let target = SourceTarget {
        conninfo: run.source.clone(),
        facts,
    };
    parts.dumper.probe(&target, cx)?;
    let pg_dump = &parts.tools.get()?.pg_dump;
    if pg_dump.is_older_minor_than(target.facts.server_version_num) {
        run.warn(WarningCode::OldTools, pg_dump.version().text.clone());
    }
    Ok(target)
}

/// Sweeps what dead runs left, brings the catalog up to date, loads the history.
fn tidy_up(
    parts: &Parts,
    run: &mut Run,
    work: &WorkDir,
    facts: &SourceFacts,
    cx: &Context,
) -> Result<History, Fault> {
    sweep(parts, run, work, &facts.lineage, cx)?;
    run.enter("backup.history", cx)?;
    let history = History::load(&parts.store, &*parts.codec, work, cx)?;
    if let Some(newest) = history
        .newest()
        .filter(|newest| newest.snapshot_at > run.started_at)
    {
        run.warn(WarningCode::ClockMovedBack, newest.archive.to_string());
    }
    if let Err(fault) = catch_up_catalog(parts, run, facts, cx) {
        tracing::warn!(error = %chain(&fault), "the catalog is behind");
        run.warn(WarningCode::CatalogBehind, chain(&fault));
    }
    Ok(history)
}

/// Removes what dead runs on the same database left; the caller holds its lease.
fn sweep(
    parts: &Parts,
    run: &mut Run,
    work: &WorkDir,
    lineage: &Lineage,
    cx: &Context,
) -> Result<(), Fault> {
    run.enter("backup.sweep", cx)?;
    for name in sweep_dead(parts, work, lineage, cx)? {
        run.warn(WarningCode::Swept, name.to_string());
    }
    parts.store.sweep(cx).map(drop)
}

fn catch_up_catalog(
    parts: &Parts,
    run: &mut Run,
    facts: &SourceFacts,
    cx: &Context,
) -> Result<(), Fault> {
    let Some(catalog) = &parts.catalog else {
        return Ok(());
    };
    run.enter("backup.catalog", cx)?;
    catalog.migrate()?;
    catalog.fail_abandoned(facts, Some(run.id))?;
    rebuild::reconcile(parts, cx)
}

/// The catalog is an index: a run that cannot write to it goes on and says so.
fn record_begin(
    parts: &Parts,
    run: &mut Run,
    request: &BackupRequest,
    source: &SourceFacts,
    name: &ArchiveName,
    base: &base::Base,
    cx: &Context,
) {
    let Some(catalog) = &parts.catalog else {
        return;
    };
    let row = NewBackup {
        run: run.id,
        source: source.clone(),
        archive: name.clone(),
        kind: base.kind,
        label: request.label.clone(),
        base: base
            .manifest
            .as_ref()
            .map(|manifest| manifest.archive.clone()),
        location: parts.store.location(&name.key()),
        started_at: run.started_at,
    };
    let recorded = run
        .enter("backup.begin", cx)
        .and_then(|()| catalog.begin(&row));
    if let Err(fault) = recorded {
        run.warn(WarningCode::CatalogBehind, chain(&fault));
    }
}

/// Removes what a failed run wrote and records the failure. What cannot be removed now is named
/// by the intent, which stays until it is.
fn give_up(parts: &Parts, run: &Run, name: &ArchiveName, error: &BackupError, cx: &Context) {
    let message = chain(error);
    // The run may have been interrupted; tidying up is not to be.
    let cx = &cx.with_interrupt(crate::ports::Interrupt::default());
    let tidy =
        WorkDir::open(&parts.settings.work_dir).and_then(|work| work.undo(name, &parts.store, cx));
    if let Err(fault) = tidy {
        tracing::warn!(error = %chain(&fault), "litter is left for the next run to sweep");
    }
    if let Some(catalog) = &parts.catalog {
        let detail = serde_json::json!({ "message": message });
        let told = catalog
            .fail(run.id, &message)
            .and_then(|()| catalog.event(EventLevel::Error, "backup-failed", Some(name), &detail));
        if let Err(fault) = told {
            tracing::warn!(error = %chain(&fault), "the failure could not be recorded");
        }
    }
}

fn interrupted_or(error: BackupError, cx: &Context) -> BackupError {
    if cx.interrupt().is_set() {
        BackupError::Interrupted
    } else {
        error
    }
}

/// Looks at what was made, and reports.
fn finish(parts: &Parts, mut run: Run, sealed: seal::Sealed, cx: &Context) -> BackupReport {
    if !sealed.manifest.coverage.is_complete() {
        run.warn(
            WarningCode::Partial,
            sealed.manifest.coverage.gaps.len().to_string(),
        );
    }
    for finding in after_backup(parts, &mut run, &sealed, cx) {
        run.warn(
            WarningCode::ValidationFindings,
            format!("{}: {}", finding.subject, finding.detail),
        );
    }
    run.warnings.extend(sealed.warnings);
    if parts.settings.expire_after_backup && sealed.manifest.coverage.is_complete() {
        apply_retention(parts, &mut run, cx);
    }
    BackupReport {
        id: sealed.id,
        base_id: sealed.base_id,
        location: parts.store.location(&sealed.manifest.archive.key()),
        manifest: sealed.manifest,
        sinks: sealed.sinks,
        steps: run.step_times(),
        warnings: run.warnings,
    }
}

/// The backup is sealed: what goes wrong from here on is said, and does not undo it.
fn after_backup(parts: &Parts, run: &mut Run, sealed: &seal::Sealed, cx: &Context) -> Vec<Finding> {
    let looked = run
        .enter("backup.validate", cx)
        .and_then(|()| validate::after_backup(parts, &sealed.manifest, cx));
    match looked {
        Ok(findings) => findings,
        Err(fault) => {
            run.warn(WarningCode::ValidationFindings, chain(&fault));
            Vec::new()
        }
    }
}

/// Makes room, now that there is something newer. The lease is still held.
fn apply_retention(parts: &Parts, run: &mut Run, cx: &Context) {
    let applied = run
        .enter("backup.expire", cx)
        .and_then(|()| expire::under_lease(parts, cx));
    let trouble = match applied {
        Err(fault) => Some(chain(&fault)),
        Ok(report) => report
            .failed
            .first()
            .map(|(name, fault)| format!("{name}: {}", chain(fault))),
    };
    if let Some(trouble) = trouble {
        run.warn(WarningCode::RetentionFailed, trouble);
    }
}

/// An error with everything that caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
