//! `status`.

use chrono::{Local, Utc};
use respaldo_contract::labels::Label;
use respaldo_contract::messages::{EngineState, ExitCode, Header, Lang, Outcome, Spoken, size};
use respaldo_contract::records::{BackupShare, OwedRecord, RunningRecord, StatusRecord};
use respaldo_domain::backup::BackupState::Running;
use respaldo_domain::supervision::EngineState as Supervision;
use respaldo_engine::operations::Operations;
use respaldo_engine::ports::{CatalogEntry, SinkLimits};
use respaldo_engine::status::{SinkStatus, Status};
use serde_json::json;

use crate::catalogued;
use crate::cli::app::App;
use crate::cli::say::{self, Text};
use crate::config::LegacySetup;
use crate::failure::{Failure, of_catalog};
use crate::output::Table;
use crate::records;
use crate::scheduled::next_backups;
use crate::serve::{Standing, state_folder, words};
use crate::wiring;

/// Shows how things stand, with each of several databases where none is chosen.
pub fn run(app: &App) -> Result<ExitCode, Failure> {
    let names = match &app.sources.database {
        Some(_) => Vec::new(),
        // What is wrong with the configuration is told by whoever needs all of it.
        None => app.sources.databases().unwrap_or_default(),
    };
    if names.is_empty() {
        let told = tell(app)?;
        app.output.result(&told.record, |lang| told.text(lang));
        return Ok(told.code());
    }
    let told: Vec<(String, Result<Told, Failure>)> = names
        .into_iter()
        .map(|name| {
            let told = tell(&app.of_database(&name));
            (name, told)
        })
        .collect();
    let document =
        json!({ "bases": told.iter().map(|(name, told)| of_one(name, told)).collect::<Vec<_>>() });
    app.output.result(&document, |lang| {
        let text = |(name, told): &(String, Result<Told, Failure>)| match told {
            Ok(told) => format!("{name}\n{}", told.text(lang)),
            Err(failure) => format!("{name}\n{failure}: {}\n", failure.causes.join(": ")),
        };
        told.iter().map(text).collect::<Vec<_>>().join("\n")
    });
    let is_well = |told: &Result<Told, Failure>| told.as_ref().is_ok_and(|told| !told.is_unwell);
    Ok(match told.iter().all(|(_, told)| is_well(told)) {
        true => ExitCode::Done,
        false => ExitCode::Look,
    })
}

/// The record of one of several databases; of one that cannot be looked at, why.
fn of_one(name: &str, told: &Result<Told, Failure>) -> serde_json::Value {
    let record = match told {
        Ok(told) => serde_json::to_value(&told.record).unwrap_or_default(),
        Err(failure) => {
            json!({ "mensaje": failure.to_string(), "motivo": failure.causes.join(": ") })
        }
    };
    let mut one = json!({ "nombre": name });
    if let (Some(one), serde_json::Value::Object(record)) = (one.as_object_mut(), record) {
        one.extend(record);
    }
    one
}

/// The last word of the service of this machine.
enum Word {
    /// It is at work.
    Alive(Standing),
    /// It said nothing for too long, or its process is gone, and it did not end as it should.
    Silent(Standing),
}

/// How things stand with one database.
struct Told {
    record: StatusRecord,
    word: Option<Word>,
    /// What the engine tells, or why it cannot.
    status: Result<Status, Failure>,
    is_unwell: bool,
}

impl Told {
    fn text(&self, lang: Lang) -> String {
        let served = self.word.as_ref().map(|word| match word {
            Word::Alive(standing) => served(standing, lang),
            Word::Silent(standing) => records::silence(standing, lang) + "\n\n",
        });
        let rest = match &self.status {
            Ok(status) => text(status, &self.record, lang),
            Err(failure) => format!("{failure}: {}", failure.causes.join(": ")),
        };
        served.unwrap_or_default() + &rest
    }

    fn code(&self) -> ExitCode {
        match self.is_unwell {
            true => ExitCode::Look,
            false => ExitCode::Done,
        }
    }
}

fn tell(app: &App) -> Result<Told, Failure> {
    let word = word(app);
    let now = Local::now().fixed_offset();
    let (mut record, status) = match look(app) {
        Ok((operations, status)) => {
            let shares: Vec<BackupShare> = status
                .entries
                .iter()
                .filter_map(catalogued::share)
                .collect();
            let mut record = record(&status, &shares);
            record.proximos_backups = next_backups(&operations, app.lang());
            (record, Ok(status))
        }
        // What keeps the engine from starting keeps it from telling, too; the service's word is what counts then.
        Err(failure) if word.is_none() => return Err(failure),
        Err(failure) => {
            let record = StatusRecord::new(EngineState::Professional, &[], now);
            (record, Err(failure))
        }
    };
    if let Some(Word::Alive(standing) | Word::Silent(standing)) = &word {
        records::tell_service(&mut record, standing, app.lang());
    }
    let fails = |status: &Status| {
        let is_unwell = |sink: &SinkStatus| sink.limits.is_err() || sink.debt.is_some();
        status.last_failure.is_some() || status.sinks.iter().any(is_unwell)
    };
    let is_unwell =
        !matches!(record.motor, EngineState::Professional) || status.as_ref().map_or(true, fails);
    Ok(Told {
        record,
        word,
        status,
        is_unwell,
    })
}

fn look(app: &App) -> Result<(Operations, Status), Failure> {
    let operations = app.operations()?;
    let cx = app.context();
    let status = operations.status(&cx).map_err(|fault| of_catalog(&fault))?;
    drop(cx);
    Ok((operations, status))
}

/// What the service of this machine said last, where it did not end as it should.
fn word(app: &App) -> Option<Word> {
    let legacy =
        LegacySetup::load(&app.sources).or_else(|_| LegacySetup::without_file(&app.sources));
    let legacy = legacy.ok().map(|setup| state_folder(&setup));
    let own = app.config().ok().map(|config| wiring::work_dir(&config));
    let folders: Vec<_> = own.into_iter().chain(legacy).collect();
    let standing = Standing::read(&folders)?;
    Some(match standing.is_alive(Utc::now()) {
        true => Word::Alive(standing),
        false => Word::Silent(standing),
    })
}

/// One line on the service.
fn served(standing: &Standing, lang: Lang) -> String {
    let since = say::time(standing.since.with_timezone(&Local).fixed_offset());
    let mut text = Text::default();
    text.line(format_args!("{since}: {}", words(&standing.state, lang)));
    if !standing.leads && standing.state == Supervision::Professional {
        text.line(Outcome::AnotherLeads {}.text(lang));
    }
    if let (Some(run), Some(since)) = (&standing.running, standing.running_since) {
        let since = say::time(since.with_timezone(&Local).fixed_offset());
        text.line(format_args!("{}: {run} ({since})", Running.spoken(lang)));
    }
    text.into_string() + "\n"
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
    record.destinos_pendientes = status.sinks.iter().filter_map(owed).collect();
    record
}

fn owed(sink: &SinkStatus) -> Option<OwedRecord> {
    Some(records::owed(&sink.name, sink.debt.as_ref()?))
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
    for owed in &record.destinos_pendientes {
        let (sink, count, why) = (&owed.nombre, &owed.pendientes, &owed.motivo_pendiente);
        let words = Outcome::SinkIsOwed { sink, count, why }.text(lang);
        text.line(format_args!("!!  {words}"));
    }
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
