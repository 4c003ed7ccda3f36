//! What is to be run now.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Rules, Schedule, Task, WallClock};
use crate::manifest::Header;

/// How far ahead of the clock a run may be dated and still count.
const AHEAD: TimeDelta = TimeDelta::hours(1);

/// A due time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Occurrence {
    /// What is due.
    pub task: Task,
    /// Since when.
    pub at: DateTime<Utc>,
}

/// Something that was done to a good end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastRun {
    /// What.
    pub task: Task,
    /// When it was begun, by the clock that rules the schedule.
    pub started_at: DateTime<Utc>,
    /// It looked at the database itself, so that it holds what was there when it was begun.
    pub fresh: bool,
}

/// What is to be run, and what it does for besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRun {
    /// What to run.
    pub task: Task,
    /// The due time it is for: the newest one of the task.
    pub occurrence: DateTime<Utc>,
    /// Other overdue tasks that a success of this run does for, in order. If it fails they are to
    /// be run in its stead, the first that succeeds doing for those after it.
    pub covers: Vec<Occurrence>,
}

/// What is to be run at `now`.
pub fn due(
    rules: &Rules,
    past: &[PastRun],
    now: DateTime<Utc>,
    zone: &dyn WallClock,
) -> Vec<DueRun> {
    plan(overdue(rules, past, now, zone))
}

/// What makes up for due times that are in the order of tasks: in that order, each task at most
/// once, and none that an earlier one does for.
pub fn plan(overdue: impl IntoIterator<Item = Occurrence>) -> Vec<DueRun> {
    let mut runs: Vec<DueRun> = Vec::new();
    for occurrence in overdue {
        let covering = runs
            .iter_mut()
            .find(|run| run.task.does_for(occurrence.task));
        match covering {
            Some(run) => run.covers.push(occurrence),
            None => runs.push(DueRun {
                task: occurrence.task,
                occurrence: occurrence.at,
                covers: Vec::new(),
            }),
        }
    }
    runs
}

/// The newest due time of each task that nothing was done for, in the order of tasks. Where there
/// is no backup there is nothing to validate.
pub fn overdue(
    rules: &Rules,
    past: &[PastRun],
    now: DateTime<Utc>,
    zone: &dyn WallClock,
) -> Vec<Occurrence> {
    let counting = |run: &&PastRun| run.started_at <= now + AHEAD;
    let past: Vec<&PastRun> = past.iter().filter(counting).collect();
    let any_backup = past.iter().any(|run| run.task.kind().is_some());
    let tasks = Task::ALL
        .into_iter()
        .filter(|task| any_backup || task.kind().is_some());
    let newest = tasks.filter_map(|task| {
        let at = rules.last_due(task, now, zone)?;
        Some(Occurrence { task, at })
    });
    newest
        .filter(|occurrence| !past.iter().any(|run| run.meets(*occurrence)))
        .collect()
}

/// The first due time of each task after `now`, in the order of tasks.
pub fn next(schedule: &Schedule, now: DateTime<Utc>, zone: &dyn WallClock) -> Vec<Occurrence> {
    let next = |task| {
        let at = schedule.next_due(task, now, zone)?;
        Some(Occurrence { task, at })
    };
    Task::ALL.into_iter().filter_map(next).collect()
}

impl PastRun {
    /// The run that sealed a backup.
    pub fn of(manifest: &Header) -> Self {
        Self {
            task: manifest.kind.into(),
            started_at: manifest.started_at.to_utc(),
            fresh: !manifest.is_from_chain(),
        }
    }

    /// Whether it does for a due time.
    pub fn meets(&self, occurrence: Occurrence) -> bool {
        let does = if self.fresh {
            self.task.does_for(occurrence.task)
        } else {
            self.task == occurrence.task
        };
        does && self.started_at >= occurrence.at
    }
}
