//! From the configuration to the legacy service, and from its reports to the contract's records. The
//! engine is not built on the way, nor its sections of the configuration read.

use std::path::{Path, PathBuf};

use chrono::{DateTime, FixedOffset, Local, Utc};
use respaldo_contract::messages::{Lang, LegacyFate, LegacyNotice, LegacyOwner};
use respaldo_contract::records::{
    LegacyBackupRecord, LegacyFileRecord, LegacyKindRecord, LegacyPruneRecord, LegacyRestoreRecord,
    LegacyRuledRecord, LegacyStatusRecord, LegacySyncRecord, WarningRecord,
};
use respaldo_legacy::{
    BuiltIn, CopyReport, External, Fate, KeepReason, KindStatus, LegacyConfig, LegacyFile,
    LegacyReport, LegacyRestored, LegacyService, LegacyWarning, LegacyWarningKind, Owner,
    PruneMode, PruneReport, StoredSettings, Toolbox,
};

use crate::config::{Environment, LegacySetup};

/// The service as configured: ours, or an existing program driven by its command line.
pub fn service(setup: LegacySetup, environment: &Environment) -> Box<dyn LegacyService> {
    let toolbox = Toolbox::Search(setup.pg_bin_path);
    let config = with_stored(setup.legacy.service, environment);
    let built_in = BuiltIn::new(setup.source, toolbox, config);
    match setup.legacy.command.is_empty() {
        true => Box::new(built_in),
        false => Box::new(External::new(built_in, setup.legacy.command)),
    }
}

/// The folder of the backups.
pub fn folder(setup: &LegacySetup, environment: &Environment) -> PathBuf {
    with_stored(setup.legacy.service.clone(), environment).dir
}

/// What the existing application keeps counts where we set nothing.
fn with_stored(config: LegacyConfig, environment: &Environment) -> LegacyConfig {
    let stored = home(environment).map(|home| StoredSettings::read(&home));
    config.with_stored(stored.unwrap_or_default())
}

/// The user's home folder, where the existing application keeps its settings.
fn home(environment: &Environment) -> Option<PathBuf> {
    let variable = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    environment.get(variable).map(PathBuf::from)
}

/// A backup as it is told.
pub fn backup_record(report: &LegacyReport, lang: Lang) -> LegacyBackupRecord {
    let file = report.file.as_ref();
    let record = LegacyBackupRecord {
        exitoso: true,
        tipo: report.kind.word(),
        archivo: file.map(|file| text(&file.path)),
        inicio: local(report.began_at),
        fin: local(report.ended_at),
        duracion_segundos: 0.0,
        tamano_bytes: file.map(|file| file.size_bytes),
        checksum_sha256: file.map(|file| file.sha256.clone()),
        sincronizacion: report.copy.as_ref().map(sync_record),
        avisos: warnings(&report.warnings, lang),
        mensaje: String::new(),
    };
    record.told(lang)
}

fn sync_record(copy: &CopyReport) -> LegacySyncRecord {
    let file = copy.destination.file_name().unwrap_or_default();
    LegacySyncRecord {
        success: copy.outcome.is_ok(),
        file: file.to_string_lossy().into_owned(),
        destination: text(&copy.destination),
        timestamp: local(copy.at),
        size: copy.outcome.as_ref().ok().copied(),
        error: copy.outcome.as_ref().err().cloned(),
    }
}

/// How it stands at `now`.
pub fn status_record(
    setup: LegacySetup,
    environment: &Environment,
    now: DateTime<Utc>,
) -> LegacyStatusRecord {
    let config = with_stored(setup.legacy.service.clone(), environment);
    let kinds = service(setup, environment).status(now);
    let kind = |kind: &KindStatus| LegacyKindRecord {
        tipo: kind.kind.word(),
        ultimo: kind.last_run.map(local),
        next_run: kind.next_run.map(local),
        pendiente: kind.is_due,
    };
    let folder = std::path::absolute(&config.dir).unwrap_or(config.dir);
    LegacyStatusRecord {
        carpeta: text(&folder),
        carpeta_copia: config.sync_dir.as_deref().map(text),
        tipos: kinds.iter().map(kind).collect(),
    }
}

/// A file as it is listed.
pub fn file_record(file: &LegacyFile) -> LegacyFileRecord {
    LegacyFileRecord {
        name: file.name.clone(),
        path: text(&file.path),
        kind: file.kind.word(),
        size: file.size_bytes,
        created: local(file.created_at),
        owner: match file.owner {
            Owner::Own => LegacyOwner::Own,
            Owner::OtherDatabase => LegacyOwner::OtherDatabase,
            Owner::Changed => LegacyOwner::Changed,
            Owner::Foreign => LegacyOwner::Foreign,
        },
    }
}

/// What pruning did, or would do.
pub fn prune_record(report: &PruneReport, mode: PruneMode, lang: Lang) -> LegacyPruneRecord {
    let is_left = |file: &LegacyFile| report.failed.iter().any(|(path, _)| *path == file.path);
    let ruled = report.ruled.iter().filter(|(file, _)| !is_left(file));
    let ruled = ruled.map(|(file, fate)| LegacyRuledRecord {
        file: file_record(file),
        fate: fate_word(*fate),
    });
    let rehearsal = mode == PruneMode::Show;
    let mut record = LegacyPruneRecord::of(ruled.collect(), rehearsal, report.failed.len(), lang);
    let failed = report.failed.iter().map(|(path, why)| {
        let subject = format!("{}: {why}", path.display());
        WarningRecord::of_legacy(LegacyNotice::NotRemoved, &subject, lang)
    });
    record.avisos = warnings(&report.warnings, lang);
    record.avisos.extend(failed);
    record
}

fn fate_word(fate: Fate) -> LegacyFate {
    match fate {
        Fate::Remove => LegacyFate::Removed,
        Fate::Keep(KeepReason::Newest) => LegacyFate::Newest,
        Fate::Keep(KeepReason::Foreign) => LegacyFate::Foreign,
        Fate::Keep(KeepReason::OtherDatabase) => LegacyFate::OtherDatabase,
        Fate::Keep(KeepReason::Changed) => LegacyFate::Changed,
        Fate::Keep(KeepReason::NoTime) => LegacyFate::NoTime,
    }
}

/// A restore as it is told.
pub fn restore_record(report: LegacyRestored, lang: Lang) -> LegacyRestoreRecord {
    let mut record = LegacyRestoreRecord::of(
        text(&report.file),
        report.database,
        report.previous_kept_as,
        report.tables,
        report.seconds,
        lang,
    );
    record.avisos = warnings(&report.warnings, lang);
    record
}

/// Warnings as they are told.
pub fn warnings(all: &[LegacyWarning], lang: Lang) -> Vec<WarningRecord> {
    let one = |warning: &LegacyWarning| {
        let notice = match warning.kind {
            LegacyWarningKind::NotCopied => LegacyNotice::NotCopied,
            LegacyWarningKind::RunNotRecorded => LegacyNotice::RunNotRecorded,
            LegacyWarningKind::RecordLost => LegacyNotice::RecordLost,
            LegacyWarningKind::NotChecked => LegacyNotice::NotChecked,
            LegacyWarningKind::Swept => LegacyNotice::Swept,
            LegacyWarningKind::DatabaseSettings => LegacyNotice::DatabaseSettings,
            LegacyWarningKind::RowsNotCarried => LegacyNotice::RowsNotCarried,
            LegacyWarningKind::NotAnalyzed => LegacyNotice::NotAnalyzed,
            LegacyWarningKind::NotDropped => LegacyNotice::NotDropped,
        };
        WarningRecord::of_legacy(notice, &warning.subject, lang)
    };
    all.iter().map(one).collect()
}

fn local(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    at.with_timezone(&Local).fixed_offset()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
