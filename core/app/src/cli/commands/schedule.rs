//! `schedule`.

use chrono::{DateTime, FixedOffset, Utc};
use respaldo_contract::labels::Label;
use respaldo_contract::messages::{ErrorCode, ExitCode, Header, Lang, Outcome, Spoken};
use respaldo_contract::records::{MissedRecord, OverdueRecord};
use respaldo_contract::settings::schedules::describe;
use respaldo_domain::range::OutOfRange;
use respaldo_domain::schedule::{RuleChange, Schedule, Task, plan};
use respaldo_engine::operations::Operations;
use respaldo_engine::schedule::ScheduleSettings;

use crate::cli::app::App;
use crate::cli::args::{ScheduleCommand, ScheduledKind, SetScheduleArgs};
use crate::cli::say::{self, Text};
use crate::failure::{Failure, of_catalog};
use crate::output::Table;
use crate::records::{self, RuleParts};
use crate::scheduled::next_runs;

/// Shows the schedule, changes it, or says what it leads to.
pub fn run(command: &ScheduleCommand, app: &App) -> Result<ExitCode, Failure> {
    let operations = app.operations_on_storage()?;
    match command {
        ScheduleCommand::Show => Ok(show(&operations, app)),
        ScheduleCommand::Set(args) => set(args, &operations, app),
        ScheduleCommand::Next => Ok(next(&operations, app)),
        ScheduleCommand::Missed => missed(&operations, app),
    }
}

fn show(operations: &Operations, app: &App) -> ExitCode {
    let (in_force, record) = records::schedule_in_force(operations, app.lang());
    let (schedule, settings) = (&in_force.schedule, settings(operations));
    app.output.result(&record, |lang| {
        let mut table = Table::new(lang, &[Header::Kind, Header::Schedule]);
        for task in Task::ALL {
            table.row([task.label().to_owned(), describe(schedule, task, lang)]);
        }
        let mut text = Text::new(table);
        text.field(Header::TimeZone, &settings.zone_name, lang);
        text.field(Header::Origin, record.origen.spoken(lang), lang);
        text.field(Header::CatchUp, say::yes_no(settings.catch_up, lang), lang);
        switched_off(&mut text, settings, lang);
        text.warnings(&in_force.warnings, lang);
        text.into_string()
    });
    say::exit_of(&in_force.warnings)
}

fn set(args: &SetScheduleArgs, operations: &Operations, app: &App) -> Result<ExitCode, Failure> {
    if let Some(change) = change(args, &operations.schedule().schedule)? {
        operations
            .change_schedule(change, Utc::now())
            .map_err(|fault| of_catalog(&fault))?;
    }
    Ok(show(operations, app))
}

/// The rule of a kind with the parts that were given.
fn change(args: &SetScheduleArgs, schedule: &Schedule) -> Result<Option<RuleChange>, Failure> {
    let foreign = match args.kind {
        ScheduledKind::Full => args.weekday.map(|_| "--weekday"),
        ScheduledKind::Dif => args.day.map(|_| "--day"),
        ScheduledKind::Inc => {
            let weekday = args.weekday.map(|_| "--weekday");
            args.day.map(|_| "--day").or(weekday)
        }
    };
    if let Some(option) = foreign {
        return Err(Failure::of(ErrorCode::Usage, &NotOfThisKind(option)));
    }
    changed(args, schedule).map_err(|error| Failure::of(ErrorCode::Usage, &error))
}

#[derive(Debug, thiserror::Error)]
#[error("{0} says nothing about this kind: a full has a --day, a differential a --weekday")]
struct NotOfThisKind(&'static str);

fn changed(args: &SetScheduleArgs, schedule: &Schedule) -> Result<Option<RuleChange>, OutOfRange> {
    let task = match args.kind {
        ScheduledKind::Full => Task::Full,
        ScheduledKind::Dif => Task::Differential,
        ScheduledKind::Inc => Task::Incremental,
    };
    let parts = RuleParts {
        day: args.day,
        weekday: args.weekday.map(|weekday| weekday.0),
        hour: args.hour,
        minute: args.minute,
    };
    records::changed_rule(task, parts, schedule)
}

fn next(operations: &Operations, app: &App) -> ExitCode {
    let in_force = operations.schedule();
    let settings = settings(operations);
    let record = next_runs(operations, &in_force.schedule, app.lang());
    app.output.result(&record, |lang| {
        let mut table = Table::new(lang, &[Header::Kind, Header::Next, Header::Schedule]);
        for task in Task::ALL {
            if let Some(next) = record.get(task.label()) {
                table.row([
                    task.label().to_owned(),
                    time(next.next_run),
                    next.schedule.clone(),
                ]);
            }
        }
        let mut text = Text::new(table);
        text.field(Header::TimeZone, &settings.zone_name, lang);
        switched_off(&mut text, settings, lang);
        text.warnings(&in_force.warnings, lang);
        text.into_string()
    });
    say::exit_of(&in_force.warnings)
}

fn missed(operations: &Operations, app: &App) -> Result<ExitCode, Failure> {
    let in_force = operations.schedule();
    let settings = settings(operations);
    let cx = app.context();
    let overdue = operations
        .overdue(Utc::now(), &cx)
        .map_err(|fault| of_catalog(&fault))?;
    drop(cx);
    let covering = |task| {
        let covers = |run: &respaldo_domain::schedule::DueRun| {
            run.covers.iter().any(|covered| covered.task == task)
        };
        let run = plan(overdue.iter().copied()).into_iter().find(covers)?;
        Some(run.task.label())
    };
    let pending = overdue.iter().map(|due| OverdueRecord {
        tipo: due.task,
        previsto: settings.zone.at(due.at),
        schedule: describe(&in_force.schedule, due.task, app.lang()),
        cubierto_por: covering(due.task),
    });
    let mut record =
        MissedRecord::of(pending.collect()).with_warnings(&in_force.warnings, app.lang());
    record.activo = settings.enabled;
    record.recuperar = settings.catch_up;
    app.output.result(&record, |lang| {
        let mut text = missed_text(&record, lang);
        switched_off(&mut text, settings, lang);
        text.warnings(&in_force.warnings, lang);
        text.into_string()
    });
    Ok(if record.pendientes.is_empty() {
        say::exit_of(&in_force.warnings)
    } else {
        ExitCode::Look
    })
}

fn missed_text(record: &MissedRecord, lang: Lang) -> Text {
    if record.pendientes.is_empty() {
        return Text::new(Outcome::NothingOverdue {}.text(lang));
    }
    let headings = [Header::Kind, Header::Due, Header::CoveredBy];
    let mut table = Table::new(lang, &headings);
    for due in &record.pendientes {
        table.row([
            due.tipo.label().to_owned(),
            time(due.previsto),
            say::or_nothing(due.cubierto_por),
        ]);
    }
    Text::new(table)
}

fn switched_off(text: &mut Text, settings: &ScheduleSettings, lang: Lang) {
    if !settings.enabled {
        text.line(Outcome::ScheduleOff {}.text(lang));
    }
}

fn settings(operations: &Operations) -> &ScheduleSettings {
    &operations.parts().settings.schedule
}

/// A time in the zone of the schedule, which need not be the machine's.
fn time(at: DateTime<FixedOffset>) -> String {
    at.format("%Y-%m-%d %H:%M %:z").to_string()
}
