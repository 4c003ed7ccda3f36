//! The engine as the supervisor's primary: started from the configuration as it is now, looked at, asked what is due.

use std::fmt;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use respaldo_contract::labels::Label;
use respaldo_domain::backup::{BackupKind, Trigger};
use respaldo_domain::schedule::{DueRun, Occurrence};
use respaldo_domain::validation::ValidationLevel;
use respaldo_engine::backup::{BackupError, BackupRequest};
use respaldo_engine::operations::Operations;
use respaldo_engine::ports::{Context, FaultKind};
use respaldo_engine::supervisor::{Made, Primary, Service};
use respaldo_engine::validate::ValidateRequest;

use super::listener::Events;
use super::state_file::StateFile;
use crate::cli::App;
use crate::config::{Config, Environment};
use crate::failure::{Failure, causes};
use crate::wiring;

/// The engine.
pub struct Engine {
    config: Option<PathBuf>,
    environment: Environment,
    events: Events,
    state: StateFile,
    operations: Option<Operations>,
    /// Runs whose last try failed: what they would have done for is made in their stead.
    failed: Vec<Run>,
}

/// A run that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Run(Occurrence);

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.task.label())
    }
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
            failed: Vec::new(),
        }
    }

    /// The engine that the configuration describes now.
    fn build(&self) -> Result<Operations, Failure> {
        let config = Config::load(self.config.as_deref(), &self.environment, Vec::new())?;
        self.state.also_in(&wiring::work_dir(&config));
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
    type Run = Run;

    fn due(&mut self, now: DateTime<Utc>, cx: &Context) -> Result<Vec<Run>, String> {
        let due = self.operations()?.due_runs(now, cx);
        let due = due.map_err(|fault| causes(&fault).join(": "))?;
        Ok(with_stand_ins(due, &self.failed))
    }

    fn make(&mut self, run: &Run, cx: &Context) -> Result<Made, String> {
        self.failed.retain(|failed| failed != run);
        let operations = self.operations()?;
        let made = match run.0.task.kind() {
            Some(kind) => backup(operations, kind, run.0, cx),
            None => look_at_all(operations, cx),
        };
        if made.is_err() {
            self.failed.push(*run);
        }
        made
    }
}

/// What is due, and in the stead of each run that failed the greatest that it would have done for and that did not fail: a full
/// that cannot be made must not keep incrementals from being made.
fn with_stand_ins(due: Vec<DueRun>, failed: &[Run]) -> Vec<Run> {
    let mut runs = Vec::new();
    for due in due {
        let first = Occurrence {
            task: due.task,
            at: due.occurrence,
        };
        for occurrence in [first].into_iter().chain(due.covers) {
            let run = Run(occurrence);
            runs.push(run);
            if !failed.contains(&run) {
                break;
            }
        }
    }
    runs
}

/// Backups that are not valid are found by whoever reads the log, the events or `status`.
fn look_at_all(operations: &Operations, cx: &Context) -> Result<Made, String> {
    let request = ValidateRequest {
        selectors: None,
        level: ValidationLevel::Chain,
        scratch_server: None,
    };
    let validations = operations.validate(&request, cx);
    let validations = validations.map_err(|error| causes(&error).join(": "))?;
    match validations
        .iter()
        .filter(|validation| !validation.is_valid())
        .count()
    {
        0 => Ok(Made::Here),
        count => Err(format!(
            "{count} backups are not valid: respaldo validate --all tells which"
        )),
    }
}

/// Another run at work, here or on another machine, is no failure.
fn backup(
    operations: &Operations,
    kind: BackupKind,
    due: Occurrence,
    cx: &Context,
) -> Result<Made, String> {
    let request = BackupRequest {
        kind,
        label: None,
        trigger: Trigger::Schedule,
        allow_partial: false,
        due: Some(due),
    };
    match operations.backup(&request, cx) {
        Ok(report) => {
            for warning in &report.warnings {
                tracing::warn!(?warning, archive = %report.manifest.archive, "look at this backup");
            }
            Ok(Made::Here)
        }
        Err(BackupError::NotDue) => Ok(Made::Elsewhere),
        Err(BackupError::Lease(fault)) if fault.kind == FaultKind::Busy => {
            tracing::info!(%fault, "left to another run");
            Ok(Made::Elsewhere)
        }
        Err(error) => Err(causes(&error).join(": ")),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use respaldo_domain::schedule::Task;

    use super::*;

    fn at(task: Task, hours: i64) -> Occurrence {
        Occurrence {
            task,
            at: DateTime::UNIX_EPOCH + TimeDelta::hours(hours),
        }
    }

    #[test]
    fn what_failed_is_tried_again_and_the_next_smaller_is_made_in_its_stead() {
        let full = at(Task::Full, 3);
        let smaller = vec![at(Task::Differential, 2), at(Task::Incremental, 1)];
        let due = |failed: &[Occurrence]| {
            let due = DueRun {
                task: full.task,
                occurrence: full.at,
                covers: smaller.clone(),
            };
            let failed: Vec<Run> = failed.iter().copied().map(Run).collect();
            let runs = with_stand_ins(vec![due], &failed);
            runs.into_iter().map(|run| run.0).collect::<Vec<_>>()
        };
        assert_eq!(due(&[]), [full]);
        assert_eq!(due(&[full]), [full, smaller[0]]);
        assert_eq!(due(&[full, smaller[0]]), [full, smaller[0], smaller[1]]);
        assert_eq!(
            due(&[smaller[0]]),
            [full],
            "what was not tried stands for itself"
        );
    }
}
