//! Tells people: each alarm once when it begins and once when it is over, over restarts and whoever leads.
//!
//! What concerns the runs of the engine is told by whoever leads, and remembered in a file that all machines on one
//! repository share: who begins to lead goes on from there. What concerns the engine of a machine and its legacy
//! service is told by that machine, and remembered for itself.

mod desk;

use std::collections::BTreeSet;
use std::slice;
use std::time::Duration;

use chrono::{DateTime, Local, Utc};
use respaldo_contract::labels::Label;
use respaldo_contract::messages::{EngineState as Word, Lang};
use respaldo_domain::alert::{Alarm, Event, Topic};
use respaldo_domain::schedule::Task;
use respaldo_domain::supervision::EngineState;
use respaldo_engine::supervisor::{RunInfo, Waiting};

use super::state_file::{self, StateFile};
use crate::config::Sources;
use desk::Desk;

/// Beside the state file: what whoever leads has told.
const SHARED_FILE: &str = "alarms.json";
/// Beside it, with the name of a machine.
const OWN_FILE: &str = "alarms";
/// What is still to be told at the end gets so long.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// The alarms of one database.
pub struct Alarms {
    /// Of the engine's runs, by whoever leads.
    shared: Desk,
    /// Of this machine's engine and its legacy service.
    own: Desk,
    state: StateFile,
    leads: bool,
    /// Runs whose beginning was told and whose end was not.
    begun: BTreeSet<String>,
}

impl Alarms {
    /// Those that were raised when a process before this one ended are still raised.
    pub fn new(sources: &Sources, database: &str, lang: Lang, state: &StateFile) -> Self {
        let desk = |file: &str| Desk::new(sources, database, lang, state, file);
        Self {
            shared: desk(SHARED_FILE),
            own: desk(&state_file::of_machine(OWN_FILE)),
            state: state.clone(),
            leads: false,
            begun: BTreeSet::new(),
        }
    }

    /// Goes on from what others told when this process begins to lead, and leaves to them what is not told yet
    /// when it leads no more. To be called before anything else is told.
    pub fn follow_the_lead(&mut self) {
        let leads = self.state.standing().is_some_and(|standing| standing.leads);
        if std::mem::replace(&mut self.leads, leads) != leads {
            match leads {
                true => self.shared.take_over(),
                false => self.shared.let_go(),
            }
        }
    }

    /// A backup begins: told once, however often it is left to another process.
    pub fn begins(&mut self, run: &RunInfo, now: DateTime<Utc>) {
        if self.begun.insert(run.name.clone()) {
            self.desk(run).see(Event::RunStarted(run.name.clone()));
        }
        // A process that dies with each run never comes to look at what is left.
        if self.is_led(run) {
            self.wait_for(slice::from_ref(run), None, now);
        }
    }

    /// A backup was made; with what it lacks, where it lacks something.
    pub fn made(&mut self, run: &RunInfo, lacks: Option<&str>) {
        self.begun.remove(&run.name);
        if self.is_led(run) {
            self.shared.stop_waiting();
        }
        let incomplete = Topic::of(Alarm::BackupIncomplete, &run.name);
        let desk = self.desk(run);
        desk.see(Event::RunSucceeded(run.name.clone()));
        desk.see(match lacks {
            Some(what) => Event::Holds(incomplete, what.to_owned()),
            None => Event::Over(incomplete),
        });
        if run.task.is_none() {
            self.own.see(Event::Over(missed_by_legacy()));
        }
    }

    /// A backup failed.
    pub fn failed(&mut self, run: &RunInfo, why: &str) {
        self.begun.remove(&run.name);
        let (run_name, why) = (run.name.clone(), why.to_owned());
        let failed = Event::RunFailed { run: run_name, why };
        self.desk(run).see(failed);
    }

    /// A look at every backup found this, or nothing.
    pub fn looked_into_backups(&mut self, found: Option<&str>) {
        let topic = Topic::from(Alarm::BackupDamaged);
        self.shared.see(match found {
            Some(what) => Event::Holds(topic, what.to_owned()),
            None => Event::Over(topic),
        });
    }

    /// What is due cannot be found out.
    pub fn is_blind(&mut self, why: &str) {
        let why = why.to_owned();
        match self.leads {
            true => self
                .shared
                .see(Event::Holds(Alarm::BackupMissed.into(), why)),
            false => self.own.see(Event::Holds(missed_by_legacy(), why)),
        }
    }

    /// This is due and was not made. Who does not lead did not look.
    pub fn looked(&mut self, waiting: &[Waiting], now: DateTime<Utc>) {
        if !self.leads {
            return;
        }
        if waiting.is_empty() {
            self.shared.stop_waiting();
            return self.shared.see(Event::NothingLeft);
        }
        let runs: Vec<RunInfo> = waiting.iter().map(|waiting| waiting.run.clone()).collect();
        let names = runs.iter().map(|run| run.name.clone());
        self.shared.see(Event::Left(names.collect()));
        let oldest = waiting.iter().filter_map(|waiting| waiting.since).min();
        self.wait_for(&runs, oldest, now);
    }

    /// What was due before anybody looked is made up first; what fails is told as failing.
    fn wait_for(&mut self, runs: &[RunInfo], due: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        let seen = self.shared.is_waiting_since(now);
        let after = self.shared.missed_after();
        let is_late = after.is_some_and(|after| now - seen > after);
        if is_late && !self.shared.has_raised(Alarm::BackupFailing) {
            let since = due.unwrap_or(seen).with_timezone(&Local);
            let why = since.format("%Y-%m-%d %H:%M").to_string();
            for run in runs {
                let missed = Topic::of(Alarm::BackupMissed, &run.name);
                self.shared.see(Event::Holds(missed, why.clone()));
            }
        }
    }

    /// Who makes backups now.
    pub fn enters(&mut self, state: &EngineState) {
        let why = state.reason().unwrap_or_default().to_owned();
        let over = |alarm: Alarm| Event::Over(alarm.into());
        match state {
            EngineState::Professional => {
                self.own.see(over(Alarm::EngineStopped));
                self.own.see(over(Alarm::EngineLegacy));
                // The legacy service has nothing to make any more.
                self.own.see(Event::NothingLeft);
            }
            EngineState::Legacy { .. } => {
                self.own.see(over(Alarm::EngineStopped));
                self.own.see(Event::Holds(Alarm::EngineLegacy.into(), why));
            }
            // That the engine is back is not to be told yet.
            EngineState::Stopped { .. } => {
                self.own.see(Event::Holds(Alarm::EngineStopped.into(), why));
            }
        }
    }

    fn is_led(&self, run: &RunInfo) -> bool {
        self.leads && run.task.is_some_and(|task| task != Task::Validation)
    }

    /// Runs of the legacy service are no tasks of the schedule.
    fn desk(&mut self, run: &RunInfo) -> &mut Desk {
        match run.task {
            Some(_) => &mut self.shared,
            None => &mut self.own,
        }
    }

    /// What waits to be told gets a little time; what was not told then is told by the next process.
    pub fn close(self) {
        self.shared.close(LAST_WORDS);
        self.own.close(LAST_WORDS);
    }
}

/// That what the legacy service should make cannot be found out.
fn missed_by_legacy() -> Topic {
    Topic::of(Alarm::BackupMissed, Word::Legacy.label())
}

#[cfg(test)]
mod tests;
