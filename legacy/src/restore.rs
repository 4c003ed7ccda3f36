//! Restoring one file: lock → find → read from end to end → is it a whole backup? → look at the
//! target → build beside it → what is newer about backups → the database's own settings → statistics → both renames in one
//! transaction. Until the last step the database that is there is in place and open.
//!
//! A role that may not make databases can fill an empty one, in one transaction.

mod carry;
mod place;
mod properties;
mod scratch;
mod site;
mod swap;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use respaldo_postgres::{ArchiveTools, ConnInfo, SessionOptions, StopFlag, ToolError};

use crate::archive::{Contents, Reader};
use crate::backup::sweep;
use crate::built_in::BuiltIn;
use crate::error::LegacyError;
use crate::folder::{Locked, Record, hash_of};
use crate::kind::LegacyKind;
use crate::report::{LegacyRestored, LegacyWarning, LegacyWarningKind};
use scratch::Scratch;
use site::{Site, Way};

/// What is to be restored, into what.
#[derive(Debug, Clone)]
pub struct RestoreRequest {
    /// A path, or the name of a file that is listed.
    pub file: PathBuf,
    /// The database to restore into; `None`: the configured one.
    pub database: Option<String>,
    /// What may be done about a target that is missing or there.
    pub placement: Placement,
    /// Everything belongs to the restoring role.
    pub no_owner: bool,
    /// No GRANTs.
    pub no_privileges: bool,
}

/// What may be done about the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// It must be empty; where it is missing it is made if `create` says so.
    Fresh {
        /// Make it where it is missing.
        create: bool,
    },
    /// It is replaced.
    Replace {
        /// Do not keep the old one.
        drop_old: bool,
    },
}

/// One restore under way.
struct Restoring<'a> {
    service: &'a BuiltIn,
    request: &'a RestoreRequest,
    tools: ArchiveTools,
    locked: Locked,
    file: PathBuf,
    stop: StopFlag<'a>,
    warnings: Vec<LegacyWarning>,
}

/// Restores one file.
pub(crate) fn restore(
    service: &BuiltIn,
    request: &RestoreRequest,
    stop: StopFlag<'_>,
) -> Result<LegacyRestored, LegacyError> {
    let start = Instant::now();
    let locked = service.folder.lock()?;
    let warnings = sweep(&locked)?;
    let file = find(service, &request.file)?;
    let mut restoring = Restoring {
        service,
        request,
        tools: site::tools(service)?,
        locked,
        file,
        stop,
        warnings,
    };
    let contents = restoring.check()?;
    let site = Site::inspect(&restoring)?;
    scratch::drop_abandoned(&restoring, &site);
    let previous_kept_as = restoring.carry_out(&site)?;
    Ok(LegacyRestored {
        file: restoring.file,
        database: site.target.database().to_owned(),
        previous_kept_as,
        tables: contents.tables_with_rows(),
        seconds: start.elapsed().as_secs_f64(),
        warnings: restoring.warnings,
    })
}

/// A path as it is given, else a name in the folder of a type.
fn find(service: &BuiltIn, asked: &Path) -> Result<PathBuf, LegacyError> {
    let listed = LegacyKind::ALL
        .into_iter()
        .map(|kind| service.folder.of(kind).join(asked));
    let mut places = std::iter::once(asked.to_owned()).chain(listed);
    let found = places.find(|path| path.is_file());
    let found = found.ok_or_else(|| LegacyError::UnknownFile(asked.to_owned()))?;
    std::path::absolute(&found).map_err(LegacyError::io("finding", &found))
}

impl Restoring<'_> {
    /// Reads the file from end to end before anything else is looked at.
    fn check(&self) -> Result<Contents, LegacyError> {
        let reader = Reader {
            pg_restore: self.tools.pg_restore().map_err(LegacyError::Tools)?,
            stop: self.stop,
            limit: self.service.config.limit,
        };
        let is_own = self.is_as_recorded()?;
        let contents = reader.read(&self.file)?;
        if !is_own {
            reader.require_whole(&self.file, &contents)?;
        }
        Ok(contents)
    }

    /// Whether the file is one of ours, whose checksum is the recorded one; another checksum is
    /// an error.
    fn is_as_recorded(&self) -> Result<bool, LegacyError> {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        let record = Record::read(&self.service.folder).record;
        let mut kinds = LegacyKind::ALL.into_iter();
        let own = kinds.find_map(|kind| {
            let at_home = self.service.folder.of(kind).join(&*name) == self.file;
            record.find(kind, &name).filter(|_| at_home)
        });
        let Some(own) = own else { return Ok(false) };
        let (sha256, _) = hash_of(&self.file, std::io::sink(), self.stop)?;
        if sha256 == own.sha256 {
            return Ok(true);
        }
        Err(LegacyError::Damaged {
            file: self.file.clone(),
            why: "its checksum is not the one it was made with".to_owned(),
        })
    }

    /// Returns the name under which the old database is kept.
    fn carry_out(&mut self, site: &Site) -> Result<Option<String>, LegacyError> {
        match &site.way {
            Way::Fill => {
                self.load(&site.target, &["--single-transaction"])?;
                self.analyze(&site.target)?;
                Ok(None)
            }
            Way::Beside { admin } => {
                let scratch = Scratch::make(self, site, admin)?;
                let built = self.build(site, admin, &scratch);
                let placed = built.and_then(|()| place::take(self, site, admin, &scratch));
                placed.inspect_err(|_| scratch.discard(self, admin))
            }
        }
    }

    fn build(
        &mut self,
        site: &Site,
        admin: &ConnInfo,
        scratch: &Scratch,
    ) -> Result<(), LegacyError> {
        self.load(&scratch.conninfo, &[])?;
        if site.exists && !site.empty {
            self.carry_rows(&site.target, &scratch.conninfo);
        }
        if let Some(properties) = site.properties.as_ref().filter(|_| site.exists) {
            self.carry_properties(admin, scratch, properties)?;
        }
        self.analyze(&scratch.conninfo)
    }

    fn load(&self, into: &ConnInfo, options: &[&str]) -> Result<(), LegacyError> {
        let request = self.request;
        let flags = [
            (request.no_owner, "--no-owner"),
            (request.no_privileges, "--no-privileges"),
        ];
        let flags = flags.into_iter().filter(|(is_set, _)| *is_set);
        let pg_restore = self.tools.pg_restore().map_err(LegacyError::Tools)?;
        let mut command = pg_restore.command(into);
        command = command
            .args(["--exit-on-error", "--format=custom"])
            .args(options)
            .args(flags.map(|(_, flag)| flag));
        if let Some(user) = self.service.config.maintenance_user_id {
            command = command.setting("app.user_id", user.to_string());
        }
        let loaded = command.arg(&self.file).run(self.stop, self.limit());
        let failed = |source| LegacyError::Load {
            file: self.file.clone(),
            source,
        };
        loaded
            .map(drop)
            .map_err(|error| LegacyError::of_tool(error, failed))
    }

    /// By psql, so that it can be stopped. A database without statistics is slow, not wrong.
    fn analyze(&mut self, database: &ConnInfo) -> Result<(), LegacyError> {
        let analyzed = self.tools.psql().and_then(|psql| {
            let command = psql.command(database);
            let command = command.args(["--no-psqlrc", "--quiet", "--command", "ANALYZE"]);
            command.run(self.stop, self.limit())
        });
        match analyzed {
            Ok(_) => Ok(()),
            Err(ToolError::Stopped { .. }) => Err(LegacyError::Interrupted),
            Err(error) => {
                self.warn(LegacyWarningKind::NotAnalyzed, error.to_string());
                Ok(())
            }
        }
    }

    fn warn(&mut self, kind: LegacyWarningKind, subject: impl Into<String>) {
        self.warnings.push(LegacyWarning::new(kind, subject));
    }

    fn limit(&self) -> Duration {
        self.service.config.limit
    }

    /// Statements of ours are short; making a database copies a template.
    fn session_options(&self) -> SessionOptions {
        SessionOptions {
            statement_timeout: Duration::from_mins(10).min(self.limit()),
            ..SessionOptions::default()
        }
    }
}
