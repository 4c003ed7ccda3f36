//! Says what happens: in the log, in the catalog where there is one, in the state file, to people, and in figures.

use std::sync::{Arc, Mutex, PoisonError};

use respaldo_contract::messages::{self as contract, Lang, Outcome};
use respaldo_domain::alert::{Alarm, Event};
use respaldo_domain::schedule::Task;
use respaldo_domain::supervision::EngineState;
use respaldo_engine::ports::{Catalog, EventLevel};
use respaldo_engine::supervisor::{Happening, Listener, RunInfo};
use serde_json::json;

use super::alarms::Alarms;
use super::state_file::StateFile;
use crate::metrics::{Metrics, Ran};

/// The catalog of the engine that is up, if any: events are rows of it.
#[derive(Clone, Default)]
pub struct Events(Arc<Mutex<Option<Arc<dyn Catalog>>>>);

impl Events {
    /// From now on events go there.
    pub fn go_to(&self, catalog: Option<Arc<dyn Catalog>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = catalog;
    }

    fn record(&self, level: EventLevel, kind: &str, detail: &serde_json::Value) {
        let catalog = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let Some(catalog) = catalog else {
            return;
        };
        if let Err(fault) = catalog.event(level, kind, None, detail) {
            tracing::warn!(%fault, kind, "an event was not recorded");
        }
    }
}

/// Tells everybody.
pub struct Teller {
    state: StateFile,
    events: Events,
    metrics: Metrics,
    alarms: Alarms,
}

impl Teller {
    /// Tells into these.
    pub fn new(state: StateFile, events: Events, metrics: Metrics, alarms: Alarms) -> Self {
        Self {
            state,
            events,
            metrics,
            alarms,
        }
    }

    /// Nothing happens any more.
    pub fn close(self) {
        self.alarms.close();
    }
}

impl Listener for Teller {
    fn hear(&mut self, happening: &Happening) {
        match happening {
            Happening::State(state) => self.enters(state),
            Happening::Began(run) => {
                self.state.runs(Some(run.to_string()));
                tracing::info!(%run, "begins");
                if is_backup(run) {
                    self.alarms.begins(&run.name);
                }
            }
            Happening::Made(run) => {
                tracing::info!(%run, "was made");
                self.ended_well(run);
            }
            Happening::Found { run, what } if is_backup(run) => {
                tracing::warn!(%run, what, "was made, and something deserves a look");
                let detail = json!({ "run": run.name, "what": what });
                self.record(EventLevel::Warning, "backup_warned", &detail);
                self.ended_well(run);
            }
            Happening::Found { run, what } => {
                tracing::error!(%run, what, "found something");
                self.state.runs(None);
                self.record(EventLevel::Error, "damage_found", &json!({ "what": what }));
                let damaged = Event::Holds(Alarm::BackupDamaged, what.clone());
                self.alarms.see(damaged);
            }
            Happening::Already(run) => {
                tracing::info!(%run, "was made elsewhere meanwhile");
                self.ended_well(run);
            }
            Happening::Left(run) => {
                self.state.runs(None);
                tracing::info!(%run, "is made elsewhere");
            }
            Happening::Failed { run, reason, times } => self.fails(run, reason, *times),
            Happening::Blind(reason) => {
                tracing::error!(reason, "what is due cannot be found out");
                let missed = Event::Holds(Alarm::BackupMissed, reason.clone());
                self.alarms.see(missed);
            }
            Happening::Looked { waiting_since } => self.alarms.waits(*waiting_since),
        }
    }
}

fn is_backup(run: &RunInfo) -> bool {
    run.task != Some(Task::Validation)
}

impl Teller {
    fn ended_well(&mut self, run: &RunInfo) {
        self.state.runs(None);
        if !is_backup(run) {
            return self.alarms.see(Event::Over(Alarm::BackupDamaged));
        }
        self.alarms.ended(&run.name, Event::RunSucceeded);
        if let Some(kind) = run.task.and_then(Task::kind) {
            self.metrics.ran(kind, Ran::Succeeded);
        }
    }

    fn fails(&mut self, run: &RunInfo, reason: &str, times: u32) {
        self.state.runs(None);
        tracing::error!(%run, reason, times, "failed");
        let detail = json!({ "run": run.name, "reason": reason, "times": times });
        self.record(EventLevel::Error, "run_failed", &detail);
        if !is_backup(run) {
            return;
        }
        self.alarms
            .ended(&run.name, Event::RunFailed(reason.to_owned()));
        if let Some(kind) = run.task.and_then(Task::kind) {
            self.metrics.ran(kind, Ran::Failed);
        }
    }

    fn enters(&mut self, state: &EngineState) {
        self.state.enter(state.clone());
        self.metrics.engine(in_contract(state));
        let (level, kind) = match state {
            EngineState::Professional => (EventLevel::Info, "engine_up"),
            EngineState::Legacy { .. } => (EventLevel::Warning, "engine_fell_back"),
            EngineState::Stopped { .. } => (EventLevel::Error, "engine_stopped"),
        };
        let reason = state.reason().unwrap_or_default();
        match state {
            EngineState::Professional => tracing::info!("{}", words(state, Lang::En)),
            _ => tracing::error!("{}", words(state, Lang::En)),
        }
        self.record(level, kind, &json!({ "reason": reason }));
        let why = reason.to_owned();
        let seen = match state {
            EngineState::Professional => vec![
                Event::Over(Alarm::EngineStopped),
                Event::Over(Alarm::EngineLegacy),
            ],
            EngineState::Legacy { .. } => vec![
                Event::Over(Alarm::EngineStopped),
                Event::Holds(Alarm::EngineLegacy, why),
            ],
            // That the engine is back is not to be told yet.
            EngineState::Stopped { .. } => vec![Event::Holds(Alarm::EngineStopped, why)],
        };
        for event in seen {
            self.alarms.see(event);
        }
    }

    fn record(&self, level: EventLevel, kind: &str, detail: &serde_json::Value) {
        self.events.record(level, kind, detail);
    }
}

/// A state as the contract has it.
pub fn in_contract(state: &EngineState) -> contract::EngineState {
    match state {
        EngineState::Professional => contract::EngineState::Professional,
        EngineState::Legacy { .. } => contract::EngineState::Legacy,
        EngineState::Stopped { .. } => contract::EngineState::Stopped,
    }
}

/// A state in words.
pub fn words(state: &EngineState, lang: Lang) -> String {
    match state {
        EngineState::Professional => Outcome::EngineIsUp {}.text(lang),
        EngineState::Legacy { reason } => Outcome::EngineFellBack { reason }.text(lang),
        EngineState::Stopped { reason } => Outcome::EngineStopped { reason }.text(lang),
    }
}
