//! The legacy service as the supervisor's fallback.

mod room;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use respaldo_contract::messages::Lang;
use respaldo_domain::schedule::Task;
use respaldo_engine::leadership::current_leader;
use respaldo_engine::ports::Context;
use respaldo_engine::supervisor::{self, Made, Service};
use respaldo_legacy::{
    LegacyError, LegacyKind, LegacyService, LegacyWarning, PruneMode, PruneReport, PruneScope,
};
use respaldo_postgres::{ArchiveTools, Session, SessionOptions, server};

use super::state_file::StateFile;
use crate::config::{LegacySetup, Sources};
use crate::failure::reason_of;
use crate::legacy;

/// How long the server may take to answer whether a dump could be made.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

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
                    let error = reason_of(&error);
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

    fn known_setup(&mut self) -> Result<LegacySetup, String> {
        let setup = self.setup();
        setup.ok_or_else(|| "no configuration says which database".to_owned())
    }

    fn service(&mut self) -> Result<Box<dyn LegacyService>, String> {
        let setup = self.known_setup()?;
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
            self.state.also_beside(&state_folder(setup));
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

    /// A backup is made whatever deserves a look besides: a copy that failed, old files that stay.
    fn make(&mut self, run: &Whole, cx: &Context) -> Result<Made, String> {
        let service = self.service()?;
        let stop = || cx.interrupt().is_set();
        let report = match service.backup(run.0, &stop) {
            Ok(report) => report,
            Err(error) => return not_made(&error),
        };
        let mut found = warned(&report.warnings);
        match service.prune(PruneScope::Own, PruneMode::Remove) {
            Ok(pruned) => found.extend(left_over(&pruned)),
            Err(error) => found.push(not_removed(&reason_of(&error))),
        }
        Ok(match found.is_empty() {
            true => Made::Here,
            false => Made::Found(found.join("; ")),
        })
    }
}

impl supervisor::Fallback for Fallback {
    /// Whether the server answers, its tools are there, and the folder has room for something.
    fn ready(&mut self, _cx: &Context) -> Result<(), String> {
        let setup = self.known_setup()?;
        let version = version_of_server(&setup)?;
        // A program of the operator's may do without the tools.
        if setup.legacy.command.is_empty() {
            let tools = ArchiveTools::find(setup.pg_bin_path.as_deref(), version);
            tools.map_err(|error| reason_of(&error))?;
        }
        let folder = legacy::folder(&setup, &self.sources.environment);
        room::is_there(&folder).map_err(|error| {
            let folder = folder.display();
            format!("the folder of the legacy backups, {folder}, cannot be written: {error}")
        })
    }
}

fn version_of_server(setup: &LegacySetup) -> Result<u32, String> {
    let options = SessionOptions {
        connect_timeout: ANSWERS_WITHIN,
        answer_timeout: ANSWERS_WITHIN,
        ..SessionOptions::default()
    };
    let session = Session::connect(&setup.source, &options);
    let version = session.and_then(|mut session| server::version_num(&mut session));
    version.map_err(|error| reason_of(&error))
}

/// Another run at work in the folder is no failure: it makes what is due, or what is due is found again.
fn not_made(error: &LegacyError) -> Result<Made, String> {
    match error {
        LegacyError::Busy(_) => {
            tracing::info!(%error, "left to another run");
            Ok(Made::Elsewhere)
        }
        _ => Err(reason_of(error)),
    }
}

fn warned(warnings: &[LegacyWarning]) -> Vec<String> {
    let told = legacy::warnings(warnings, Lang::En);
    told.into_iter().map(|warning| warning.mensaje).collect()
}

fn left_over(pruned: &PruneReport) -> Vec<String> {
    let stay = pruned.failed.iter();
    let stay = stay.map(|(file, why)| not_removed(&format!("{}: {why}", file.display())));
    warned(&pruned.warnings).into_iter().chain(stay).collect()
}

fn not_removed(why: &str) -> String {
    format!("old legacy backups were not removed: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_which_another_run_is_at_work_is_left_to_it_and_anything_else_fails() {
        let busy = LegacyError::Busy(PathBuf::from("backups"));
        assert_eq!(not_made(&busy), Ok(Made::Elsewhere));
        not_made(&LegacyError::Interrupted).unwrap_err();
    }
}
