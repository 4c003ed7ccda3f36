//! Tells people: each alarm once when it begins and once when it is over, over restarts too.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Local, TimeDelta, Utc};
use respaldo_contract::messages::{Lang, alert};
use respaldo_domain::alert::{Alarm, Alerts, Event, Notice, Tell};
use respaldo_notifiers::{Herald, Retries};

use super::state_file::{self, StateFile};
use crate::config::{NotifySettings, Sources};
use crate::failure::Failure;
use crate::wiring;

/// Beside the state file.
const FILE: &str = "alarms.json";
/// What is still to be told at the end gets so long.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// The alarms of one database.
pub struct Alarms {
    sources: Sources,
    database: String,
    lang: Lang,
    state: StateFile,
    alerts: Option<Alerts>,
    ways: Option<Ways>,
    /// Whether it was said that the ways cannot be read.
    complained: bool,
    /// Runs whose beginning was told and whose end was not.
    begun: BTreeSet<String>,
    /// Since when something has been seen to wait.
    seen_waiting: Option<DateTime<Utc>>,
}

struct Ways {
    herald: Herald,
    missed_after: TimeDelta,
}

impl Alarms {
    /// Those that were raised when a process before this one ended are still raised.
    pub fn new(sources: &Sources, database: &str, lang: Lang, state: StateFile) -> Self {
        Self {
            sources: sources.clone(),
            database: database.to_owned(),
            lang,
            state,
            alerts: None,
            ways: None,
            complained: false,
            begun: BTreeSet::new(),
            seen_waiting: None,
        }
    }

    /// A run begins: told once, however often it is left to another process.
    pub fn begins(&mut self, run: &str) {
        if self.begun.insert(run.to_owned()) {
            self.see(Event::RunStarted);
        }
    }

    /// A run ended, in whichever way.
    pub fn ended(&mut self, run: &str, event: Event) {
        self.begun.remove(run);
        self.see(event);
    }

    /// Something is due since then and was not made, or nothing is. What was due before anybody looked is made up
    /// first; what fails is told as failing.
    pub fn waits(&mut self, since: Option<DateTime<Utc>>) {
        let now = Utc::now();
        let Some(since) = since else {
            self.seen_waiting = None;
            return self.see(Event::Over(Alarm::BackupMissed));
        };
        let seen = *self.seen_waiting.get_or_insert(now);
        let after = self.ways().map(|ways| ways.missed_after);
        let is_late = after.is_some_and(|after| now - seen > after);
        let fails = |alerts: &Alerts| alerts.raised().any(|alarm| alarm == Alarm::BackupFailing);
        if is_late && !fails(self.alerts()) {
            let since = since.with_timezone(&Local).format("%Y-%m-%d %H:%M");
            self.see(Event::Holds(Alarm::BackupMissed, since.to_string()));
        }
    }

    /// Takes what was seen into account.
    pub fn see(&mut self, event: Event) {
        let now = Local::now().fixed_offset();
        let before = self.alerts().clone();
        let told = self.alerts().see(event, now);
        if *self.alerts() != before {
            self.keep();
        }
        for tell in told {
            self.tell(&tell, now);
        }
    }

    fn tell(&mut self, tell: &Tell, at: DateTime<chrono::FixedOffset>) {
        let notice = Notice {
            kind: tell.kind,
            subject: alert(tell, &self.database, self.lang),
            at,
            database: self.database.clone(),
            detail: serde_json::json!({ "why": tell.why, "since": tell.since }),
        };
        if let Some(ways) = self.ways() {
            ways.herald.tell(&notice);
        }
    }

    /// As configured; tried again while the configuration cannot be read.
    fn ways(&mut self) -> Option<&Ways> {
        if self.ways.is_none() {
            match read_ways(&self.sources) {
                Ok(ways) => self.ways = Some(ways),
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

    fn alerts(&mut self) -> &mut Alerts {
        let folders = self.state.folders();
        self.alerts.get_or_insert_with(|| {
            let mut kept = folders.iter().map(|folder| folder.join(FILE));
            kept.find_map(|file| state_file::read(&file))
                .unwrap_or_default()
        })
    }

    fn keep(&mut self) {
        let alerts = self.alerts().clone();
        for folder in self.state.folders() {
            if let Err(error) = state_file::write(&folder, FILE, &alerts) {
                tracing::debug!(%error, folder = %folder.display(), "alarms are not remembered");
            }
        }
    }

    /// What waits to be told gets a little time.
    pub fn close(self) {
        if let Some(ways) = self.ways {
            ways.herald.close(LAST_WORDS);
        }
    }
}

fn read_ways(sources: &Sources) -> Result<Ways, Failure> {
    let settings = NotifySettings::load(sources)?;
    let notifiers = wiring::notifiers(&settings)?;
    let herald = Herald::new(notifiers, Retries::default());
    let code = respaldo_contract::messages::ErrorCode::Internal;
    Ok(Ways {
        herald: herald.map_err(|fault| Failure::of(code, &fault))?,
        missed_after: TimeDelta::from_std(settings.missed_after).unwrap_or(TimeDelta::MAX),
    })
}
