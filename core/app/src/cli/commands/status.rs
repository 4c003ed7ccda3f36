//! `status`.

use chrono::{Local, Utc};
use respaldo_contract::labels::Label;
use respaldo_contract::messages::{EngineState, ExitCode, Header, Lang, Outcome, Spoken, size};
use respaldo_contract::records::{BackupShare, RunningRecord, StatusRecord};
use respaldo_domain::backup::BackupState::Running;
use respaldo_domain::supervision::EngineState as Supervision;
use respaldo_engine::operations::Operations;
use respaldo_engine::ports::{CatalogEntry, SinkLimits};
use respaldo_engine::status::{SinkStatus, Status};

use crate::catalogued;
use crate::cli::app::App;
use crate::cli::say::{self, Text};
use crate::config::LegacySetup;
use crate::failure::{Failure, of_catalog};
use crate::output::Table;
use crate::scheduled::next_backups;
use crate::serve::{Standing, state_folder, words};
use crate::wiring;

/// Shows how things stand.
pub fn run(app: &App) -> Result<ExitCode, Failure> {
    let standing = standing(app);
    let (operations, status) = match look(app) {
        Ok(looked) => looked,
        // What keeps the engine from starting keeps it from telling, too; the service's word is what counts then.
        Err(failure) => match &standing {
            Some(standing) => return Ok(told_by_service(standing, &failure, app)),
            None => return Err(failure),
        },
    };
    let shares: Vec<BackupShare> = status
        .entries
        .iter()
        .filter_map(catalogued::share)
        .collect();
    let mut record = record(&status, &shares);
    record.proximos_backups = next_backups(&operations, app.lang());
    if let Some(standing) = &standing {
        add_standing(&mut record, standing);
    }
    app.output.result(&record, |lang| {
        let served = standing.as_ref().map(|standing| served(standing, lang));
        served.unwrap_or_default() + &text(&status, &record, lang)
    });
    let unwell = !matches!(record.motor, EngineState::Professional)
        || status.last_failure.is_some()
        || status.sinks.iter().any(|sink| sink.limits.is_err());
    Ok(if unwell {
        ExitCode::Look
    } else {
        ExitCode::Done
    })
}

fn look(app: &App) -> Result<(Operations, Status), Failure> {
    let operations = app.operations()?;
    let cx = app.context();
    let status = operations.status(&cx).map_err(|fault| of_catalog(&fault))?;
    drop(cx);
    Ok((operations, status))
}

/// How things stand with the service, where one is at work on this machine.
fn standing(app: &App) -> Option<Standing> {
    let file = app.globals.config.as_deref();
    let legacy = LegacySetup::load(file, &app.environment)
        .or_else(|_| LegacySetup::of_environment(&app.environment));
    let legacy = legacy.ok().map(|setup| state_folder(&setup));
    let own = app.config().ok().map(|config| wiring::work_dir(&config));
    let folders: Vec<_> = own.into_iter().chain(legacy).collect();
    Standing::read(&folders, Utc::now())
}

fn add_standing(record: &mut StatusRecord, standing: &Standing) {
    record.motor = match standing.state {
        Supervision::Professional => EngineState::Professional,
        Supervision::Legacy { .. } => EngineState::Legacy,
        Supervision::Stopped { .. } => EngineState::Stopped,
    };
    record.motivo = standing.state.reason().map(str::to_owned);
}

/// One line on the service.
fn served(standing: &Standing, lang: Lang) -> String {
    let since = say::time(standing.since.with_timezone(&Local).fixed_offset());
    let mut text = Text::default();
    text.line(format_args!("{since}: {}", words(&standing.state, lang)));
    if let (Some(run), Some(since)) = (&standing.running, standing.running_since) {
        let since = say::time(since.with_timezone(&Local).fixed_offset());
        text.line(format_args!("{}: {run} ({since})", Running.spoken(lang)));
    }
    text.into_string() + "\n"
}

/// Without the engine: its state, and why nothing else can be told.
fn told_by_service(standing: &Standing, failure: &Failure, app: &App) -> ExitCode {
    let mut record = StatusRecord::new(EngineState::Professional, &[], Local::now().fixed_offset());
    add_standing(&mut record, standing);
    app.output.result(&record, |lang| {
        let causes = failure.causes.join(": ");
        format!("{}{failure}: {causes}", served(standing, lang))
    });
    ExitCode::Look
}

fn record(status: &Status, shares: &[BackupShare]) -> StatusRecord {
    let now = Local::now().fixed_offset();
    let mut record = StatusRecord::new(EngineState::Professional, shares, now);
    record.en_curso = status.running.first().map(|entry| RunningRecord {
        tarea: "backup".to_owned(),
        tipo: respaldo_domain::backup::BackupKind::from_label(&entry.kind_label)
            .ok()
            .map(Label::label),
        inicio: entry.started_at,
        equipo: None,
        avance: None,
    });
    record.ultimo_backup = status.last.as_ref().map(catalogued::record);
    record
}

fn text(status: &Status, record: &StatusRecord, lang: Lang) -> String {
    let mut text = Text::default();
    match &status.last {
        Some(last) => text.field(Header::Last, described(last), lang),
        None => text.line(Outcome::NoBackups {}.text(lang)),
    }
    for entry in &status.running {
        text.line(format_args!(
            "{}: {}",
            entry.state.spoken(lang),
            described(entry)
        ));
    }
    if let Some(failed) = &status.last_failure {
        let why = failed.error.as_deref().unwrap_or_default();
        text.line(format_args!(
            "{}: {} {why}",
            failed.state.spoken(lang),
            described(failed)
        ));
    }
    let next = record.proximos_backups.iter();
    if let Some((kind, next)) = next.min_by_key(|(_, next)| next.next_run) {
        let at = say::time(next.next_run);
        text.field(Header::Next, format_args!("{at} {kind}"), lang);
    }
    text.line(format_args!("\n{}", kinds(status, lang)));
    text.line(sinks(&status.sinks, lang));
    text.into_string()
}

fn described(entry: &CatalogEntry) -> String {
    format!(
        "{} {} ({})",
        say::time(entry.started_at),
        entry.archive,
        entry.kind_label
    )
}

fn kinds(status: &Status, lang: Lang) -> Table {
    let headings = [
        Header::Kind,
        Header::Count,
        Header::Size,
        Header::First,
        Header::Last,
    ];
    let mut table = Table::new(lang, &headings);
    for (kind, share) in &status.kinds {
        table.row([
            kind.label().to_owned(),
            share.count.to_string(),
            size(share.size_bytes, lang),
            say::or_nothing(
                share
                    .first
                    .as_ref()
                    .map(|entry| say::time(entry.started_at)),
            ),
            say::or_nothing(share.last.as_ref().map(|entry| say::time(entry.started_at))),
        ]);
    }
    table
}

fn sinks(sinks: &[SinkStatus], lang: Lang) -> Table {
    let mut table = Table::new(lang, &[Header::Sink, Header::Space]);
    for sink in sinks {
        let space = match &sink.limits {
            Ok(SinkLimits {
                free_bytes: Some(free),
                ..
            }) => size(*free, lang),
            Ok(_) => Header::Yes.spoken(lang).to_owned(),
            Err(fault) => fault.to_string(),
        };
        table.row([sink.name.clone(), space]);
    }
    table
}
