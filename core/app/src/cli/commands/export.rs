//! `export`.

use std::io::IsTerminal;
use std::path::Path;

use respaldo_contract::messages::{ErrorCode, ExitCode, Lang, Outcome};
use respaldo_contract::records::ExportRecord;
use respaldo_domain::coverage::Coverage;
use respaldo_engine::export::{Durability, Existing, ExportReport};
use respaldo_engine::operations::Selector;

use crate::cli::app::App;
use crate::cli::args::ExportArgs;
use crate::cli::say::Text;
use crate::failure::Failure;

/// Writes one stock archive of a restore point.
pub fn run(args: ExportArgs, app: &App) -> Result<ExitCode, Failure> {
    let selector = Selector::from(args.point);
    if args.output == Path::new("-") {
        return to_stdout(&selector, app);
    }
    let existing = if args.force {
        Existing::Replace
    } else {
        Existing::Refuse
    };
    let durability = if args.no_sync {
        Durability::LeftToSystem
    } else {
        Durability::Synced
    };
    let operations = app.operations_on_storage()?;
    let cx = app.context();
    let report = operations.export_to_file(&selector, &args.output, existing, durability, &cx)?;
    drop(cx);
    let file = args.output.display().to_string();
    let record = ExportRecord::of(&report.manifest, &file, report.size_bytes, app.lang());
    app.output
        .result(&record, |lang| text(&report, &record, lang));
    Ok(exit_of(&report.manifest.coverage))
}

/// The archive is all that standard output carries.
fn to_stdout(selector: &Selector, app: &App) -> Result<ExitCode, Failure> {
    let mut stdout = std::io::stdout().lock();
    let misused = |why: &str| Err(Failure::new(ErrorCode::Usage, why));
    if app.output.json {
        drop(stdout);
        return misused("-o - --json");
    }
    if stdout.is_terminal() {
        return misused("-o - > TTY");
    }
    let operations = app.operations_on_storage()?;
    let report = operations.export(selector, &mut stdout, &app.context())?;
    let gaps = report.manifest.coverage.gaps.len();
    if gaps > 0 {
        let said = Outcome::BackupPartial { count: &gaps };
        app.output.remark(&said.text(app.lang()));
    }
    Ok(exit_of(&report.manifest.coverage))
}

fn text(report: &ExportReport, record: &ExportRecord, lang: Lang) -> String {
    let mut text = Text::new(&record.mensaje);
    text.gaps(&report.manifest.coverage, lang);
    text.into_string()
}

/// What is made from a partial backup is as partial.
pub(super) fn exit_of(coverage: &Coverage) -> ExitCode {
    if coverage.is_complete() {
        ExitCode::Done
    } else {
        ExitCode::Look
    }
}
