//! `sink sync`.

use respaldo_contract::messages::{ErrorCode, ExitCode, Outcome, size};
use respaldo_contract::records::{SinkLackRecord, SinkSyncRecord};
use respaldo_domain::backup::ArchiveName;
use respaldo_engine::ports::Fault;
use respaldo_engine::sync::{SyncError, SyncReport};

use super::unknown;
use crate::cli::app::App;
use crate::cli::say::Text;
use crate::failure::{Failure, of_sink, reason_of};

/// Copies what a sink lacks.
pub fn run(name: &str, app: &App) -> Result<ExitCode, Failure> {
    let config = app.config()?;
    let operations = app.operations()?;
    let cx = app.context();
    let report = operations.sync(name, &cx).map_err(|error| match error {
        SyncError::Unknown(_) => unknown(name, &config),
        SyncError::Listing(fault) => of_sink(&fault),
        SyncError::Interrupted => Failure::of(ErrorCode::Interrupted, &error),
    })?;
    drop(cx);
    let record = record(&report, app);
    app.output.result(&record, |_| {
        let mut text = Text::default();
        for lack in record.fallidos.iter().chain(&record.sin_bloqueo) {
            text.line(format_args!("!!  {}: {}", lack.archivo, lack.motivo));
        }
        text.line(&record.mensaje);
        text.into_string()
    });
    Ok(match record.exitoso {
        true => ExitCode::Done,
        false => ExitCode::Look,
    })
}

fn record(report: &SyncReport, app: &App) -> SinkSyncRecord {
    let lang = app.lang();
    let (sink, count) = (&report.sink, report.copied.len());
    let (bytes, failed) = (size(report.copied_bytes, lang), report.failed.len());
    let summary = match (count, failed) {
        (0, 0) => Outcome::SinkLacksNothing { sink },
        (_, 0) => Outcome::SinkFilled {
            sink,
            count: &count,
            size: &bytes,
        },
        _ => Outcome::SinkStillLacks {
            sink,
            count: &count,
            failed: &failed,
        },
    };
    let lack = |(archive, fault): &(ArchiveName, Fault)| SinkLackRecord {
        archivo: archive.to_string(),
        motivo: reason_of(fault),
    };
    SinkSyncRecord {
        exitoso: failed == 0 && report.unlocked.is_empty(),
        mensaje: summary.text(lang),
        destino: sink.clone(),
        copiados: report.copied.iter().map(ToString::to_string).collect(),
        bytes: report.copied_bytes,
        fallidos: report.failed.iter().map(lack).collect(),
        sin_bloqueo: report.unlocked.iter().map(lack).collect(),
    }
}
