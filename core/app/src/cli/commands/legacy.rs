//! `legacy`: whole dumps by hand.

use chrono::Utc;
use respaldo_contract::labels::Label;
use respaldo_contract::messages::{EngineState, ExitCode, Header, Lang, Outcome, Spoken, size};
use respaldo_contract::records::{LegacyFileRecord, LegacyPruneRecord, WarningRecord};
use respaldo_legacy::{
    LegacyKind, LegacyService, Placement, PruneMode, PruneScope, RestoreRequest,
};

use super::restore::confirm_replacing;
use crate::cli::app::App;
use crate::cli::args::{LegacyBackupArgs, LegacyCommand, LegacyPruneArgs, LegacyRestoreArgs};
use crate::cli::say::{self, Text};
use crate::config::LegacySetup;
use crate::failure::Failure;
use crate::legacy;
use crate::output::Table;

/// Carries out a command of the legacy service.
pub fn run(command: LegacyCommand, app: &App) -> Result<ExitCode, Failure> {
    let setup = LegacySetup::load(&app.sources)?;
    match command {
        LegacyCommand::Backup(args) => backup(&args, setup, app),
        LegacyCommand::List => list(setup, app),
        LegacyCommand::Status => Ok(status(setup, app)),
        LegacyCommand::Prune(args) => prune(&args, setup, app),
        LegacyCommand::Restore(args) => restore(args, setup, app),
    }
}

fn service(setup: LegacySetup, app: &App) -> Box<dyn LegacyService> {
    legacy::service(setup, &app.sources.environment)
}

fn backup(args: &LegacyBackupArgs, setup: LegacySetup, app: &App) -> Result<ExitCode, Failure> {
    let stop = || app.interrupt.is_set();
    let report = service(setup, app).backup(args.kind, &stop)?;
    let record = legacy::backup_record(&report, app.lang());
    app.output
        .result(&record, |lang| told(&record.mensaje, &record.avisos, lang));
    Ok(exit_of(&record.avisos))
}

/// The legacy service makes a dump because the engine cannot: done, but look.
pub fn backup_instead(kind: LegacyKind, why: &str, app: &App) -> Result<ExitCode, Failure> {
    let setup = LegacySetup::load(&app.sources)
        .or_else(|_| LegacySetup::without_file(&app.sources))
        .map_err(Failure::from)?;
    let stop = || app.interrupt.is_set();
    let report = service(setup, app).backup(kind, &stop)?;
    let record = legacy::backup_record(&report, app.lang());
    let mut document = serde_json::to_value(&record).unwrap_or_default();
    document["motor"] = EngineState::Legacy.label().into();
    document["motivo"] = why.into();
    app.output.result(&document, |lang| {
        let fell_back = Outcome::EngineFellBack { reason: &why }.text(lang);
        format!(
            "{fell_back}\n{}",
            told(&record.mensaje, &record.avisos, lang)
        )
    });
    Ok(ExitCode::Look)
}

fn list(setup: LegacySetup, app: &App) -> Result<ExitCode, Failure> {
    let folder = setup.legacy.service.dir.display().to_string();
    let files = service(setup, app).list()?;
    let records: Vec<_> = files.iter().map(legacy::file_record).collect();
    app.output
        .result(&records, |lang| match records.is_empty() {
            true => Outcome::LegacyNone { folder: &folder }.text(lang),
            false => table(&records, lang),
        });
    Ok(ExitCode::Done)
}

fn status(setup: LegacySetup, app: &App) -> ExitCode {
    let record = legacy::status_record(setup, &app.sources.environment, Utc::now());
    let missed = record.tipos.iter().any(|kind| kind.pendiente);
    app.output.result(&record, |lang| {
        let headings = [Header::Kind, Header::Last, Header::Next, Header::Missed];
        let mut table = Table::new(lang, &headings);
        for kind in &record.tipos {
            table.row([
                kind.tipo.to_owned(),
                say::or_nothing(kind.ultimo.map(say::time)),
                say::or_nothing(kind.next_run.map(say::time)),
                say::yes_no(kind.pendiente, lang),
            ]);
        }
        format!("{}\n{table}", record.carpeta)
    });
    match missed {
        true => ExitCode::Look,
        false => ExitCode::Done,
    }
}

fn table(records: &[LegacyFileRecord], lang: Lang) -> String {
    let headings = [
        Header::Kind,
        Header::Date,
        Header::Size,
        Header::Owner,
        Header::File,
    ];
    let mut table = Table::new(lang, &headings);
    for record in records {
        table.row([
            record.kind.to_owned(),
            say::time(record.created),
            size(record.size, lang),
            record.owner.spoken(lang).to_owned(),
            record.path.clone(),
        ]);
    }
    table.to_string()
}

fn prune(args: &LegacyPruneArgs, setup: LegacySetup, app: &App) -> Result<ExitCode, Failure> {
    let scope = match args.include_foreign {
        true => PruneScope::Foreign,
        false => PruneScope::Own,
    };
    let mode = match args.dry_run {
        true => PruneMode::Show,
        false => PruneMode::Remove,
    };
    let report = service(setup, app).prune(scope, mode)?;
    let record = legacy::prune_record(&report, mode, app.lang());
    app.output.result(&record, |lang| pruned(&record, lang));
    Ok(exit_of(&record.avisos))
}

fn pruned(record: &LegacyPruneRecord, lang: Lang) -> String {
    let headings = [Header::Kind, Header::File, Header::Change, Header::Reason];
    let mut table = Table::new(lang, &headings);
    for (mark, files) in [("-", &record.eliminados), ("", &record.conservados)] {
        for ruled in files {
            table.row([
                ruled.file.kind.to_owned(),
                ruled.file.name.clone(),
                mark.to_owned(),
                ruled.fate.spoken(lang).to_owned(),
            ]);
        }
    }
    let mut text = Text::default();
    if !(record.eliminados.is_empty() && record.conservados.is_empty()) {
        text.line(table);
    }
    text.line(told(&record.mensaje, &record.avisos, lang));
    text.into_string()
}

fn restore(args: LegacyRestoreArgs, setup: LegacySetup, app: &App) -> Result<ExitCode, Failure> {
    let configured = setup.source.database();
    let database = args.target_db.as_deref().unwrap_or(configured).to_owned();
    if args.replace && !args.yes {
        confirm_replacing(&database, app)?;
    }
    let placement = match args.replace {
        true => Placement::Replace {
            drop_old: args.drop_old,
        },
        false => Placement::Fresh {
            create: args.create,
        },
    };
    let request = RestoreRequest {
        file: args.file,
        database: Some(database),
        placement,
        no_owner: args.no_owner,
        no_privileges: args.no_privileges,
    };
    let stop = || app.interrupt.is_set();
    let report = service(setup, app).restore(&request, &stop)?;
    let record = legacy::restore_record(report, app.lang());
    app.output
        .result(&record, |lang| told(&record.mensaje, &record.avisos, lang));
    Ok(exit_of(&record.avisos))
}

fn told(message: &str, warnings: &[WarningRecord], lang: Lang) -> String {
    let mut text = Text::new(message);
    if !warnings.is_empty() {
        text.line(format_args!("{}:", Header::Warnings.spoken(lang)));
    }
    for warning in warnings {
        text.line(format_args!("  {}", warning.mensaje));
    }
    text.into_string()
}

fn exit_of(warnings: &[WarningRecord]) -> ExitCode {
    match warnings.is_empty() {
        true => ExitCode::Done,
        false => ExitCode::Look,
    }
}
