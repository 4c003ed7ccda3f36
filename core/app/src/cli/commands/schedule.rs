//! `schedule`: the hours, the next runs, what is due.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, Local, Utc};
use respaldo_contract::labels::Label;
use respaldo_contract::messages::{ErrorCode, ExitCode, Header, Lang, Outcome, Spoken};
use respaldo_contract::records::{DueRecord, NextRunRecord};
use respaldo_contract::settings::{Schedules, schedules};
use respaldo_domain::schedule::{Schedule, Task};
use respaldo_engine::operations::Operations;
use serde_json::Value;

use crate::cli::app::App;
use crate::cli::args::{ScheduleArgs, ScheduleCommand};
use crate::cli::say;
use crate::config::{Clock, Config, time_of_day};
use crate::failure::{Failure, of_catalog};
use crate::output::Table;
use crate::wiring;

/// Carries out a command of the schedule.
pub fn run(command: &ScheduleCommand, app: &App) -> Result<ExitCode, Failure> {
    let config = app.config()?;
    let operations = wiring::operations(&config, None)?;
    match command {
        ScheduleCommand::Show => show(&operations, app),
        ScheduleCommand::Set(args) => {
            let changed = changed(operations.schedule(), args)?;
            operations
                .set_schedule(changed)
                .map_err(|fault| of_catalog(&fault))?;
            show(&operations, app)
        }
        ScheduleCommand::Next => Ok(next(&operations, &config, app)),
        ScheduleCommand::Missed => missed(&operations, &config, app),
    }
}

fn show(operations: &Operations, app: &App) -> Result<ExitCode, Failure> {
    let schedule = operations.schedule();
    let record: Value = serde_json::from_str(&Schedules::from(schedule).to_json())
        .map_err(|error| Failure::of(ErrorCode::Internal, &error))?;
    app.output.result(&record, |lang| {
        let mut table = Table::new(lang, &[Header::Kind, Header::Schedule]);
        for task in Task::ALL {
            table.row([word(task, lang), schedules::describe(&schedule, task, lang)]);
        }
        table.to_string()
    });
    Ok(ExitCode::Done)
}

fn next(operations: &Operations, config: &Config, app: &App) -> ExitCode {
    let runs = next_runs(&operations.schedule(), config.schedule.clock, app.lang());
    app.output.result(&runs, |lang| {
        let mut table = Table::new(lang, &[Header::Kind, Header::Date, Header::Schedule]);
        for run in runs.values() {
            table.row([
                run.tipo.clone(),
                say::time(run.next_run),
                run.schedule.clone(),
            ]);
        }
        table.to_string()
    });
    ExitCode::Done
}

/// When each kind is due next, by its label.
pub fn next_runs(
    schedule: &Schedule,
    clock: Clock,
    lang: Lang,
) -> BTreeMap<&'static str, NextRunRecord> {
    let now = Utc::now();
    let next = |task: Task| {
        let Task::Backup(kind) = task else {
            return None;
        };
        let record = NextRunRecord {
            tipo: kind.label().to_owned(),
            next_run: here(schedule.next(task, now, &clock)),
            schedule: schedules::describe(schedule, task, lang),
        };
        Some((kind.label(), record))
    };
    Task::ALL.into_iter().filter_map(next).collect()
}

fn missed(operations: &Operations, config: &Config, app: &App) -> Result<ExitCode, Failure> {
    let cx = app.context();
    let due = operations.due_runs(Utc::now(), &config.schedule.clock, &cx);
    let due = due.map_err(|fault| of_catalog(&fault))?;
    drop(cx);
    let records: Vec<DueRecord> = due
        .iter()
        .map(|run| DueRecord {
            tipo: label(run.task),
            desde: here(run.since),
        })
        .collect();
    app.output.result(&records, |lang| {
        if due.is_empty() {
            return Outcome::NothingMissed {}.text(lang);
        }
        let mut table = Table::new(lang, &[Header::Kind, Header::Since]);
        for run in &due {
            table.row([word(run.task, lang), say::time(here(run.since))]);
        }
        table.to_string()
    });
    Ok(if due.is_empty() {
        ExitCode::Done
    } else {
        ExitCode::Look
    })
}

fn label(task: Task) -> &'static str {
    match task {
        Task::Backup(kind) => kind.label(),
        Task::Validation => "VALIDACION",
    }
}

fn word(task: Task, lang: Lang) -> String {
    match task {
        Task::Backup(kind) => kind.label().to_owned(),
        Task::Validation => Header::Validation.spoken(lang).to_owned(),
    }
}

fn here(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    at.with_timezone(&Local).fixed_offset()
}

/// What is given over what there was.
fn changed(schedule: Schedule, args: &ScheduleArgs) -> Result<Schedule, Failure> {
    let mut changed = schedule;
    let time = |text: &Option<String>, before| match text {
        None => Ok(before),
        Some(text) => time_of_day(text)
            .ok_or_else(|| Failure::new(ErrorCode::Usage, format!("{text:?}: 23:30"))),
    };
    changed.full.day = args.full_day.unwrap_or(changed.full.day);
    changed.full.time = time(&args.full_time, changed.full.time)?;
    changed.differential.weekday = args.dif_weekday.unwrap_or(changed.differential.weekday);
    changed.differential.time = time(&args.dif_time, changed.differential.time)?;
    changed.incremental = time(&args.inc_time, changed.incremental)?;
    schedules::check(&Schedules::from(changed))
        .map_err(|error| Failure::of(ErrorCode::Usage, &error))?;
    Ok(changed)
}
