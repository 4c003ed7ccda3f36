//! The legacy service as the supervisor's fallback.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use respaldo_engine::ports::Context;
use respaldo_engine::supervisor::{Made, Service};
use respaldo_legacy::{LegacyKind, LegacyService, PruneMode, PruneScope};

use super::state_file::StateFile;
use crate::cli::App;
use crate::config::{Environment, LegacySetup};
use crate::failure::causes;
use crate::legacy;

/// Where the state is told beside legacy backups: the folder that the service keeps its own records in.
pub fn state_folder(setup: &LegacySetup) -> PathBuf {
    setup.legacy.service.dir.join(".respaldo")
}

/// The legacy service, from the last configuration that could be read.
pub struct Fallback {
    config: Option<PathBuf>,
    environment: Environment,
    last_good: Option<LegacySetup>,
    /// Whether it was said that the configuration cannot be read.
    complained: bool,
}

impl Fallback {
    /// `None` where the configuration switches it off.
    pub fn new(app: &App, state: &StateFile) -> Option<Self> {
        let mut fallback = Self {
            config: app.globals.config.clone(),
            environment: app.environment.clone(),
            last_good: None,
            complained: false,
        };
        let setup = fallback.setup();
        if let Some(setup) = &setup {
            state.also_in(&state_folder(setup));
        }
        setup
            .is_none_or(|setup| setup.legacy.enabled)
            .then_some(fallback)
    }

    /// What is configured now; else what was configured last; else what the environment alone says.
    fn setup(&mut self) -> Option<LegacySetup> {
        match LegacySetup::load(self.config.as_deref(), &self.environment) {
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
                    self.last_good = LegacySetup::of_environment(&self.environment).ok();
                }
            }
        }
        self.last_good.clone()
    }

    fn service(&mut self) -> Result<Box<dyn LegacyService>, String> {
        let setup = self.setup();
        let setup = setup.ok_or_else(|| "no configuration says which database".to_owned())?;
        Ok(legacy::service(setup, &self.environment))
    }
}

impl Service for Fallback {
    type Run = LegacyKind;

    fn due(&mut self, now: DateTime<Utc>, _cx: &Context) -> Result<Vec<LegacyKind>, String> {
        Ok(self.service()?.due(now))
    }

    fn make(&mut self, run: &LegacyKind, cx: &Context) -> Result<Made, String> {
        let service = self.service()?;
        let stop = || cx.interrupt().is_set();
        let made = service.backup(*run, &stop);
        made.map_err(|error| causes(&error).join(": "))?;
        // Too many files are no reason to call the backup failed.
        if let Err(error) = service.prune(PruneScope::Own, PruneMode::Remove) {
            tracing::warn!(error = %causes(&error).join(": "), "old legacy backups were not removed");
        }
        Ok(Made::Here)
    }
}
