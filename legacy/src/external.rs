//! A service whose backups an existing program makes. Its command line is configured; in each
//! argument are replaced `{type}` (daily, weekly, monthly, manual), `{dir}` (the folder of the
//! backups), `{database}` (the database's name) and `{file}`.
//!
//! * With `{file}` the program is told where to write a custom-format archive. The file gets its
//!   final name only after the program ended with success and the file was read back; it is then
//!   ours, like those of [`BuiltIn`].
//! * Without it the exit code counts. A new file in the folder of the type is read back, and stays
//!   the program's own: it is never pruned but by the operator's word.
//!
//! Everything else is done as by the built-in service.

mod child;

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use respaldo_postgres::StopFlag;

use crate::archive::Reader;
use crate::backup::{make, sweep, tell};
use crate::built_in::{BuiltIn, Counted, unchecked};
use crate::copy::chain;
use crate::error::LegacyError;
use crate::file::LegacyFile;
use crate::folder::{Locked, Record, hash_of, make_private};
use crate::kind::LegacyKind;
use crate::report::{
    KindStatus, LegacyReport, LegacyRestored, LegacyWarning, LegacyWarningKind, MadeFile,
    PruneReport,
};
use crate::restore::RestoreRequest;
use crate::retention::PruneScope;
use crate::service::{LegacyService, PruneMode};

/// The service that drives another program.
#[derive(Debug, Clone)]
pub struct External {
    inner: BuiltIn,
    command: Vec<String>,
}

impl External {
    /// The command is a program and its arguments; it has at least the program.
    pub fn new(inner: BuiltIn, command: Vec<String>) -> Self {
        Self { inner, command }
    }

    fn names_the_file(&self) -> bool {
        self.command.iter().any(|word| word.contains("{file}"))
    }

    fn run(
        &self,
        kind: LegacyKind,
        file: Option<&Path>,
        stop: StopFlag<'_>,
    ) -> Result<(), LegacyError> {
        let words = self.filled(kind, file);
        let password = self.inner.database.password();
        child::run(&words, password, self.inner.config.limit, stop)
    }

    /// The command line with everything in its place.
    fn filled(&self, kind: LegacyKind, file: Option<&Path>) -> Vec<OsString> {
        let values = [
            ("{type}", OsStr::new(kind.word())),
            ("{dir}", self.inner.folder.root().as_os_str()),
            ("{database}", OsStr::new(self.inner.database.database())),
            ("{file}", file.map_or(OsStr::new(""), Path::as_os_str)),
        ];
        let words = self.command.iter();
        words.map(|word| fill(word, &values)).collect()
    }

    /// Runs a program that decides itself where its file goes.
    fn run_on_its_own(
        &self,
        kind: LegacyKind,
        stop: StopFlag<'_>,
    ) -> Result<LegacyReport, LegacyError> {
        let began_at = Utc::now();
        let locked = self.inner.folder.lock()?;
        let mut warnings = sweep(&locked)?;
        let before: HashSet<PathBuf> = self.paths(kind)?.into_iter().collect();
        self.run(kind, None, stop)?;
        let mut new = self.paths(kind)?.into_iter();
        let file = match new.find(|path| !before.contains(path)) {
            Some(path) => Some(self.looked_through(path, stop)?),
            None => {
                let folder = self.inner.folder.of(kind);
                warnings.push(unchecked(format!("no new file in {}", folder.display())));
                None
            }
        };
        warnings.extend(self.note(&locked, kind, began_at));
        warnings.extend(tell(&self.inner, kind));
        Ok(LegacyReport {
            kind,
            file,
            began_at,
            ended_at: Utc::now(),
            copy: None,
            warnings,
        })
    }

    fn paths(&self, kind: LegacyKind) -> Result<Vec<PathBuf>, LegacyError> {
        let files = self.inner.list()?.into_iter();
        let of_kind = files.filter(|file| file.kind == kind);
        Ok(of_kind.map(|file| file.path).collect())
    }

    fn looked_through(&self, path: PathBuf, stop: StopFlag<'_>) -> Result<MadeFile, LegacyError> {
        let tools = self.inner.tools_of(0)?;
        let reader = Reader {
            pg_restore: tools.pg_restore().map_err(LegacyError::Tools)?,
            stop,
            limit: self.inner.config.limit,
        };
        reader.read(&path)?;
        let (sha256, size_bytes) = hash_of(&path, std::io::sink(), stop)?;
        Ok(MadeFile {
            path,
            size_bytes,
            sha256,
        })
    }

    /// Notes the run, so that it is not due again where neither file nor database tells of it.
    fn note(&self, locked: &Locked, kind: LegacyKind, at: DateTime<Utc>) -> Option<LegacyWarning> {
        let mut record = Record::read(&self.inner.folder).record;
        record.ran(&self.inner.label(), kind, at);
        let error = record.write(locked).err()?;
        let kind = LegacyWarningKind::RunNotRecorded;
        Some(LegacyWarning::new(kind, chain(&error)))
    }
}

/// Replaces each placeholder once it is met; what was filled in is not looked at again.
fn fill(word: &str, values: &[(&str, &OsStr)]) -> OsString {
    let mut filled = OsString::new();
    let mut rest = word;
    while !rest.is_empty() {
        let next = values
            .iter()
            .filter_map(|(name, value)| Some((rest.find(name)?, *name, *value)))
            .min_by_key(|(at, _, _)| *at);
        let Some((at, name, value)) = next else { break };
        filled.push(&rest[..at]);
        filled.push(value);
        rest = &rest[at + name.len()..];
    }
    filled.push(rest);
    filled
}

impl LegacyService for External {
    fn backup(&self, kind: LegacyKind, stop: StopFlag<'_>) -> Result<LegacyReport, LegacyError> {
        if !self.names_the_file() {
            return self.run_on_its_own(kind, stop);
        }
        let tools = self.inner.tools_of(0)?;
        make(&self.inner, &tools, kind, stop, &|file| {
            self.run(kind, Some(file), stop)?;
            make_private(file)
        })
    }

    fn list(&self) -> Result<Vec<LegacyFile>, LegacyError> {
        self.inner.list()
    }

    fn prune(&self, scope: PruneScope, mode: PruneMode) -> Result<PruneReport, LegacyError> {
        self.inner.prune(scope, mode)
    }

    fn restore(
        &self,
        request: &RestoreRequest,
        stop: StopFlag<'_>,
    ) -> Result<LegacyRestored, LegacyError> {
        self.inner.restore(request, stop)
    }

    fn due(&self, now: DateTime<Utc>) -> Vec<LegacyKind> {
        self.inner.due_by(Counted::AllKnown, now)
    }

    fn status(&self, now: DateTime<Utc>) -> Vec<KindStatus> {
        self.inner.status_by(Counted::AllKnown, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_replaced_wherever_they_stand_and_only_once() {
        let values = [
            ("{type}", OsStr::new("daily")),
            ("{file}", OsStr::new("/b/{type}.sql")),
        ];
        for (word, filled) in [
            ("--kind={type}", "--kind=daily"),
            ("{file}", "/b/{type}.sql"),
            ("{type}{type}-{file}!", "dailydaily-/b/{type}.sql!"),
            ("{other}", "{other}"),
            ("", ""),
        ] {
            assert_eq!(fill(word, &values), OsString::from(filled), "{word}");
        }
    }
}
