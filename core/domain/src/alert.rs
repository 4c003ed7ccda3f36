//! What is told to whom, and when: an alarm once when it begins and once when it ends, however often
//! what caused it is seen; and the beginning and end of every run, for monitors that count them.
//!
//! The state is a value that survives as JSON, so that a supervisor that starts again, or another
//! that takes over, does not repeat what was told.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};

mod owed;

pub use owed::{MOST_WAITING, Owed, first_to_go};

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
    /// A backup was made, and something that belongs to it was not: its copy, the removal of old ones.
    BackupIncomplete,
}

impl Alarm {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::BackupFailing,
        Self::BackupMissed,
        Self::EngineLegacy,
        Self::EngineStopped,
        Self::BackupDamaged,
        Self::BackupIncomplete,
    ];
}

/// An alarm and what it concerns: each is raised, and ends, by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Topic {
    /// The alarm.
    pub alarm: Alarm,
    /// The run that it concerns, where it concerns one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

impl From<Alarm> for Topic {
    fn from(alarm: Alarm) -> Self {
        Self { alarm, run: None }
    }
}

impl Topic {
    /// That this run fails.
    pub fn failing(run: &str) -> Self {
        Self::of(Alarm::BackupFailing, run)
    }

    /// An alarm that concerns one run.
    pub fn of(alarm: Alarm, run: &str) -> Self {
        Self {
            alarm,
            run: Some(run.to_owned()),
        }
    }
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// This backup begins.
    RunStarted(String),
    /// This backup is made.
    RunSucceeded(String),
    /// This backup was tried and failed.
    RunFailed {
        /// The run.
        run: String,
        /// Why.
        why: String,
    },
    /// Whoever looked found that everything that was due has been made, by whomever.
    NothingLeft,
    /// Whoever looked found that of what was due these runs have not been made.
    Left(Vec<String>),
    /// The cause of an alarm is there, with why.
    Holds(Topic, String),
    /// The cause of an alarm is not there.
    Over(Topic),
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
        self.alarm().is_some()
    }

    /// The alarm that it tells of.
    pub fn alarm(self) -> Option<Alarm> {
        match self {
            Self::Began(alarm) | Self::Ended(alarm) => Some(alarm),
            Self::RunStarted | Self::RunSucceeded | Self::RunFailed => None,
        }
    }
}

/// Something to tell, with why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tell {
    /// What.
    pub kind: NoticeKind,
    /// The run that it concerns, where it concerns one.
    pub run: Option<String>,
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
    /// The run that it concerns, where it concerns one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Further facts.
    pub detail: serde_json::Value,
}

impl Notice {
    /// Whether both are of one thing, of which the later notice is not to be told first.
    pub fn is_of_one_with(&self, other: &Self) -> bool {
        let of_runs = !self.kind.is_for_people() && !other.kind.is_for_people();
        let alarm = self.kind.alarm();
        of_runs || alarm.is_some() && alarm == other.kind.alarm() && self.run == other.run
    }
}

/// Alarms that are not over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(Topic, Raised)>", into = "Vec<(Topic, Raised)>")]
pub struct Alerts {
    raised: BTreeMap<Topic, Raised>,
}

/// An alarm that began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Raised {
    since: DateTime<FixedOffset>,
    why: String,
}

impl From<Vec<(Topic, Raised)>> for Alerts {
    fn from(raised: Vec<(Topic, Raised)>) -> Self {
        Self {
            raised: raised.into_iter().collect(),
        }
    }
}

impl From<Alerts> for Vec<(Topic, Raised)> {
    fn from(alerts: Alerts) -> Self {
        alerts.raised.into_iter().collect()
    }
}

impl Alerts {
    /// Alarms that are not over.
    pub fn raised(&self) -> impl Iterator<Item = &Topic> + '_ {
        self.raised.keys()
    }

    /// Takes what was seen into account; returns what is to be told of it, in this order.
    pub fn see(&mut self, event: Event, now: DateTime<FixedOffset>) -> Vec<Tell> {
        match event {
            Event::RunStarted(run) => vec![of_run(NoticeKind::RunStarted, run, "")],
            Event::RunSucceeded(run) => {
                let over = self.end(&Topic::failing(&run));
                let made = of_run(NoticeKind::RunSucceeded, run, "");
                [made].into_iter().chain(over).collect()
            }
            Event::RunFailed { run, why } => {
                let began = self.begin(Topic::failing(&run), &why, now);
                let failed = of_run(NoticeKind::RunFailed, run, &why);
                [failed].into_iter().chain(began).collect()
            }
            Event::NothingLeft => self.end_what_waited(),
            Event::Left(runs) => self.end_what_was_missed_but(&runs),
            Event::Holds(topic, why) => self.begin(topic, &why, now).into_iter().collect(),
            Event::Over(topic) => self.end(&topic).into_iter().collect(),
        }
    }

    fn begin(&mut self, topic: Topic, why: &str, now: DateTime<FixedOffset>) -> Option<Tell> {
        if self.raised.contains_key(&topic) {
            return None;
        }
        let raised = Raised {
            since: now,
            why: why.to_owned(),
        };
        self.raised.insert(topic.clone(), raised);
        Some(Tell {
            kind: NoticeKind::Began(topic.alarm),
            run: topic.run,
            why: why.to_owned(),
            since: None,
        })
    }

    fn end(&mut self, topic: &Topic) -> Option<Tell> {
        let raised = self.raised.remove(topic)?;
        Some(Tell {
            kind: NoticeKind::Ended(topic.alarm),
            run: topic.run.clone(),
            why: raised.why,
            since: Some(raised.since),
        })
    }

    /// A run that failed may have been made by hand, or another one have done for it.
    fn end_what_waited(&mut self) -> Vec<Tell> {
        let waited = [
            Alarm::BackupFailing,
            Alarm::BackupMissed,
            Alarm::BackupIncomplete,
        ];
        let over = self.raised().filter(|topic| waited.contains(&topic.alarm));
        let over: Vec<Topic> = over.cloned().collect();
        over.iter().filter_map(|topic| self.end(topic)).collect()
    }

    /// A run that is not waited for any more was made, or another did for it.
    fn end_what_was_missed_but(&mut self, waiting: &[String]) -> Vec<Tell> {
        let is_over = |topic: &&Topic| {
            let run = topic.run.as_ref();
            topic.alarm == Alarm::BackupMissed && run.is_some_and(|run| !waiting.contains(run))
        };
        let over: Vec<Topic> = self.raised().filter(is_over).cloned().collect();
        over.iter().filter_map(|topic| self.end(topic)).collect()
    }
}

fn of_run(kind: NoticeKind, run: String, why: &str) -> Tell {
    Tell {
        kind,
        run: Some(run),
        why: why.to_owned(),
        since: None,
    }
}

#[cfg(test)]
mod tests;
