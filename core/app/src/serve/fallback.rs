//! The legacy service as the supervisor's fallback.

use std::fmt;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use respaldo_domain::schedule::Task;
use respaldo_engine::leadership::current_leader;
use respaldo_engine::ports::Context;
use respaldo_engine::supervisor::{self, Made, Service};
use respaldo_legacy::{LegacyKind, LegacyService, PruneMode, PruneScope};

use super::state_file::StateFile;
use crate::config::{LegacySetup, Sources};
use crate::failure::causes;
use crate::legacy;

/// Where the state is told beside legacy backups: the folder that the service keeps its own records in.
pub fn state_folder(setup: &LegacySetup) -> PathBuf {
    setup.legacy.service.dir.join(".respaldo")
}

/// The legacy service, from the last configuration that could be read.
pub struct Fallback {
    sources: Sources,
    state: StateFile,
    last_good: Option<LegacySetup>,
    /// Whether it was said that the configuration cannot be read.
    complained: bool,
}

impl Fallback {
    /// `None` where the configuration switches it off.
    pub fn new(sources: &Sources, state: &StateFile) -> Option<Self> {
        let mut fallback = Self {
            sources: sources.clone(),
            state: state.clone(),
            last_good: None,
            complained: false,
        };
        fallback
            .setup()
            .is_none_or(|setup| setup.legacy.enabled)
            .then_some(fallback)
    }

    /// What is configured now; else what was configured last; else what the environment alone says.
    fn setup(&mut self) -> Option<LegacySetup> {
        match LegacySetup::load(&self.sources) {
            Ok(setup) => {
                self.last_good = Some(setup);
                self.complained = false;
            }
            Err(error) => {
                if !std::mem::replace(&mut self.complained, true) {
                    let error = causes(&error).join(": ");
                    tracing::warn!(%error, "the configuration of the legacy service cannot be read");
                }
                if self.last_good.is_none() {
                    self.last_good = LegacySetup::without_file(&self.sources).ok();
                }
            }
        }
        self.last_good.clone()
    }

    /// A server that does not tell is no reason to make nothing.
    fn is_led_elsewhere(&self) -> bool {
        let setup = self.last_good.as_ref();
        setup.is_some_and(|setup| matches!(current_leader(&setup.source), Ok(Some(_))))
    }

    fn service(&mut self) -> Result<Box<dyn LegacyService>, String> {
        let setup = self.setup();
        let setup = setup.ok_or_else(|| "no configuration says which database".to_owned())?;
        Ok(legacy::service(setup, &self.sources.environment))
    }
}

/// A whole dump that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Whole(LegacyKind);

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl supervisor::Run for Whole {
    fn task(&self) -> Option<Task> {
        None
    }

    fn due_at(&self) -> Option<DateTime<Utc>> {
        None
    }
}

impl Service for Fallback {
    type Run = Whole;

    /// Where another process leads, its engine makes the backups.
    fn due(&mut self, now: DateTime<Utc>, _cx: &Context) -> Result<Vec<Whole>, String> {
        let due = self.service()?.due(now);
        // Only now: while the engine is up nothing is written beside the backups of others.
        if let Some(setup) = &self.last_good {
            self.state.also_in(&state_folder(setup));
        }
        let is_elsewhere = !due.is_empty() && self.is_led_elsewhere();
        if is_elsewhere {
            tracing::info!("left to the engine of another process, which leads");
        }
        Ok(if is_elsewhere {
            Vec::new()
        } else {
            due.into_iter().map(Whole).collect()
        })
    }

    fn make(&mut self, run: &Whole, cx: &Context) -> Result<Made, String> {
        let service = self.service()?;
        let stop = || cx.interrupt().is_set();
        let made = service.backup(run.0, &stop);
        made.map_err(|error| causes(&error).join(": "))?;
        // Too many files are no reason to call the backup failed.
        if let Err(error) = service.prune(PruneScope::Own, PruneMode::Remove) {
            tracing::warn!(error = %causes(&error).join(": "), "old legacy backups were not removed");
        }
        Ok(Made::Here)
    }
}
