//! What is due: the schedule in force, held against what was made.
//!
//! The schedule stored beside the catalog wins over the configured one. A copy of what was last
//! read lies in the working folder, with since when each rule holds: it serves while the catalog
//! does not answer, and tells an edit from a rule that was there before. Lost, it costs at most a
//! backup too many after an edit.
//!
//! What was made is asked of the catalog; where it does not answer, of the index of manifests in the
//! working folder. Only where that leaves something due is storage asked as well, so that a
//! heartbeat is two statements. Backups of the existing system do for none of ours.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use respaldo_domain::base::BaseCandidate;
use respaldo_domain::report::{Warning, WarningCode};
use respaldo_domain::schedule::{
    self, DueRun, Occurrence, PastRun, RuleChange, Rules, Schedule, Task, WallClock,
};
use respaldo_domain::source::Lineage;
use respaldo_postgres::{Session, SessionOptions, server};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::backup::chain;
use crate::history::{History, seen_last};
use crate::intent::{WorkDir, write_durably};
use crate::parts::Parts;
use crate::ports::{Context, Fault, StoredSchedule};
use crate::rebuild;

/// How late something may be begun where missed due times are not made up.
const LATE: TimeDelta = TimeDelta::hours(1);

/// When backups are due, as configured.
#[derive(Debug, Clone)]
pub struct ScheduleSettings {
    /// What holds where nothing is stored; the hour of the validation always.
    pub first: Schedule,
    /// Whose clock the hours are of.
    pub zone: Arc<dyn WallClock>,
    /// Name of the zone, for people.
    pub zone_name: String,
    /// Whether anything is ever due.
    pub enabled: bool,
    /// Whether due times are made up that were missed by more than an hour.
    pub catch_up: bool,
}

/// The schedule in force.
#[derive(Debug, Clone)]
pub struct InForce {
    /// The schedule.
    pub schedule: Schedule,
    /// Who says so.
    pub origin: ScheduleOrigin,
    /// What is stored and could not be used.
    pub warnings: Vec<Warning>,
}

/// Who says when backups are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleOrigin {
    /// What is stored beside the catalog.
    Stored,
    /// What was stored there when it answered last.
    Remembered,
    /// The configuration, or the defaults.
    Configured,
}

/// The schedule in force. Never fails: a catalog that does not answer is a warning.
pub fn in_force(parts: &Parts) -> InForce {
    let first = &parts.settings.schedule.first;
    match parts
        .catalog
        .as_ref()
        .map(|catalog| catalog.schedule(first))
    {
        Some(Ok(Some(stored))) => of_stored(stored),
        Some(Ok(None)) | None => InForce {
            schedule: *first,
            origin: ScheduleOrigin::Configured,
            warnings: Vec::new(),
        },
        Some(Err(fault)) => remembered(parts, &fault),
    }
}

fn of_stored(stored: StoredSchedule) -> InForce {
    let warning = |subject| Warning {
        code: WarningCode::ScheduleRepaired,
        subject,
    };
    InForce {
        schedule: stored.schedule,
        origin: ScheduleOrigin::Stored,
        warnings: stored.repairs.into_iter().map(warning).collect(),
    }
}

fn remembered(parts: &Parts, fault: &Fault) -> InForce {
    let first = parts.settings.schedule.first;
    let known = WorkDir::open(&parts.settings.work_dir)
        .ok()
        .and_then(|work| remembered_rules(&work));
    let warnings = vec![Warning {
        code: WarningCode::ScheduleUnknown,
        subject: chain(fault),
    }];
    match known {
        Some(rules) => InForce {
            schedule: Schedule {
                validation: first.validation,
                ..*rules.schedule()
            },
            origin: ScheduleOrigin::Remembered,
            warnings,
        },
        None => InForce {
            schedule: first,
            origin: ScheduleOrigin::Configured,
            warnings,
        },
    }
}

/// Stores another rule; what was due by the old one stays due.
pub fn change(parts: &Parts, change: RuleChange, now: DateTime<Utc>) -> Result<(), Fault> {
    let catalog = rebuild::catalog(parts)?;
    let before = in_force(parts);
    let work = WorkDir::open(&parts.settings.work_dir)?;
    follow(parts, &work, before.schedule, now);
    catalog.migrate()?;
    catalog.change_schedule(change, &parts.settings.schedule.first)?;
    follow(parts, &work, in_force(parts).schedule, now);
    Ok(())
}

/// What is to be run now.
pub fn due_runs(parts: &Parts, now: DateTime<Utc>, cx: &Context) -> Result<Vec<DueRun>, Fault> {
    let settings = &parts.settings.schedule;
    if !settings.enabled {
        return Ok(Vec::new());
    }
    let overdue = overdue(parts, now, cx)?;
    let wanted = |due: &Occurrence| settings.catch_up || now - due.at <= LATE;
    Ok(schedule::plan(overdue.into_iter().filter(wanted)))
}

/// The newest due time of each task that nothing was done for, whether it is to be made up or not.
pub fn overdue(parts: &Parts, now: DateTime<Utc>, cx: &Context) -> Result<Vec<Occurrence>, Fault> {
    let work = WorkDir::open(&parts.settings.work_dir)?;
    let rules = follow(parts, &work, in_force(parts).schedule, now);
    let zone = &*parts.settings.schedule.zone;
    let overdue = |past: &[PastRun]| schedule::overdue(&rules, past, now, zone);
    let known = match catalogued(parts) {
        Some(known) => known,
        None => made_here(parts, &seen_last(&work)),
    };
    let known = with_validation(known, &work);
    // Storage can only tell of more that was made.
    let due = overdue(&known);
    if due.is_empty() {
        return Ok(due);
    }
    match History::load(&parts.store, &*parts.codec, &work, cx) {
        Ok(history) => {
            let stored = made_here(parts, &history.candidates);
            Ok(overdue(&[known, stored].concat()))
        }
        // The run that is due is what has to fail for it.
        Err(fault) => {
            tracing::debug!(error = %chain(&fault), "storage is not asked what was made");
            Ok(due)
        }
    }
}

/// The first due time of each task after `now`.
pub fn next_runs(parts: &Parts, schedule: &Schedule, now: DateTime<Utc>) -> Vec<Occurrence> {
    schedule::next(schedule, now, &*parts.settings.schedule.zone)
}

/// The rules, with what is remembered of them; an edit is remembered from now on.
fn follow(parts: &Parts, work: &WorkDir, schedule: Schedule, now: DateTime<Utc>) -> Rules {
    let known = remembered_rules(work);
    let rules = match known.clone() {
        Some(known) => known.edited(schedule, now, &*parts.settings.schedule.zone),
        None => Rules::always(schedule),
    };
    if known.as_ref() != Some(&rules) {
        tracing::info!("the schedule is another than before, or seen for the first time");
        keep(work, RULES_FILE, &rules);
    }
    rules
}

fn remembered_rules(work: &WorkDir) -> Option<Rules> {
    kept(work, RULES_FILE)
}

/// What the catalog tells; `None` where it cannot be asked.
fn catalogued(parts: &Parts) -> Option<Vec<PastRun>> {
    let told = parts.catalog.as_ref()?.past_runs();
    if let Err(fault) = &told {
        tracing::debug!(error = %chain(fault), "the catalog is not asked what was made");
    }
    told.ok()
}

/// What was made of the source, of all that the repository holds. Of a source that cannot be asked who it is nothing is known
/// to have been made: the run that is due is what has to fail for it.
fn made_here(parts: &Parts, backups: &[BaseCandidate]) -> Vec<PastRun> {
    if backups.is_empty() {
        return Vec::new();
    }
    let facts = Session::connect(&parts.source, &SessionOptions::default())
        .and_then(|mut session| server::source_facts(&mut session));
    match facts {
        Ok(facts) => made_of(&facts.lineage, backups),
        Err(error) => {
            tracing::debug!(error = %chain(&error), "whose backups are in the repository is not known");
            Vec::new()
        }
    }
}

/// Backups of the existing system do for none of ours, nor do those of other databases in the same repository.
fn made_of(source: &Lineage, backups: &[BaseCandidate]) -> Vec<PastRun> {
    let ours = |made: &&BaseCandidate| !made.adopted && made.lineage.same_database(source);
    backups.iter().filter(ours).map(|made| made.run).collect()
}

/// Whether something was made that does for a due time, as far as the catalog and `history` tell: to be asked under the
/// lease, for another machine may have made it since it was found to be due.
pub(crate) fn is_met(parts: &Parts, due: Occurrence, history: &History, source: &Lineage) -> bool {
    let known = catalogued(parts).unwrap_or_default();
    let stored = made_of(source, &history.candidates);
    known.iter().chain(&stored).any(|run| run.meets(due))
}

fn with_validation(mut runs: Vec<PastRun>, work: &WorkDir) -> Vec<PastRun> {
    runs.extend(last_validation(work));
    runs
}

/// Remembers that every backup was looked at.
pub(crate) fn note_validation(parts: &Parts, started_at: DateTime<Utc>) {
    match WorkDir::open(&parts.settings.work_dir) {
        Ok(work) => keep(&work, VALIDATED_FILE, &started_at),
        Err(fault) => tracing::warn!(error = %chain(&fault), "the validation is not remembered"),
    }
}

/// Remembers that the newest backup was looked into as deep as is asked for once a week.
pub(crate) fn note_weekly(parts: &Parts, at: DateTime<Utc>) {
    match WorkDir::open(&parts.settings.work_dir) {
        Ok(work) => keep(&work, WEEKLY_FILE, &at),
        Err(fault) => tracing::warn!(error = %chain(&fault), "the validation is not remembered"),
    }
}

/// Whether that was a week ago, or never. Hours of the day may move.
pub(crate) fn is_week_since_weekly(parts: &Parts, now: DateTime<Utc>) -> bool {
    let work = WorkDir::open(&parts.settings.work_dir).ok();
    let last: Option<DateTime<Utc>> = work.and_then(|work| kept(&work, WEEKLY_FILE));
    last.is_none_or(|last| (now - last).abs() >= TimeDelta::days(7) - TimeDelta::hours(12))
}

fn last_validation(work: &WorkDir) -> Option<PastRun> {
    kept(work, VALIDATED_FILE).map(|started_at| PastRun {
        task: Task::Validation,
        started_at,
        fresh: true,
    })
}

const RULES_FILE: &str = "schedule.json";
const VALIDATED_FILE: &str = "validated.json";
const WEEKLY_FILE: &str = "validated_weekly.json";

/// A file that is not there or makes no sense is none.
fn kept<T: DeserializeOwned>(work: &WorkDir, name: &str) -> Option<T> {
    let text = std::fs::read(work.file(name)).ok()?;
    serde_json::from_slice(&text).ok()
}

fn keep<T: Serialize>(work: &WorkDir, name: &str, value: &T) {
    let path = work.file(name);
    let written = serde_json::to_vec(value)
        .map_err(std::io::Error::other)
        .and_then(|text| write_durably(&path, &text));
    if let Err(error) = written {
        tracing::warn!(%error, path = %path.display(), "not remembered");
    }
}
