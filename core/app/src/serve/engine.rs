//! The engine as the supervisor's primary: started from the configuration as it is now, looked at, asked what is due.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use respaldo_domain::backup::{BackupKind, Trigger};
use respaldo_domain::schedule::{DueRun, Task};
use respaldo_engine::backup::{BackupError, BackupRequest};
use respaldo_engine::operations::Operations;
use respaldo_engine::ports::{Context, FaultKind};
use respaldo_engine::supervisor::{Primary, Service};

use super::listener::Events;
use super::state_file::StateFile;
use crate::cli::App;
use crate::config::{Config, Environment, ScheduleSettings};
use crate::failure::{Failure, causes};
use crate::wiring;

/// The engine.
pub struct Engine {
    config: Option<PathBuf>,
    environment: Environment,
    events: Events,
    state: StateFile,
    operations: Option<Operations>,
    schedule: ScheduleSettings,
    began_at: DateTime<Utc>,
}

impl Engine {
    /// Not started yet.
    pub fn new(app: &App, events: Events, state: StateFile) -> Self {
        Self {
            config: app.globals.config.clone(),
            environment: app.environment.clone(),
            events,
            state,
            operations: None,
            schedule: ScheduleSettings::default(),
            began_at: Utc::now(),
        }
    }

    /// The engine that the configuration describes now.
    fn build(&mut self) -> Result<Operations, Failure> {
        let config = Config::load(self.config.as_deref(), &self.environment, Vec::new())?;
        self.state.also_in(&wiring::work_dir(&config));
        self.schedule = config.schedule;
        wiring::operations(&config, None)
    }

    fn operations(&self) -> Result<&Operations, String> {
        let operations = self.operations.as_ref();
        operations.ok_or_else(|| "the engine is not up".to_owned())
    }
}

impl Primary for Engine {
    fn start(&mut self, cx: &Context) -> Result<(), String> {
        let operations = self.build().map_err(|failure| in_words(&failure))?;
        let ready = operations.ready(cx);
        ready.map_err(|error| causes(&error).join(": "))?;
        self.events.go_to(operations.parts().catalog.clone());
        self.operations = Some(operations);
        Ok(())
    }

    /// As a start: the configuration may have been changed, and tools or rights be gone.
    fn check(&mut self, cx: &Context) -> Result<(), String> {
        self.start(cx)
    }

    fn stop(&mut self) {
        self.operations = None;
    }
}

fn in_words(failure: &Failure) -> String {
    let title = failure.to_string();
    let said = [title].into_iter().chain(failure.causes.iter().cloned());
    said.collect::<Vec<_>>().join(": ")
}

impl Service for Engine {
    type Run = DueRun;

    fn due(&mut self, now: DateTime<Utc>, cx: &Context) -> Result<Vec<DueRun>, String> {
        if !self.schedule.enabled {
            return Ok(Vec::new());
        }
        let due = self.operations()?.due_runs(now, &self.schedule.clock, cx);
        let mut due = due.map_err(|fault| causes(&fault).join(": "))?;
        if !self.schedule.catch_up {
            due.retain(|run| run.since >= self.began_at);
        }
        Ok(due)
    }

    fn make(&mut self, run: &DueRun, cx: &Context) -> Result<(), String> {
        let operations = self.operations()?;
        match run.task {
            Task::Backup(kind) => backup(operations, kind, run.since, cx),
            Task::Validation => look_at_all(operations, cx),
        }
    }
}

/// Backups that are not valid are found by whoever reads the log, the events or `status`: the look itself succeeded.
fn look_at_all(operations: &Operations, cx: &Context) -> Result<(), String> {
    let invalid = operations.look_at_all(Utc::now(), cx);
    let invalid = invalid.map_err(|error| causes(&error).join(": "))?;
    if invalid > 0 {
        return Err(format!(
            "{invalid} backups are not valid: respaldo validate --all tells which"
        ));
    }
    Ok(())
}

/// Another run at work, here or on another machine, is no failure: what is still due is made at the next beat.
fn backup(
    operations: &Operations,
    kind: BackupKind,
    due_since: DateTime<Utc>,
    cx: &Context,
) -> Result<(), String> {
    let request = BackupRequest {
        kind,
        label: None,
        trigger: Trigger::Schedule,
        allow_partial: false,
        unless_begun_since: Some(due_since),
    };
    match operations.backup(&request, cx) {
        Ok(report) => {
            for warning in &report.warnings {
                tracing::warn!(?warning, archive = %report.manifest.archive, "look at this backup");
            }
            Ok(())
        }
        Err(BackupError::NotDue) => {
            tracing::info!("another machine made it");
            Ok(())
        }
        Err(BackupError::Lease(fault)) if fault.kind == FaultKind::Busy => {
            tracing::info!(%fault, "waiting for another run");
            Ok(())
        }
        Err(error) => Err(causes(&error).join(": ")),
    }
}
