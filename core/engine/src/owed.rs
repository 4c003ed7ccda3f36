//! Sets that optional sinks did not take, and are to be given later.
//!
//! What is owed is a small file of the working folder, so it survives a restart; a folder that is lost
//! loses only the memory of it, and `sync` finds out anew. A debt is settled by the next backup that
//! the sink takes, by the service after a growing wait, or by an operator. A set that expired
//! meanwhile is owed no more.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use respaldo_domain::backup::ArchiveName;
use respaldo_domain::report::{SinkOutcome, SinkState};
use serde::{Deserialize, Serialize};

use crate::backup::chain;
use crate::intent::{WorkDir, write_durably};
use crate::locks;
use crate::parts::Parts;
use crate::ports::{Context, Fault, FaultKind};
use crate::sync::copy_set;

const FILE: &str = "owed.json";
/// Wait before the first try to settle; doubled after each that failed.
const FIRST_WAIT: TimeDelta = TimeDelta::minutes(1);
/// No wait is longer.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(1);

/// What all sinks are owed, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed(BTreeMap<String, Debt>);

/// What one sink is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debt {
    /// The sets, the oldest first.
    pub archives: Vec<ArchiveName>,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Tries to settle that failed in a row.
    pub tries: u32,
    /// When to try next.
    pub next_at: DateTime<Utc>,
    /// Why the last try failed.
    pub why: String,
}

/// Which debts are to be settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settle {
    /// Those whose wait is over, one set of each: who asks has other things to do.
    Due,
    /// All.
    All,
}

/// What became of the debts.
#[derive(Debug, Default)]
pub struct Settled {
    /// Sets given now, with the sink that took them.
    pub given: Vec<(String, ArchiveName)>,
    /// What is still owed.
    pub left: Owed,
}

impl Owed {
    /// What is owed to whom.
    pub fn debts(&self) -> impl Iterator<Item = (&str, &Debt)> {
        self.0.iter().map(|(sink, debt)| (sink.as_str(), debt))
    }

    /// What one sink is owed.
    pub fn of(&self, sink: &str) -> Option<&Debt> {
        self.0.get(sink)
    }

    /// How many sets a sink is owed.
    pub fn count(&self, sink: &str) -> usize {
        self.of(sink).map_or(0, |debt| debt.archives.len())
    }

    /// What the file in a working folder says; what cannot be read is owed to nobody.
    pub fn of_folder(work_dir: &Path) -> Self {
        let read = std::fs::read(work_dir.join(FILE)).ok();
        read.and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default()
    }

    fn store(&self, work: &WorkDir) -> Result<(), Fault> {
        let path = work.file(FILE);
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| Fault::new(FaultKind::Internal, "writing what is owed", error))?;
        write_durably(&path, &text)
            .map_err(|error| Fault::io(format!("writing {}", path.display()), error))
    }

    /// Notes what the sinks made of a set.
    fn note(&mut self, archive: &ArchiveName, outcomes: &[SinkOutcome], now: DateTime<Utc>) {
        for outcome in outcomes {
            let SinkState::Owed(why) = &outcome.state else {
                continue;
            };
            let debt = self.0.entry(outcome.sink.clone()).or_insert_with(|| Debt {
                archives: Vec::new(),
                since: now,
                tries: 0,
                next_at: now + FIRST_WAIT,
                why: String::new(),
            });
            debt.why.clone_from(why);
            if !debt.archives.contains(archive) {
                debt.archives.push(archive.clone());
            }
        }
    }
}

impl Debt {
    /// Puts the next try off.
    fn failed(&mut self, why: String, now: DateTime<Utc>) {
        let doubled = FIRST_WAIT * (1 << self.tries.min(10));
        self.tries += 1;
        self.next_at = now + doubled.min(LONGEST_WAIT);
        self.why = why;
    }
}

/// Notes what a backup owes. Failing to do so is no failure of the backup.
pub(crate) fn note(parts: &Parts, archive: &ArchiveName, outcomes: &[SinkOutcome]) {
    let is_owed = |outcome: &SinkOutcome| matches!(outcome.state, SinkState::Owed(_));
    if !outcomes.iter().any(is_owed) {
        return;
    }
    let noted = WorkDir::open(&parts.settings.work_dir).and_then(|work| {
        let mut owed = Owed::of_folder(&parts.settings.work_dir);
        owed.note(archive, outcomes, Utc::now());
        owed.store(&work)
    });
    if let Err(fault) = noted {
        tracing::warn!(error = %chain(&fault), "what is owed could not be noted; `sink sync` finds it out");
    }
}

/// Gives the sinks what they are owed. Fails only where the debts cannot be told or written down.
pub fn settle(
    parts: &Parts,
    which: Settle,
    now: DateTime<Utc>,
    cx: &Context,
) -> Result<Settled, Fault> {
    let work = WorkDir::open(&parts.settings.work_dir)?;
    let owed = Owed::of_folder(&parts.settings.work_dir);
    let mut settled = Settled::default();
    let mut changed = false;
    for (sink, mut debt) in owed.0 {
        let is_due = which == Settle::All || debt.next_at <= now;
        // A sink that is configured no more is owed nothing.
        if parts.store.only(&sink).is_none() {
            changed = true;
            continue;
        }
        if is_due {
            changed = true;
            let most = match which {
                Settle::Due => 1,
                Settle::All => debt.archives.len(),
            };
            pay(parts, &sink, &mut debt, most, &mut settled, now, cx);
        }
        if !debt.archives.is_empty() {
            settled.left.0.insert(sink, debt);
        }
    }
    if changed {
        settled.left.store(&work)?;
    }
    cx.check()?;
    Ok(settled)
}

/// Gives one sink at most so many of its sets, until one is not taken.
fn pay(
    parts: &Parts,
    sink: &str,
    debt: &mut Debt,
    most: usize,
    settled: &mut Settled,
    now: DateTime<Utc>,
    cx: &Context,
) {
    for archive in debt.archives.clone().into_iter().take(most) {
        match copy_set(parts, &archive, sink, cx) {
            Ok(given) => {
                lock(parts, sink, &archive, cx);
                debt.archives.remove(0);
                debt.tries = 0;
                settled
                    .given
                    .extend(given.map(|_| (sink.to_owned(), archive)));
            }
            Err(fault) => {
                tracing::info!(sink, %archive, error = %chain(&fault), "still owed");
                debt.failed(chain(&fault), now);
                return;
            }
        }
    }
}

/// What cannot be locked now is locked by the next backup, or by `sink sync`.
fn lock(parts: &Parts, sink: &str, archive: &ArchiveName, cx: &Context) {
    let target = parts.store.only(sink);
    let sets = std::slice::from_ref(archive);
    let locked = target.map(|target| locks::of_sets(parts, &target, sets, cx));
    if let Some(Err(fault)) = locked {
        tracing::warn!(sink, %archive, error = %chain(&fault), "what it needs is not locked as long as it is");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(sink: &str, state: SinkState) -> SinkOutcome {
        SinkOutcome {
            sink: sink.to_owned(),
            state,
            url: String::new(),
        }
    }

    #[test]
    fn what_is_owed_is_noted_once_and_only_to_who_did_not_take_it() {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let archive: ArchiveName = "full_20261124_021746_7f3a.backup".parse().unwrap();
        let mut owed = Owed::default();
        for _ in 0..2 {
            let outcomes = [
                outcome("disk", SinkState::Stored),
                outcome("cloud", SinkState::Owed("no answer".to_owned())),
            ];
            owed.note(&archive, &outcomes, now);
        }
        assert_eq!(owed.count("cloud"), 1);
        assert_eq!(owed.count("disk"), 0);
        let text = serde_json::to_vec(&owed).unwrap();
        assert_eq!(serde_json::from_slice::<Owed>(&text).unwrap(), owed);
    }

    #[test]
    fn waits_grow_to_an_hour_and_no_further() {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let mut debt = Debt {
            archives: Vec::new(),
            since: now,
            tries: 0,
            next_at: now,
            why: String::new(),
        };
        let waits: Vec<i64> = (0..40)
            .map(|_| {
                debt.failed("no answer".to_owned(), now);
                (debt.next_at - now).num_minutes()
            })
            .collect();
        assert_eq!(waits[..8], [1, 2, 4, 8, 16, 32, 60, 60]);
        assert!(waits[8..].iter().all(|wait| *wait == 60));
    }
}
