//! When backups are due. Pure: `now` is given, and so is what clocks on the wall show.
//!
//! A run is due when its hour has come and nothing that covers it was begun since. So ticks that are lost, come twice or
//! late change nothing, and one decision serves the ordinary run, the one that was missed while nobody
//! was there, and the clock that jumped. **What covers what:** a full holds everything, so a full begun at or after the hour
//! of a differential or an incremental makes that one needless; a differential covers incrementals in the same way.
//! Of several hours missed only the last counts.

mod rules;

use std::fmt;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use crate::backup::BackupKind;

pub use rules::{Daily, Monthly, Weekly};

/// A run that says to have begun later than this from now was begun by a clock that was wrong, and counts for nothing.
const CLOCKS_MAY_DIFFER: TimeDelta = TimeDelta::days(1);

/// What clocks on the wall show. Each local time has one instant: the first where it is shown twice, the end of the gap
/// where it never is.
pub trait WallClock {
    /// What they show at an instant.
    fn local(&self, at: DateTime<Utc>) -> NaiveDateTime;
    /// When they show this.
    fn instant(&self, local: NaiveDateTime) -> DateTime<Utc>;
}

/// The hours of everything that recurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Schedule {
    /// Fulls.
    pub full: Monthly,
    /// Differentials.
    pub differential: Weekly,
    /// Incrementals.
    pub incremental: Daily,
    /// Looks at all backups.
    pub validation: Validation,
}

/// When all backups are looked at: daily, at 01:00 unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validation(pub Daily);

impl Default for Validation {
    fn default() -> Self {
        Self(Daily { hour: 1, minute: 0 })
    }
}

/// Something that recurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// A backup.
    Backup(BackupKind),
    /// A look at all backups.
    Validation,
}

impl Task {
    /// In the order in which they are made when several are due.
    pub const ALL: [Self; 4] = [
        Self::Backup(BackupKind::Full),
        Self::Backup(BackupKind::Differential),
        Self::Backup(BackupKind::Incremental),
        Self::Validation,
    ];

    /// The tasks whose runs make a run of this one needless.
    fn covered_by(self) -> &'static [Self] {
        let all = &Self::ALL;
        match self {
            Self::Backup(BackupKind::Full) => &all[..1],
            Self::Backup(BackupKind::Differential) => &all[..2],
            Self::Backup(BackupKind::Incremental) => &all[..3],
            Self::Validation => &all[3..],
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Backup(BackupKind::Full) => "full",
            Self::Backup(BackupKind::Differential) => "differential",
            Self::Backup(BackupKind::Incremental) => "incremental",
            Self::Validation => "validation",
        })
    }
}

/// A run that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DueRun {
    /// What.
    pub task: Task,
    /// Its hour.
    pub since: DateTime<Utc>,
}

impl fmt::Display for DueRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.task.fmt(f)
    }
}

/// When runs that ended well were begun.
#[derive(Debug, Clone, Default)]
pub struct PastRuns(Vec<(Task, DateTime<Utc>)>);

impl PastRuns {
    /// Adds one.
    pub fn add(&mut self, task: Task, began_at: DateTime<Utc>) {
        self.0.push((task, began_at));
    }

    /// Whether a run that covers the task was begun since.
    pub fn covers(&self, task: Task, since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        self.newest(task, now)
            .is_some_and(|began_at| began_at >= since)
    }

    /// The newest that covers a task, as far as it can be believed.
    fn newest(&self, task: Task, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let covering = self
            .0
            .iter()
            .filter(|(of, _)| task.covered_by().contains(of));
        let believed = covering.filter(|(_, at)| *at <= now + CLOCKS_MAY_DIFFER);
        believed.map(|(_, at)| *at).max()
    }
}

impl Schedule {
    /// The last hour of a task that is not later than `now`.
    pub fn last(&self, task: Task, now: DateTime<Utc>, clock: &dyn WallClock) -> DateTime<Utc> {
        let near = self.near(task, now, clock);
        near.into_iter()
            .filter(|at| *at <= now)
            .max()
            .unwrap_or(now)
    }

    /// The first hour of a task after `now`.
    pub fn next(&self, task: Task, now: DateTime<Utc>, clock: &dyn WallClock) -> DateTime<Utc> {
        let near = self.near(task, now, clock);
        near.into_iter().filter(|at| *at > now).min().unwrap_or(now)
    }

    /// Hours around `now`: some before and some after it.
    fn near(&self, task: Task, now: DateTime<Utc>, clock: &dyn WallClock) -> Vec<DateTime<Utc>> {
        let today = clock.local(now).date();
        let hours = match task {
            Task::Backup(BackupKind::Full) => self.full.around(today),
            Task::Backup(BackupKind::Differential) => self.differential.around(today),
            Task::Backup(BackupKind::Incremental) => self.incremental.around(today),
            Task::Validation => self.validation.0.around(today),
        };
        hours
            .into_iter()
            .map(|local| clock.instant(local))
            .collect()
    }

    /// What is due, in the order in which it is to be made: at most one run of each task, and none that another of them
    /// covers.
    pub fn due(&self, past: &PastRuns, now: DateTime<Utc>, clock: &dyn WallClock) -> Vec<DueRun> {
        let mut due: Vec<DueRun> = Vec::new();
        for task in Task::ALL {
            let since = self.last(task, now, clock);
            let is_done = past.covers(task, since, now);
            let is_covered = due.iter().any(|run| task.covered_by().contains(&run.task));
            if !is_done && !is_covered {
                due.push(DueRun { task, since });
            }
        }
        due
    }
}

#[cfg(test)]
mod tests;
