//! `sink sync`.

use respaldo_contract::messages::{ErrorCode, ExitCode};
use respaldo_engine::sync::SyncError;

use crate::cli::app::App;
use crate::cli::say::Text;
use crate::failure::{Failure, of_sink};
use crate::records;

/// Copies what a sink lacks.
pub fn run(name: &str, app: &App) -> Result<ExitCode, Failure> {
    let config = app.config()?;
    let operations = app.operations_on_storage()?;
    let cx = app.context();
    let report = operations.sync(name, &cx).map_err(|error| match error {
        SyncError::Unknown(_) => records::unknown_sink(name, &config),
        SyncError::Listing(fault) => of_sink(&fault),
        SyncError::Interrupted => Failure::of(ErrorCode::Interrupted, &error),
    })?;
    drop(cx);
    let record = records::synced(&report, app.lang());
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
