//! `validate`.

use respaldo_contract::messages::ExitCode;
use respaldo_contract::records::ValidationRecord;
use respaldo_engine::operations::Selector;
use respaldo_engine::validate::ValidateRequest;

use crate::cli::app::App;
use crate::cli::args::ValidateArgs;
use crate::cli::say::Text;
use crate::failure::Failure;

/// Looks at backups.
pub fn run(args: ValidateArgs, app: &App) -> Result<ExitCode, Failure> {
    let operations = app.operations()?;
    let named = args.backups.into_iter().map(Selector::from).collect();
    let request = ValidateRequest {
        selectors: (!args.all).then_some(named),
        level: args.level.level(),
        scratch_server: None,
    };
    let cx = app.context();
    let validations = operations.validate(&request, &cx)?;
    drop(cx);
    let record = ValidationRecord::of(&validations, app.lang());
    app.output.result(&record, |_| text(&record));
    Ok(if record.invalidos == 0 {
        ExitCode::Done
    } else {
        ExitCode::Look
    })
}

fn text(record: &ValidationRecord) -> String {
    let mut text = Text::default();
    for validation in &record.validaciones {
        text.line(&validation.mensaje);
        for finding in &validation.hallazgos {
            text.line(format_args!("  {} {}", finding.gravedad, finding.mensaje));
        }
    }
    text.line(&record.mensaje);
    text.into_string()
}
