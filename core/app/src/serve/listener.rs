//! Says what happens: in the log, in the catalog where there is one, in the state file, to people, and in figures.

mod events;

use chrono::Utc;
use respaldo_contract::messages::{self as contract, Lang, Outcome};
use respaldo_domain::schedule::Task;
use respaldo_domain::supervision::EngineState;
use respaldo_engine::ports::EventLevel;
use respaldo_engine::supervisor::{Happening, Listener, RunInfo};
use serde_json::json;

use super::alarms::Alarms;
use super::state_file::StateFile;
use crate::metrics::{Metrics, Ran};

pub use events::Events;

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
        self.alarms.follow_the_lead();
        match happening {
            Happening::State(state) => self.enters(state),
            Happening::Began(run) => {
                self.state.runs(Some(run.to_string()));
                tracing::info!(%run, "begins");
                if is_backup(run) {
                    self.alarms.begins(run, Utc::now());
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
                self.backup_made(run, Some(what));
            }
            Happening::Found { run, what } => {
                tracing::error!(%run, what, "found something");
                self.state.runs(None);
                self.record(EventLevel::Error, "damage_found", &json!({ "what": what }));
                self.alarms.looked_into_backups(Some(what));
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
                self.alarms.is_blind(reason);
            }
            Happening::Looked(waiting) => self.alarms.looked(waiting, Utc::now()),
        }
    }
}

fn is_backup(run: &RunInfo) -> bool {
    run.task != Some(Task::Validation)
}

impl Teller {
    fn ended_well(&mut self, run: &RunInfo) {
        if is_backup(run) {
            return self.backup_made(run, None);
        }
        self.state.runs(None);
        self.alarms.looked_into_backups(None);
    }

    fn backup_made(&mut self, run: &RunInfo, lacks: Option<&str>) {
        self.state.runs(None);
        self.alarms.made(run, lacks);
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
        self.alarms.failed(run, reason);
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
        self.alarms.enters(state);
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
