//! Says what happens: in the log, in the catalog where there is one, and in the state file.

use std::sync::{Arc, Mutex, PoisonError};

use respaldo_contract::messages::{Lang, Outcome};
use respaldo_domain::supervision::EngineState;
use respaldo_engine::ports::{Catalog, EventLevel};
use respaldo_engine::supervisor::{Happening, Listener};
use serde_json::json;

use super::state_file::StateFile;

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
}

impl Teller {
    /// Tells into these.
    pub fn new(state: StateFile, events: Events) -> Self {
        Self { state, events }
    }
}

impl Listener for Teller {
    fn hear(&mut self, happening: &Happening) {
        match happening {
            Happening::State(state) => {
                self.state.enter(state.clone());
                self.of_state(state);
            }
            Happening::Began(run) => {
                self.state.runs(Some(run.clone()));
                tracing::info!(run, "begins");
            }
            Happening::Made(run) => {
                self.state.runs(None);
                tracing::info!(run, "was made");
            }
            Happening::Left(run) => {
                self.state.runs(None);
                tracing::info!(run, "is made elsewhere, or was");
            }
            Happening::Failed { run, reason, times } => {
                self.state.runs(None);
                tracing::error!(run, reason, times, "failed");
                let detail = json!({ "run": run, "reason": reason, "times": times });
                self.events.record(EventLevel::Error, "run_failed", &detail);
            }
            Happening::Blind(reason) => {
                tracing::error!(reason, "what is due cannot be found out");
            }
        }
    }
}

impl Teller {
    fn of_state(&self, state: &EngineState) {
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
        self.events
            .record(level, kind, &json!({ "reason": reason }));
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
