//! When backups and validations are due, and which due times were missed.
//!
//! Nothing is remembered but what was made: a due time has been met when something that was begun
//! at it or later does for it. So asking twice, asking after a restart, after a suspend or on
//! another machine gives the same answer, and a due time that nobody was awake for is met late,
//! once, however many of its kind have passed.
//!
//! * A full does for an overdue differential and incremental, a differential for an overdue
//!   incremental: each holds what the smaller one would have held. Where several are overdue, the
//!   greatest alone is made; the others are made only if it fails.
//! * An edited rule holds from its edit on: due times that it would have had before are nobody's.
//! * A run dated less than an hour ahead of the clock counts: the clock was put back after it. One
//!   dated later still was told by a wrong clock and counts for nothing until its time has come.

mod due;
mod edits;
mod rules;
mod zone;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::backup::BackupKind;

pub use due::{DueRun, Occurrence, PastRun, due, next, overdue, plan};
pub use edits::Rules;
pub use rules::{DAY, Daily, HOUR, MINUTE, Monthly, WEEKDAY, Weekly};
pub use zone::WallClock;

/// Something that is done at due times, in the order in which overdue ones are made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// A full.
    Full,
    /// A differential.
    Differential,
    /// An incremental.
    Incremental,
    /// A look at every backup.
    Validation,
}

impl Task {
    /// All tasks, in that order.
    pub const ALL: [Self; 4] = [
        Self::Full,
        Self::Differential,
        Self::Incremental,
        Self::Validation,
    ];

    /// The kind of backup it makes; `None` for a validation.
    pub fn kind(self) -> Option<BackupKind> {
        match self {
            Self::Full => Some(BackupKind::Full),
            Self::Differential => Some(BackupKind::Differential),
            Self::Incremental => Some(BackupKind::Incremental),
            Self::Validation => None,
        }
    }

    /// Whether one of these, begun at a due time of `other` or later, does for it.
    pub fn does_for(self, other: Self) -> bool {
        match (self.kind(), other.kind()) {
            (Some(_), Some(_)) => self <= other,
            _ => self == other,
        }
    }
}

impl From<BackupKind> for Task {
    fn from(kind: BackupKind) -> Self {
        match kind {
            BackupKind::Full => Self::Full,
            BackupKind::Differential => Self::Differential,
            BackupKind::Incremental => Self::Incremental,
        }
    }
}

/// The due times of every task, in local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Fulls.
    pub full: Monthly,
    /// Differentials.
    pub differential: Weekly,
    /// Incrementals.
    pub incremental: Daily,
    /// Looks at every backup.
    pub validation: Daily,
}

/// Another rule for one kind of backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleChange {
    /// For fulls.
    Full(Monthly),
    /// For differentials.
    Differential(Weekly),
    /// For incrementals.
    Incremental(Daily),
}

impl RuleChange {
    /// Whose rule it is.
    pub fn task(self) -> Task {
        match self {
            Self::Full(_) => Task::Full,
            Self::Differential(_) => Task::Differential,
            Self::Incremental(_) => Task::Incremental,
        }
    }
}

impl Default for Schedule {
    /// The hours of the existing system.
    fn default() -> Self {
        Self {
            full: Monthly::DEFAULT,
            differential: Weekly::DEFAULT,
            incremental: Daily::INCREMENTAL,
            validation: Daily::VALIDATION,
        }
    }
}

impl Schedule {
    /// The newest due time of a task that is not after `now`; `None` only at the ends of the
    /// calendar.
    pub fn last_due(
        &self,
        task: Task,
        now: DateTime<Utc>,
        zone: &dyn WallClock,
    ) -> Option<DateTime<Utc>> {
        rules::last(self.rule(task), now, zone)
    }

    /// The first due time of a task after `now`; `None` only at the ends of the calendar.
    pub fn next_due(
        &self,
        task: Task,
        now: DateTime<Utc>,
        zone: &dyn WallClock,
    ) -> Option<DateTime<Utc>> {
        rules::next(self.rule(task), now, zone)
    }

    /// The schedule with one rule changed.
    #[must_use]
    pub fn changed(mut self, change: RuleChange) -> Self {
        match change {
            RuleChange::Full(rule) => self.full = rule,
            RuleChange::Differential(rule) => self.differential = rule,
            RuleChange::Incremental(rule) => self.incremental = rule,
        }
        self
    }

    fn same_rule(&self, other: &Self, task: Task) -> bool {
        match task {
            Task::Full => self.full == other.full,
            Task::Differential => self.differential == other.differential,
            Task::Incremental => self.incremental == other.incremental,
            Task::Validation => self.validation == other.validation,
        }
    }

    fn rule(&self, task: Task) -> &dyn rules::Rule {
        match task {
            Task::Full => &self.full,
            Task::Differential => &self.differential,
            Task::Incremental => &self.incremental,
            Task::Validation => &self.validation,
        }
    }
}
