//! `catalog`.

use respaldo_contract::messages::{ExitCode, Outcome};
use respaldo_domain::backup::ArchiveName;
use serde_json::json;

use crate::cli::app::App;
use crate::cli::args::CatalogCommand;
use crate::cli::say::Text;
use crate::failure::{Failure, of_catalog};

/// Mends the catalog.
pub fn run(command: &CatalogCommand, app: &App) -> Result<ExitCode, Failure> {
    match command {
        CatalogCommand::Rebuild => rebuild(app),
        CatalogCommand::PurgeInvalid => purge_invalid(app),
    }
}

fn rebuild(app: &App) -> Result<ExitCode, Failure> {
    let report = app
        .operations()?
        .rebuild_catalog(&app.context())
        .map_err(|f| of_catalog(&f))?;
    let message = |lang| {
        Outcome::CatalogRebuilt {
            count: &report.recorded.len(),
        }
        .text(lang)
    };
    let unreadable: Vec<_> = report
        .unreadable
        .iter()
        .map(|(name, fault)| json!({ "archivo": name, "detalle": fault.to_string() }))
        .collect();
    let record = json!({
        "exitoso": report.unreadable.is_empty(),
        "mensaje": message(app.lang()),
        "registrados": report.recorded,
        "ilegibles": unreadable,
    });
    app.output.result(&record, |lang| {
        let mut text = Text::new(message(lang));
        for (name, fault) in &report.unreadable {
            text.line(format_args!("  {name}: {fault}"));
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

fn purge_invalid(app: &App) -> Result<ExitCode, Failure> {
    let report = app
        .operations()?
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
