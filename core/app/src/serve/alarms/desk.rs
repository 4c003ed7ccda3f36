//! What is raised, what is owed to whom, and the ways to tell it: in one file, written before anything is told,
//! so that a process that is killed in between leaves it to the next one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, FixedOffset, Local, TimeDelta, Utc};
use respaldo_contract::messages::{ErrorCode, Lang, alert};
use respaldo_domain::alert::{Alarm, Alerts, Event, Notice, Owed, Tell};
use respaldo_notifiers::{Herald, Retries, Settled};
use serde::{Deserialize, Serialize};

use super::super::state_file::{self, StateFile};
use crate::config::{NotifySettings, Sources};
use crate::failure::Failure;
use crate::wiring;

/// Alarms that are told from here.
pub struct Desk {
    sources: Sources,
    database: String,
    lang: Lang,
    memory: Memory,
    ways: Option<Ways>,
    /// Whether it was said that the ways cannot be read.
    complained: bool,
}

struct Ways {
    herald: Herald,
    names: Vec<String>,
    missed_after: TimeDelta,
}

impl Desk {
    /// One that remembers in this file beside the state file.
    pub fn new(
        sources: &Sources,
        database: &str,
        lang: Lang,
        state: &StateFile,
        file: &str,
    ) -> Self {
        Self {
            sources: sources.clone(),
            database: database.to_owned(),
            lang,
            memory: Memory::new(state, file),
            ways: None,
            complained: false,
        }
    }

    /// Takes what was seen into account.
    pub fn see(&mut self, event: Event) {
        let now = Local::now().fixed_offset();
        let names = self.ways().map(|ways| ways.names.clone());
        let notices = self.memory.change(|kept| {
            let told = kept.alerts.see(event, now);
            let notices = told.iter().map(|tell| self.notice(tell, now));
            let notices: Vec<Notice> = notices.collect();
            // A ping is of now: the next process has nothing to make of it.
            let lasting = notices.iter().filter(|notice| notice.kind.is_for_people());
            for notice in lasting {
                kept.owed.owe(notice, names.as_deref());
            }
            notices
        });
        if let Some(ways) = &self.ways {
            for notice in &notices {
                ways.herald.tell(notice);
            }
        }
    }

    fn notice(&self, tell: &Tell, at: DateTime<FixedOffset>) -> Notice {
        Notice {
            kind: tell.kind,
            subject: alert(tell, &self.database, self.lang),
            at,
            database: self.database.clone(),
            run: tell.run.clone(),
            detail: serde_json::json!({ "why": tell.why, "since": tell.since }),
        }
    }

    /// Whether an alarm of this kind is raised.
    pub fn has_raised(&self, alarm: Alarm) -> bool {
        let is_raised = |kept: &mut Kept| kept.alerts.raised().any(|topic| topic.alarm == alarm);
        self.memory.change(is_raised)
    }

    /// Since when something is known to wait: since now, where nothing was.
    pub fn is_waiting_since(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.memory.change(|kept| {
            // A clock that was set back must not put an alarm off.
            let since = kept.waiting_since.map_or(now, |since| since.min(now));
            *kept.waiting_since.insert(since)
        })
    }

    /// Nothing waits, or something was made.
    pub fn stop_waiting(&self) {
        self.memory.change(|kept| kept.waiting_since = None);
    }

    /// How long something may wait; `None` while that cannot be read.
    pub fn missed_after(&mut self) -> Option<TimeDelta> {
        self.ways().map(|ways| ways.missed_after)
    }

    /// Goes on from what the file says, which another process may have written.
    pub fn take_over(&mut self) {
        self.memory.read_again();
        match &self.ways {
            Some(ways) => self.memory.offer_again(ways),
            None => drop(self.ways()),
        }
    }

    /// Another process tells from now on.
    pub fn let_go(&mut self) {
        if let Some(ways) = &self.ways {
            ways.herald.forget();
        }
        self.memory.forget();
    }

    /// As configured; tried again while the configuration cannot be read. What was not told before is told when it can.
    fn ways(&mut self) -> Option<&Ways> {
        if self.ways.is_none() {
            match read_ways(&self.sources, &self.memory) {
                Ok(ways) => {
                    self.memory.offer_again(&ways);
                    self.ways = Some(ways);
                }
                Err(failure) => {
                    if !std::mem::replace(&mut self.complained, true) {
                        let causes = failure.causes.join(": ");
                        tracing::warn!(%failure, causes, "nobody can be told");
                    }
                }
            }
        }
        self.ways.as_ref()
    }

    /// What was never tried gets a little time.
    pub fn close(self, limit: Duration) {
        if let Some(ways) = self.ways {
            ways.herald.close(limit);
        }
    }
}

fn read_ways(sources: &Sources, memory: &Memory) -> Result<Ways, Failure> {
    let settings = NotifySettings::load(sources)?;
    let notifiers = wiring::notifiers(&settings)?;
    let memory = memory.clone();
    let settled: Settled = Arc::new(move |way, notice| {
        if notice.kind.is_for_people() {
            memory.change(|kept| kept.owed.settle(way, notice));
        }
    });
    let herald = Herald::new(notifiers, Retries::default(), &settled)
        .map_err(|fault| Failure::of(ErrorCode::Internal, &fault))?;
    Ok(Ways {
        names: herald.names(),
        herald,
        missed_after: TimeDelta::from_std(settings.missed_after).unwrap_or(TimeDelta::MAX),
    })
}

/// What must outlive a process.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    written_at: DateTime<Utc>,
    alerts: Alerts,
    owed: Owed,
    waiting_since: Option<DateTime<Utc>>,
}

/// The file, shared with the threads that tell; clones are the same.
#[derive(Clone)]
struct Memory {
    state: StateFile,
    file: String,
    kept: Arc<Mutex<Option<Kept>>>,
}

impl Memory {
    fn new(state: &StateFile, file: &str) -> Self {
        Self {
            state: state.clone(),
            file: file.to_owned(),
            kept: Arc::default(),
        }
    }

    /// Changes it, and writes it where that made a difference.
    fn change<T>(&self, change: impl FnOnce(&mut Kept) -> T) -> T {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.get_or_insert_with(|| self.read().unwrap_or_default());
        let before = kept.clone();
        let result = change(kept);
        if *kept != before {
            kept.written_at = Utc::now();
            self.write(kept);
        }
        result
    }

    /// The newest of the copies: one of the folders may have been out of reach.
    fn read(&self) -> Option<Kept> {
        let folders = self.state.folders();
        let copies = folders.iter().map(|folder| folder.join(&self.file));
        let copies = copies.filter_map(|path| state_file::read::<Kept>(&path));
        copies.max_by_key(|kept| kept.written_at)
    }

    fn write(&self, kept: &Kept) {
        for folder in self.state.folders() {
            if let Err(error) = state_file::write(&folder, &self.file, kept) {
                tracing::debug!(%error, folder = %folder.display(), "alarms are not remembered");
            }
        }
    }

    /// What no file says any more was known here.
    fn read_again(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = self.read() {
            *kept = Some(read);
        }
    }

    fn forget(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Hands to each way what it has not taken.
    fn offer_again(&self, ways: &Ways) {
        let owed = self.change(|kept| {
            kept.owed.address(&ways.names);
            kept.owed.clone()
        });
        for way in &ways.names {
            for notice in owed.to(way) {
                ways.herald.tell_one(way, notice);
            }
        }
    }
}
