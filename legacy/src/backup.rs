//! Making one file, whoever dumps: lock → sweep → intent → dump under a hidden name → read back →
//! announce → give it its name → record → copy → tell the database. What a crash leaves at each
//! point is told in [`crate::folder`].

use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, Utc};
use respaldo_postgres::{ArchiveTools, StopFlag};

use crate::archive::Reader;
use crate::built_in::{BuiltIn, unchecked};
use crate::copy::{chain, copy};
use crate::error::LegacyError;
use crate::folder::{Intent, Locked, OwnFile, Record, hash_of, publish};
use crate::kind::LegacyKind;
use crate::name::BackupName;
use crate::report::{CopyReport, LegacyReport, LegacyWarning, LegacyWarningKind, MadeFile};
use crate::runs;

/// Writes a dump into the file of this name.
pub(crate) type Dump<'d> = &'d dyn Fn(&Path) -> Result<(), LegacyError>;

/// One run, holding the folder.
struct Run<'a> {
    service: &'a BuiltIn,
    tools: &'a ArchiveTools,
    locked: &'a Locked,
    name: BackupName,
    began_at: DateTime<Utc>,
    stop: StopFlag<'a>,
}

/// Makes one file with `dump`.
pub(crate) fn make(
    service: &BuiltIn,
    tools: &ArchiveTools,
    kind: LegacyKind,
    stop: StopFlag<'_>,
    dump: Dump<'_>,
) -> Result<LegacyReport, LegacyError> {
    let began_at = Utc::now();
    let locked = service.folder.lock()?;
    let mut warnings = sweep(&locked)?;
    let run = Run {
        service,
        tools,
        locked: &locked,
        name: free_name(&locked, kind, service.config.zone.local(began_at))?,
        began_at,
        stop,
    };
    let mut intent = Intent {
        unfinished: vec![run.unfinished()],
        publishing: None,
    };
    let own = run.write(&mut intent, dump, &mut warnings);
    let own = own.inspect_err(|_| clear_up(&locked))?;
    let made = run.made(&own);
    warnings.extend(record(&locked, &mut intent, own));
    let copied = run.copy(&mut intent, &made, &mut warnings);
    if intent.publishing.is_none() {
        intent_ended(&locked, &intent);
    }
    warnings.extend(tell(service, kind));
    Ok(LegacyReport {
        kind,
        file: Some(made),
        began_at,
        ended_at: Utc::now(),
        copy: copied,
        warnings,
    })
}

impl Run<'_> {
    fn folder(&self) -> PathBuf {
        self.locked.folder().of(self.name.kind)
    }

    fn unfinished(&self) -> PathBuf {
        self.folder().join(self.name.unfinished())
    }

    /// Everything up to the moment at which the file has its name.
    fn write(
        &self,
        intent: &mut Intent,
        dump: Dump<'_>,
        warnings: &mut Vec<LegacyWarning>,
    ) -> Result<OwnFile, LegacyError> {
        let unfinished = self.unfinished();
        intent.write(self.locked)?;
        dump(&unfinished)?;
        self.read_back(&unfinished, warnings)?;
        let (sha256, size_bytes) = hash_of(&unfinished, std::io::sink(), self.stop)?;
        let own = OwnFile {
            kind: self.name.kind,
            name: self.name.to_string(),
            database: self.service.label(),
            began_at: self.began_at,
            size_bytes,
            sha256,
        };
        intent.publishing = Some(own.clone());
        intent.write(self.locked)?;
        publish(&unfinished, &self.folder().join(&own.name))?;
        Ok(own)
    }

    /// An installation that can only dump still makes backups.
    fn read_back(&self, file: &Path, warnings: &mut Vec<LegacyWarning>) -> Result<(), LegacyError> {
        match self.tools.pg_restore() {
            Ok(pg_restore) => {
                let reader = Reader {
                    pg_restore,
                    stop: self.stop,
                    limit: self.service.config.limit,
                };
                reader.read(file).map(drop)
            }
            Err(error) => {
                warnings.push(unchecked(chain(&error)));
                Ok(())
            }
        }
    }

    fn made(&self, own: &OwnFile) -> MadeFile {
        MadeFile {
            path: self.folder().join(&own.name),
            size_bytes: own.size_bytes,
            sha256: own.sha256.clone(),
        }
    }

    /// The copy, where one is configured. Without it the backup is a backup all the same.
    fn copy(
        &self,
        intent: &mut Intent,
        made: &MadeFile,
        warnings: &mut Vec<LegacyWarning>,
    ) -> Option<CopyReport> {
        let folder = self.service.config.sync_dir.as_deref()?;
        let report = copy(self.locked, intent, made, folder, self.stop);
        if let Err(why) = &report.outcome {
            warnings.push(LegacyWarning::new(LegacyWarningKind::NotCopied, why));
        }
        Some(report)
    }
}

/// After a failure, as after a death: a file that got its name all the same is recorded.
fn clear_up(locked: &Locked) {
    if let Err(error) = locked.sweep() {
        tracing::warn!(error = %chain(&error), "the next run clears up");
    }
}

/// Removes what is unfinished; what cannot be removed now is by the next run.
fn intent_ended(locked: &Locked, intent: &Intent) {
    if let Err(error) = intent.end(locked) {
        tracing::warn!(error = %chain(&error), "the next run clears up");
    }
}

/// Clears up after a run that died, and says so.
pub(crate) fn sweep(locked: &Locked) -> Result<Vec<LegacyWarning>, LegacyError> {
    let swept = locked.sweep()?;
    let removed = swept.removed.iter().map(|path| path.display().to_string());
    let all = removed.chain(swept.recorded);
    let mut warnings: Vec<_> = all
        .map(|subject| LegacyWarning::new(LegacyWarningKind::Swept, subject))
        .collect();
    if let Some(problem) = Record::read(locked.folder()).problem {
        warnings.push(LegacyWarning::new(LegacyWarningKind::RecordLost, problem));
    }
    Ok(warnings)
}

/// A name that nothing has, finished or not.
fn free_name(
    locked: &Locked,
    kind: LegacyKind,
    at: NaiveDateTime,
) -> Result<BackupName, LegacyError> {
    let folder = locked.make(kind)?;
    let names = (1..).map(|copy| BackupName { kind, at, copy });
    let taken = |path: PathBuf| path.symlink_metadata().is_ok();
    let is_free = |name: &BackupName| {
        !taken(folder.join(name.to_string())) && !taken(folder.join(name.unfinished()))
    };
    let first = BackupName { kind, at, copy: 1 };
    Ok(names.into_iter().find(is_free).unwrap_or(first))
}

/// Records the file. Where that fails the intent stays, and the next run records it.
fn record(locked: &Locked, intent: &mut Intent, own: OwnFile) -> Option<LegacyWarning> {
    let mut record = Record::read(locked.folder()).record;
    record.ran(&own.database, own.kind, own.began_at);
    record.add(own);
    match record.write(locked) {
        Ok(()) => {
            intent.publishing = None;
            None
        }
        Err(error) => Some(LegacyWarning::new(
            LegacyWarningKind::RecordLost,
            chain(&error),
        )),
    }
}

/// Tells the database that a run was done. It is done all the same where that fails.
pub(crate) fn tell(service: &BuiltIn, kind: LegacyKind) -> Option<LegacyWarning> {
    let told = runs::tell(&service.database, kind, Utc::now());
    let error = told.err()?;
    let warning = LegacyWarningKind::RunNotRecorded;
    Some(LegacyWarning::new(warning, chain(&error)))
}
