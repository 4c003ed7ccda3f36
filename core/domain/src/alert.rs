//! What is told to whom, and when: an alarm once when it begins and once when it ends, however often
//! what caused it is seen; and the beginning and end of every run, for monitors that count them.
//!
//! The state is a value that survives as JSON, so that a supervisor that starts again, or another
//! that takes over, does not repeat what was told.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};

/// What people must know of until it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alarm {
    /// Backups are tried and fail.
    BackupFailing,
    /// A backup that was due was not made.
    BackupMissed,
    /// The legacy service stands in for the engine.
    EngineLegacy,
    /// Nothing makes backups.
    EngineStopped,
    /// A backup was found damaged.
    BackupDamaged,
}

impl Alarm {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::BackupFailing,
        Self::BackupMissed,
        Self::EngineLegacy,
        Self::EngineStopped,
        Self::BackupDamaged,
    ];
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A backup begins.
    RunStarted,
    /// A backup is made.
    RunSucceeded,
    /// A backup was tried and failed, with why.
    RunFailed(String),
    /// The cause of an alarm is there, with why.
    Holds(Alarm, String),
    /// The cause of an alarm is not there.
    Over(Alarm),
}

/// What to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what", content = "alarm")]
pub enum NoticeKind {
    /// An alarm begins.
    Began(Alarm),
    /// An alarm is over.
    Ended(Alarm),
    /// A run begins.
    RunStarted,
    /// A run succeeded.
    RunSucceeded,
    /// A run failed.
    RunFailed,
}

impl NoticeKind {
    /// Whether it is for people, and not for a monitor that watches every run.
    pub fn is_for_people(self) -> bool {
        matches!(self, Self::Began(_) | Self::Ended(_))
    }
}

/// Something to tell, with why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tell {
    /// What.
    pub kind: NoticeKind,
    /// Why; of an alarm that is over, why it began.
    pub why: String,
    /// Of an alarm that is over, when it began.
    pub since: Option<DateTime<FixedOffset>>,
}

/// What is sent: ready to be read, and to be taken apart by a program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// What it is about.
    pub kind: NoticeKind,
    /// One sentence.
    pub subject: String,
    /// When it was seen.
    pub at: DateTime<FixedOffset>,
    /// The database.
    pub database: String,
    /// Further facts.
    pub detail: serde_json::Value,
}

/// Alarms that were told and are not over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alerts {
    #[serde(default)]
    raised: BTreeMap<Alarm, Raised>,
}

/// An alarm that was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Raised {
    since: DateTime<FixedOffset>,
    why: String,
}

impl Alerts {
    /// Alarms that are not over.
    pub fn raised(&self) -> impl Iterator<Item = Alarm> + '_ {
        self.raised.keys().copied()
    }

    /// Takes what was seen into account; returns what is to be told of it, in this order.
    pub fn see(&mut self, event: Event, now: DateTime<FixedOffset>) -> Vec<Tell> {
        let run = |kind, why| Tell {
            kind,
            why,
            since: None,
        };
        match event {
            Event::RunStarted => vec![run(NoticeKind::RunStarted, String::new())],
            Event::RunSucceeded => {
                let over = [Alarm::BackupFailing, Alarm::BackupMissed];
                let over = over.into_iter().filter_map(|alarm| self.end(alarm));
                let made = run(NoticeKind::RunSucceeded, String::new());
                [made].into_iter().chain(over).collect()
            }
            Event::RunFailed(why) => {
                let began = self.begin(Alarm::BackupFailing, why.clone(), now);
                let failed = run(NoticeKind::RunFailed, why);
                [failed].into_iter().chain(began).collect()
            }
            Event::Holds(alarm, why) => self.begin(alarm, why, now).into_iter().collect(),
            Event::Over(alarm) => self.end(alarm).into_iter().collect(),
        }
    }

    fn begin(&mut self, alarm: Alarm, why: String, now: DateTime<FixedOffset>) -> Option<Tell> {
        if self.raised.contains_key(&alarm) {
            return None;
        }
        let raised = Raised {
            since: now,
            why: why.clone(),
        };
        self.raised.insert(alarm, raised);
        Some(Tell {
            kind: NoticeKind::Began(alarm),
            why,
            since: None,
        })
    }

    fn end(&mut self, alarm: Alarm) -> Option<Tell> {
        let raised = self.raised.remove(&alarm)?;
        Some(Tell {
            kind: NoticeKind::Ended(alarm),
            why: raised.why,
            since: Some(raised.since),
        })
    }
}

#[cfg(test)]
mod tests;
