//! `catalog`.

use respaldo_contract::messages::{ExitCode, Outcome};
use respaldo_domain::backup::ArchiveName;
use respaldo_engine::ports::Fault;
use serde_json::{Value, json};

use crate::cli::app::App;
use crate::cli::args::CatalogCommand;
use crate::cli::say::Text;
use crate::failure::{Failure, of_adoption, of_catalog, reason_of};

/// Mends the catalog.
pub fn run(command: &CatalogCommand, app: &App) -> Result<ExitCode, Failure> {
    match command {
        CatalogCommand::Rebuild => rebuild(app),
        CatalogCommand::Adopt => adopt(app),
        CatalogCommand::PurgeInvalid => purge_invalid(app),
    }
}

fn rebuild(app: &App) -> Result<ExitCode, Failure> {
    let report = app
        .operations_on_storage()?
        .rebuild_catalog(&app.context())
        .map_err(|f| of_catalog(&f))?;
    let message = |lang| {
        Outcome::CatalogRebuilt {
            count: &report.recorded.len(),
        }
        .text(lang)
    };
    let record = json!({
        "exitoso": report.unreadable.is_empty(),
        "mensaje": message(app.lang()),
        "registrados": report.recorded,
        "ilegibles": faults(&report.unreadable),
    });
    app.output.result(&record, |lang| {
        let mut text = Text::new(message(lang));
        for (name, fault) in &report.unreadable {
            text.line(format_args!("  {name}: {}", reason_of(fault)));
        }
        text.warnings(&report.warnings, lang);
        text.into_string()
    });
    let whole = report.unreadable.is_empty() && report.warnings.is_empty();
    Ok(if whole {
        ExitCode::Done
    } else {
        ExitCode::Look
    })
}

fn adopt(app: &App) -> Result<ExitCode, Failure> {
    let report = app.operations_on_storage()?.adopt(&app.context());
    let report = report.map_err(|fault| of_adoption(&fault))?;
    let message = |lang| {
        Outcome::Adopted {
            count: &report.adopted.len(),
        }
        .text(lang)
    };
    let record = json!({
        "exitoso": report.refused.is_empty(),
        "mensaje": message(app.lang()),
        "adoptados": report.adopted,
        "rechazados": faults(&report.refused),
    });
    app.output.result(&record, |lang| {
        let mut text = Text::new(message(lang));
        report
            .adopted
            .iter()
            .for_each(|name| text.line(format_args!("  {name}")));
        for (name, fault) in &report.refused {
            text.line(format_args!("  {name}: {}", reason_of(fault)));
        }
        text.into_string()
    });
    Ok(if report.refused.is_empty() {
        ExitCode::Done
    } else {
        ExitCode::Look
    })
}

/// Backups that something is wrong with, and what.
fn faults(faults: &[(ArchiveName, Fault)]) -> Vec<Value> {
    let one = |(name, fault): &(ArchiveName, Fault)| json!({ "archivo": name, "detalle": reason_of(fault) });
    faults.iter().map(one).collect()
}

fn purge_invalid(app: &App) -> Result<ExitCode, Failure> {
    let report = app
        .operations_on_storage()?
        .purge_invalid_backups(&app.context())
        .map_err(|f| of_catalog(&f))?;
    let message = |lang| {
        Outcome::Purged {
            count: &report.removed.len(),
        }
        .text(lang)
    };
    let record =
        json!({ "exitoso": true, "mensaje": message(app.lang()), "eliminados": report.removed });
    app.output
        .result(&record, |lang| purged(message(lang), &report.removed));
    Ok(ExitCode::Done)
}

fn purged(message: String, removed: &[ArchiveName]) -> String {
    removed
        .iter()
        .fold(message, |text, name| text + &format!("\n  {name}"))
}
