//! `doctor`.

use respaldo_contract::messages::{ExitCode, Lang};
use respaldo_contract::records::{CheckState, DoctorRecord};

use crate::cli::app::App;
use crate::cli::args::DoctorArgs;
use crate::cli::say::Text;
use crate::config::Config;
use crate::doctor::{self, Look};
use crate::failure::Failure;
use crate::messages::checks;

/// Checks the surroundings.
pub fn run(args: DoctorArgs, app: &App) -> Result<ExitCode, Failure> {
    let look = if args.sinks { Look::Sinks } else { Look::Usual };
    let record = doctor::examine(&app.config()?, look, app.lang(), &app.context());
    app.output.result(&record, |lang| text(&record, lang));
    Ok(exit_of(&record))
}

/// The checks of a configuration.
pub fn examine(config: &Config, app: &App) -> DoctorRecord {
    doctor::examine(config, Look::Usual, app.lang(), &app.context())
}

/// Findings ask for a look.
pub fn exit_of(record: &DoctorRecord) -> ExitCode {
    let good = record
        .comprobaciones
        .iter()
        .all(|check| check.estado == CheckState::Good);
    if good { ExitCode::Done } else { ExitCode::Look }
}

/// A line per check, what to do below it.
pub fn text(record: &DoctorRecord, lang: Lang) -> String {
    let mut text = Text::default();
    for check in &record.comprobaciones {
        text.line(format_args!(
            "{:<11}  {}",
            checks::word(check.estado, lang),
            check.mensaje
        ));
        if let Some(advice) = &check.sugerencia {
            text.line(format_args!("{:<11}  -> {advice}", ""));
        }
    }
    text.line(&record.mensaje);
    text.into_string()
}
