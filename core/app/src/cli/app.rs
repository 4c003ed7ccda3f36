//! What every command works with.

use respaldo_contract::messages::Lang;
use respaldo_engine::operations::{Operations, Selector};
use respaldo_engine::ports::{Context, Interrupt};

use super::args::{Globals, PointArgs};
use super::time::{BackupRef, TimePoint};
use crate::config::{Config, Sources};
use crate::failure::Failure;
use crate::output::Output;
use crate::wiring;

/// Environment, global options, output and the flag that signals set.
pub struct App {
    /// Where the configuration is read from.
    pub sources: Sources,
    /// Options of every command.
    pub globals: Globals,
    /// Where results go.
    pub output: Output,
    /// Set by SIGINT and SIGTERM.
    pub interrupt: Interrupt,
}

impl App {
    /// The language of everything a person reads.
    pub fn lang(&self) -> Lang {
        self.output.lang
    }

    /// The same for one of several databases.
    #[must_use]
    pub fn of_database(&self, name: &str) -> Self {
        self.with_sources(self.sources.of_database(name))
    }

    /// The same with another configuration.
    #[must_use]
    pub fn with_sources(&self, sources: Sources) -> Self {
        Self {
            sources,
            globals: self.globals.clone(),
            output: self.output,
            interrupt: self.interrupt.clone(),
        }
    }

    /// The configuration in force.
    pub fn config(&self) -> Result<Config, Failure> {
        Ok(Config::load(&self.sources, Vec::new())?)
    }

    /// The engine as configured.
    pub fn operations(&self) -> Result<Operations, Failure> {
        wiring::operations(&self.config()?, None)
    }

    /// The engine as configured, for a backup.
    pub fn operations_to_back_up(&self) -> Result<Operations, Failure> {
        wiring::operations_to_back_up(&self.config()?)
    }

    /// The engine as configured, for what is done with stored backups.
    pub fn operations_on_storage(&self) -> Result<Operations, Failure> {
        wiring::operations_on_storage(&self.config()?)
    }

    /// A run that signals stop and the terminal watches. Its bars vanish when it is dropped.
    pub fn context(&self) -> Context {
        Context::new(self.interrupt.clone(), self.output.progress())
    }
}

impl From<BackupRef> for Selector {
    fn from(backup: BackupRef) -> Self {
        match backup {
            BackupRef::Id(id) => Self::Id(id),
            BackupRef::Archive(name) => Self::Name(name),
        }
    }
}

impl From<PointArgs> for Selector {
    fn from(point: PointArgs) -> Self {
        match (point.at, point.id) {
            (_, Some(backup)) => backup.into(),
            (Some(TimePoint::At(at)), None) => Self::At(at),
            (Some(TimePoint::Latest) | None, None) => Self::Latest,
        }
    }
}
