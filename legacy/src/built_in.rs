//! The service that does its own work, with pg_dump and pg_restore.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use respaldo_postgres::{ArchiveTools, ConnInfo, Session, SessionOptions, StopFlag, server};

use crate::backup::{make, sweep};
use crate::config::LegacyConfig;
use crate::error::LegacyError;
use crate::file::{LegacyFile, Owner};
use crate::folder::{Folder, Record, create_private_file};
use crate::kind::LegacyKind;
use crate::report::{
    KindStatus, LegacyReport, LegacyRestored, LegacyWarning, LegacyWarningKind, PruneReport,
};
use crate::restore::{self, RestoreRequest};
use crate::retention::{self, Fate, PruneScope};
use crate::service::{LegacyService, PruneMode};
use crate::{runs, schedule};

/// Longest wait of a dump for a table that somebody holds, in milliseconds: others queue behind it.
const LOCK_WAIT_MS: u32 = 60_000;

/// Where the stock tools come from.
#[derive(Debug, Clone)]
pub enum Toolbox {
    /// They are known.
    Found(Box<ArchiveTools>),
    /// They are looked for when they are needed: in this folder first, then in the usual places.
    Search(Option<PathBuf>),
}

/// The built-in service.
#[derive(Debug, Clone)]
pub struct BuiltIn {
    pub(crate) database: ConnInfo,
    pub(crate) config: LegacyConfig,
    pub(crate) folder: Folder,
    toolbox: Toolbox,
}

/// Whose runs count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Those whose file this service made and still has.
    OwnFiles,
    /// Every file of the folder and every run that was noted.
    AllKnown,
}

impl BuiltIn {
    /// A service of one database. Nothing is touched before something is asked of it.
    pub fn new(database: ConnInfo, toolbox: Toolbox, config: LegacyConfig) -> Self {
        Self {
            folder: Folder::at(&config.dir),
            database,
            config,
            toolbox,
        }
    }

    /// The folder of the backups, absolute.
    pub fn dir(&self) -> &Path {
        self.folder.root()
    }

    /// The database's name in the record of own files.
    pub(crate) fn label(&self) -> String {
        let at = &self.database;
        format!("{}:{}/{}", at.host(), at.port(), at.database())
    }

    /// Tools that can read the server, which must answer.
    pub(crate) fn tools(&self) -> Result<ArchiveTools, LegacyError> {
        let mut session = Session::connect(&self.database, &SessionOptions::default())
            .map_err(LegacyError::Server)?;
        let version = server::version_num(&mut session).map_err(LegacyError::Server)?;
        self.tools_of(version)
    }

    /// Tools for a server of this version; 0: any.
    pub(crate) fn tools_of(&self, version: u32) -> Result<ArchiveTools, LegacyError> {
        match &self.toolbox {
            Toolbox::Found(tools) => Ok(ArchiveTools::clone(tools)),
            Toolbox::Search(folder) => {
                ArchiveTools::find(folder.as_deref(), version).map_err(LegacyError::Tools)
            }
        }
    }

    fn dump(
        &self,
        tools: &ArchiveTools,
        file: &Path,
        stop: StopFlag<'_>,
    ) -> Result<(), LegacyError> {
        // pg_dump writes into the file it finds, whose rights are ours.
        drop(create_private_file(file)?);
        let command = tools.pg_dump.command(&self.database);
        let dumped = command
            .args(["--format=custom", "--file"])
            .arg(file)
            .arg(format!("--lock-wait-timeout={LOCK_WAIT_MS}"))
            .run(stop, self.config.limit);
        dumped
            .map(drop)
            .map_err(|error| LegacyError::of_tool(error, LegacyError::Dump))
    }

    /// Removes what the report says goes, and forgets what is gone.
    fn remove(&self, report: &mut PruneReport, record: &mut Record) {
        let ruled = report.ruled.iter();
        for (file, _) in ruled.filter(|(_, fate)| *fate == Fate::Remove) {
            match fs::remove_file(&file.path) {
                Ok(()) => record.remove(file.kind, &file.name),
                Err(error) => report.failed.push((file.path.clone(), error.to_string())),
            }
        }
        // Entries of files that are gone give a right to remove what others may put there.
        record
            .files
            .retain(|own| self.folder.of(own.kind).join(&own.name).exists());
    }

    /// Every known last run.
    pub(crate) fn known_runs(&self, counted: Counted) -> Vec<(LegacyKind, DateTime<Utc>)> {
        let record = Record::read(&self.folder).record;
        let label = self.label();
        let files = self.folder.list(&record, &label, self.config.zone);
        let files = files.unwrap_or_default().into_iter();
        let counts = |file: &LegacyFile| match counted {
            Counted::OwnFiles => file.owner == Owner::Own,
            Counted::AllKnown => file.stamp.is_some(),
        };
        let mut known: Vec<_> = files
            .filter(counts)
            .map(|file| (file.kind, file.created_at))
            .collect();
        if counted == Counted::AllKnown {
            let noted = LegacyKind::ALL.into_iter();
            known.extend(noted.filter_map(|kind| Some((kind, record.last_run(&label, kind)?))));
        }
        match runs::told(&self.database) {
            Ok(told) => known.extend(told),
            Err(error) => tracing::debug!(%error, "the database does not tell its last runs"),
        }
        known
    }

    pub(crate) fn due_by(&self, counted: Counted, now: DateTime<Utc>) -> Vec<LegacyKind> {
        let known = self.known_runs(counted);
        schedule::missed(now, self.config.zone, |kind| of(&known, kind))
    }

    pub(crate) fn status_by(&self, counted: Counted, now: DateTime<Utc>) -> Vec<KindStatus> {
        let known = self.known_runs(counted);
        let zone = self.config.zone;
        let due = schedule::missed(now, zone, |kind| of(&known, kind));
        let status = |kind| KindStatus {
            kind,
            last_run: of(&known, kind).into_iter().filter(|at| *at <= now).max(),
            next_run: schedule::next_required(kind, now, zone),
            is_due: due.contains(&kind),
        };
        LegacyKind::ALL.into_iter().map(status).collect()
    }
}

fn of(known: &[(LegacyKind, DateTime<Utc>)], kind: LegacyKind) -> Vec<DateTime<Utc>> {
    let of_kind = known.iter().filter(|(of, _)| *of == kind);
    of_kind.map(|(_, at)| *at).collect()
}

impl LegacyService for BuiltIn {
    fn backup(&self, kind: LegacyKind, stop: StopFlag<'_>) -> Result<LegacyReport, LegacyError> {
        let tools = self.tools()?;
        make(self, &tools, kind, stop, &|file| {
            self.dump(&tools, file, stop)
        })
    }

    fn list(&self) -> Result<Vec<LegacyFile>, LegacyError> {
        let record = Record::read(&self.folder).record;
        self.folder.list(&record, &self.label(), self.config.zone)
    }

    fn prune(&self, scope: PruneScope, mode: PruneMode) -> Result<PruneReport, LegacyError> {
        if !self.folder.root().exists() {
            return Ok(PruneReport::default());
        }
        let locked = self.folder.lock()?;
        let warnings = match mode {
            PruneMode::Remove => sweep(&locked)?,
            PruneMode::Show => Vec::new(),
        };
        let read = Record::read(&self.folder);
        let mut record = read.record;
        let files = self.folder.list(&record, &self.label(), self.config.zone)?;
        let mut report = PruneReport {
            ruled: retention::plan(files, &self.config.keep, scope),
            warnings,
            ..PruneReport::default()
        };
        if mode == PruneMode::Show {
            return Ok(report);
        }
        self.remove(&mut report, &mut record);
        if read.problem.is_none() {
            record.write(&locked)?;
        }
        Ok(report)
    }

    fn restore(
        &self,
        request: &RestoreRequest,
        stop: StopFlag<'_>,
    ) -> Result<LegacyRestored, LegacyError> {
        restore::restore(self, request, stop)
    }

    fn due(&self, now: DateTime<Utc>) -> Vec<LegacyKind> {
        self.due_by(Counted::OwnFiles, now)
    }

    fn status(&self, now: DateTime<Utc>) -> Vec<KindStatus> {
        self.status_by(Counted::OwnFiles, now)
    }
}

/// A warning of what an external program did not let us see.
pub(crate) fn unchecked(why: impl Into<String>) -> LegacyWarning {
    LegacyWarning::new(LegacyWarningKind::NotChecked, why)
}
