//! `preview`.

use respaldo_contract::messages::{ExitCode, Header, Lang, Outcome, size};
use respaldo_contract::records::{FindingRecord, PreviewRecord};
use respaldo_domain::report::{LiveChange, LiveDifference, PreviewReport};
use respaldo_engine::operations::Selector;
use respaldo_engine::preview::PreviewRequest;

use crate::cli::app::App;
use crate::cli::args::PreviewArgs;
use crate::cli::say::{self, Text};
use crate::cli::time::TimePoint;
use crate::failure::{Failure, of_lookup};
use crate::output::Table;

/// Shows what a restore would do.
pub fn run(args: PreviewArgs, app: &App) -> Result<ExitCode, Failure> {
    let operations = app.operations_on_storage()?;
    let asked = match args.point.at {
        Some(TimePoint::At(at)) => Some(at),
        _ => None,
    };
    let request = PreviewRequest {
        selector: Selector::from(args.point),
        live: args.live,
    };
    let report = operations
        .preview(&request, &app.context())
        .map_err(|fault| of_lookup(&fault))?;
    let Some(report) = report else {
        app.output.result(&PreviewRecord::none(asked), |lang| {
            Outcome::NoBackups {}.text(lang)
        });
        return Ok(ExitCode::NothingToRestore);
    };
    let record = PreviewRecord::of(&report, asked, app.lang());
    app.output
        .result(&record, |lang| text(&report, &record, lang));
    Ok(if report.problems.is_empty() {
        ExitCode::Done
    } else {
        ExitCode::Look
    })
}

fn text(report: &PreviewReport, record: &PreviewRecord, lang: Lang) -> String {
    let plan = &report.plan;
    let point = Outcome::PreviewPoint {
        archive: &plan.manifest.archive,
        point: &say::time(plan.manifest.snapshot_at),
        backups: &plan.sources.len(),
        tables: &plan.loads.len(),
        size: &size(record.bytes_a_leer, lang),
    };
    let mut text = Text::new(point.text(lang));
    text.line(format_args!("\n{}", tables(report, lang)));
    report
        .live
        .iter()
        .for_each(|difference| text.line(live(difference, lang)));
    text.line(match report.problems.len() {
        0 => Outcome::PreviewWhole {}.text(lang),
        count => Outcome::PreviewProblems { count: &count }.text(lang),
    });
    for problem in &report.problems {
        text.line(format_args!(
            "  {}",
            FindingRecord::of(problem, lang).mensaje
        ));
    }
    text.into_string()
}

fn tables(report: &PreviewReport, lang: Lang) -> Table {
    let mut table = Table::new(
        lang,
        &[Header::Table, Header::Rows, Header::Size, Header::DataIn],
    );
    for load in &report.plan.loads {
        table.row([
            load.entry.name.to_string(),
            load.data.fingerprint.rows.to_string(),
            size(load.data.plain_bytes, lang),
            load.data.archive.to_string(),
        ]);
    }
    table
}

fn live(difference: &LiveDifference, lang: Lang) -> String {
    let table = &difference.table;
    match &difference.change {
        LiveChange::Identical => Outcome::LiveIdentical { table }.text(lang),
        LiveChange::WouldVanish { rows } => Outcome::LiveVanish { table, rows }.text(lang),
        LiveChange::WouldReturn { rows } => Outcome::LiveReturn { table, rows }.text(lang),
        LiveChange::Differs {
            rows_now,
            rows_then,
        } => Outcome::LiveDiffers {
            table,
            now: rows_now,
            then: rows_then,
        }
        .text(lang),
    }
}
