//! `pg-stat`: the layered protocol.
//!
//! 1. Before the snapshot: read the counters (B).
//! 2. Under it: judge every table by the catalog.
//! 3. Read the counters again. A table whose counters stand where they stood at its base is
//!    *hopeful*: the scan of it can be spared if the barrier completes.
//! 4. Scan everything else meanwhile. Where scanning the hopeful too is cheaper than waiting - any
//!    small database - scan them and wait for nobody.
//! 5. Behind a complete barrier read the counters once more (A): A = B of the base clears.
//! 6. Spot-check what was cleared. One contradiction, and counters clear nothing in this run nor
//!    in the later ones of the chain.
//!
//! Wherever counters cannot be trusted - before 15, on a standby, without the privilege to see
//! other sessions, in another epoch - the fingerprint decides everything.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use respaldo_domain::changes::Reason;
use respaldo_domain::readings::Evidence;
use respaldo_domain::table::Oid;
use respaldo_engine::ports::{
    ChangeDetector, Context, Detection, DetectionRequest, Fault, FaultKind, LineageStatus,
    SourceTarget,
};
use respaldo_postgres::Session;
use serde_json::Value;

use crate::barrier::{self, Barrier, Trust};
use crate::comparison::Comparison;
use crate::counters::{self, Baseline, Reading};
use crate::evidence::encode;
use crate::options::DetectorOptions;
use crate::sessions;
use crate::signals::Basis;
use crate::spot_check::{self, Cleared};
use crate::subject::{State, Subject};

pub(crate) const NAME: &str = "pg-stat";

/// Figure by which later runs of a chain know that a writer does not report.
const DISTRUSTED: &str = "counters_distrusted";
/// Figure with the bytes of the spot check's budget that were not used.
const CREDIT: &str = "spot_check_credit_bytes";

/// How often the other sessions are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Counters behind a barrier, the fingerprint for the rest.
#[derive(Debug)]
pub(crate) struct PgStat {
    options: DetectorOptions,
}

impl PgStat {
    pub fn new(options: DetectorOptions) -> Self {
        Self { options }
    }
}

impl ChangeDetector for PgStat {
    fn name(&self) -> &str {
        NAME
    }

    fn baseline(&self, target: &SourceTarget, cx: &Context) -> Result<Option<Evidence>, Fault> {
        cx.check()?;
        let mut session = sessions::monitor(target, &self.options)?;
        if counters::obstacle(&mut session, &target.facts)?.is_some() {
            return Ok(None);
        }
        let seen = barrier::sample(&mut session)?;
        let baseline = Baseline {
            reading: counters::read_before(&mut session)?,
            sessions: seen
                .iter()
                .filter_map(|s| Some((s.pid, s.started_at?)))
                .collect(),
        };
        Ok(encode(&baseline))
    }

    fn verdicts(&self, request: &DetectionRequest, cx: &Context) -> Result<Detection, Fault> {
        let mut comparison = Comparison::begin(NAME, Basis::Xmin, request, &self.options)?;
        if was_distrusted(request) {
            comparison.note(DISTRUSTED, true);
        }
        if request.base.is_some() {
            clear_by_counters(&mut comparison, cx)?;
        }
        comparison.scan_the_rest(cx)?;
        check_spots(&mut comparison, cx)?;
        Ok(comparison.conclude())
    }
}

fn was_distrusted(request: &DetectionRequest) -> bool {
    let says_so = |figures: &BTreeMap<_, _>| figures.get(DISTRUSTED) == Some(&Value::Bool(true));
    let base = request.base.as_ref();
    base.is_some_and(|base| says_so(&base.readings.figures) || says_so(&base.learnt))
}

/// Clears what the counters can prove, or says in the figures why they were not asked.
fn clear_by_counters(comparison: &mut Comparison<'_>, cx: &Context) -> Result<(), Fault> {
    let mut monitor = sessions::monitor(&comparison.request.target, comparison.options)?;
    if let Some(why) = why_not(&mut monitor, comparison)? {
        comparison.note("counters", why);
        return Ok(());
    }
    let hopeful = hopeful(comparison, counters::read(&mut monitor)?.as_ref());
    if hopeful.is_empty() {
        comparison.note("counters", "every candidate was written to");
        return Ok(());
    }
    let bytes = comparison.bytes(|subject| hopeful.contains(&subject.key));
    let mut watched = watch(&mut monitor, comparison)?;
    let deadline = deadline(comparison);
    if scanning_is_cheaper(&watched, bytes, deadline, comparison.options) {
        comparison.note("counters", "scanning is cheaper than waiting");
        return Ok(());
    }
    comparison.note("counters", "used");
    let waited = wait_while_scanning(
        comparison,
        &mut monitor,
        &mut watched,
        &hopeful,
        deadline,
        cx,
    )?;
    comparison.note("waited_ms", waited.as_millis() as u64);
    comparison.note("barrier_held_by", watched.held_by());
    if watched.is_complete() {
        comparison.note("barrier", "complete");
        let reading = counters::read(&mut monitor)?;
        clear(comparison, &hopeful, reading.as_ref());
    } else {
        tracing::info!(held_by = ?watched.held_by(), "the barrier is incomplete: tables are scanned");
        comparison.note("barrier", "incomplete");
    }
    Ok(())
}

fn why_not(
    monitor: &mut Session,
    comparison: &Comparison<'_>,
) -> Result<Option<&'static str>, Fault> {
    let request = comparison.request;
    if let Some(obstacle) = counters::obstacle(monitor, &request.target.facts)? {
        return Ok(Some(obstacle));
    }
    // Whatever stood in the way then may have hidden writes up to then.
    if comparison.baseline().reading.is_none() {
        return Ok(Some("there is no reading from before the snapshot"));
    }
    let lineage = request.base.as_ref().map(|base| base.lineage);
    let candidate_bytes = comparison.bytes(Subject::is_candidate);
    let budget = comparison.options.scan_budget(comparison.bytes(|_| true));
    Ok(match lineage {
        _ if was_distrusted(request) => Some("a writer of this chain does not report"),
        Some(LineageStatus::Same) if candidate_bytes <= budget => {
            Some("all candidates fit into the scan budget")
        }
        Some(LineageStatus::Same) => None,
        Some(LineageStatus::Witnessed | LineageStatus::Broken) | None => {
            Some("the server was restarted since the base")
        }
    })
}

/// Candidates whose counters stand where they stood when their data was dumped.
fn hopeful(comparison: &Comparison<'_>, now: Option<&Reading>) -> HashSet<Oid> {
    let repeats = |subject: &&Subject| match (&subject.state, now) {
        (State::Candidate(then), Some(now)) => then
            .counters
            .as_ref()
            .is_some_and(|then| now.repeats(subject.key, subject.relfilenode, then)),
        _ => false,
    };
    comparison
        .subjects
        .iter()
        .filter(repeats)
        .map(|subject| subject.key)
        .collect()
}

fn watch(monitor: &mut Session, comparison: &Comparison<'_>) -> Result<Barrier, Fault> {
    let request = comparison.request;
    let first = barrier::sample(monitor)?;
    let own = barrier::own_process(monitor, &request.snapshot)?;
    let trust = if comparison.options.strict_barrier {
        Trust::Repetition
    } else {
        Trust::Server
    };
    let before = &comparison.baseline().sessions;
    Ok(Barrier::new(
        request.snapshot_at,
        trust,
        before,
        own,
        &first,
    ))
}

/// How long the barrier may be waited for, less what this run waited at earlier snapshots.
fn deadline(comparison: &Comparison<'_>) -> Duration {
    let whole = comparison.options.barrier_deadline();
    whole.saturating_sub(comparison.request.spent)
}

/// A wait that cannot be foreseen is taken to last until the deadline.
fn scanning_is_cheaper(
    watched: &Barrier,
    bytes: u64,
    deadline: Duration,
    options: &DetectorOptions,
) -> bool {
    let wait = watched.foreseeable_wait().unwrap_or(deadline).min(deadline);
    !watched.is_complete() && options.scan_time(bytes) <= wait
}

/// Scans all but the hopeful while the barrier is waited for; gives the time waited.
fn wait_while_scanning(
    comparison: &mut Comparison<'_>,
    monitor: &mut Session,
    watched: &mut Barrier,
    hopeful: &HashSet<Oid>,
    deadline: Duration,
    cx: &Context,
) -> Result<Duration, Fault> {
    std::thread::scope(|scope| {
        let scanning = scope.spawn(|| comparison.scan(|s| !hopeful.contains(&s.key), cx));
        let waited = wait(monitor, watched, deadline, cx);
        let scanned = scanning.join().unwrap_or_else(|_| {
            Err(Fault::bare(
                FaultKind::Internal,
                "a thread that scanned tables panicked",
            ))
        });
        scanned.and(waited)
    })
}

fn wait(
    monitor: &mut Session,
    watched: &mut Barrier,
    deadline: Duration,
    cx: &Context,
) -> Result<Duration, Fault> {
    let clock = Instant::now();
    while !watched.is_complete() && clock.elapsed() < deadline {
        cx.check()?;
        std::thread::sleep(LOOK_EVERY);
        watched.observe(&barrier::sample(monitor)?, clock.elapsed());
    }
    Ok(clock.elapsed())
}

/// The reading behind the barrier decides; without one nothing is cleared.
fn clear(comparison: &mut Comparison<'_>, hopeful: &HashSet<Oid>, now: Option<&Reading>) {
    let still = self::hopeful(comparison, now);
    let proven = comparison
        .subjects
        .iter_mut()
        .filter(|subject| hopeful.contains(&subject.key) && still.contains(&subject.key));
    proven.for_each(|subject| subject.clear(Reason::CountersEqual));
    let cleared = comparison
        .subjects
        .iter()
        .filter(|s| cleared(s).is_some())
        .count();
    comparison.note("cleared_by_counters", cleared as u64);
}

fn cleared(subject: &Subject) -> Option<Cleared> {
    let State::Cleared(evidence, _) = &subject.state else {
        return None;
    };
    let (key, bytes) = (subject.key, subject.bytes);
    Some(Cleared {
        key,
        bytes,
        verified_at: evidence.verified_at,
    })
}

/// Scans some of what the counters cleared; after one contradiction all of it.
fn check_spots(comparison: &mut Comparison<'_>, cx: &Context) -> Result<(), Fault> {
    let checkable = |s: &&Subject| s.job().is_some();
    let cleared: Vec<_> = comparison
        .subjects
        .iter()
        .filter(checkable)
        .filter_map(cleared)
        .collect();
    if cleared.is_empty() {
        return Ok(());
    }
    let budget = comparison.options.scan_budget(comparison.bytes(|_| true));
    let plan = spot_check::plan(cleared, budget.saturating_add(credit(comparison.request)));
    let picked: HashSet<_> = plan.picked.into_iter().collect();
    comparison.note("spot_checked", picked.len() as u64);
    comparison.note(CREDIT, plan.credit_bytes);
    comparison.scan(|subject| picked.contains(&subject.key), cx)?;
    distrust(comparison, cx)
}

fn credit(request: &DetectionRequest) -> u64 {
    let figures = request.base.as_ref().map(|base| &base.readings.figures);
    figures
        .and_then(|figures| figures.get(CREDIT))
        .and_then(Value::as_u64)
        .unwrap_or(0)
}

fn distrust(comparison: &mut Comparison<'_>, cx: &Context) -> Result<(), Fault> {
    let refuted: Vec<_> = comparison
        .subjects
        .iter()
        .filter(|s| s.is_refuted())
        .map(Subject::label)
        .collect();
    if refuted.is_empty() {
        return Ok(());
    }
    comparison.alarms.push(format!(
        "a writer does not report statistics (track_counts switched off, or a background \
         worker): {} changed without being counted; from now on every table of this chain is \
         scanned",
        refuted.join(", ")
    ));
    comparison.note(DISTRUSTED, true);
    let believed = comparison.subjects.iter_mut().filter(|s| !s.is_refuted());
    believed.for_each(Subject::doubt);
    comparison.scan_the_rest(cx)
}
