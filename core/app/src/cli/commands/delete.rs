//! `delete`.

use respaldo_contract::messages::{ErrorCode, ExitCode};
use respaldo_contract::records::DeleteRecord;
use respaldo_engine::operations::Selector;
use respaldo_engine::remove::RemoveError;

use crate::cli::app::App;
use crate::cli::args::DeleteArgs;
use crate::failure::Failure;
use crate::records::Numbers;

/// Removes one backup, or says what stands in the way.
pub fn run(args: DeleteArgs, app: &App) -> Result<ExitCode, Failure> {
    let operations = app.operations_on_storage()?;
    let selector = Selector::from(args.backup);
    let (lang, cx) = (app.lang(), app.context());
    let numbers = Numbers::before(&operations);
    match operations.delete(&selector, args.with_dependents, &cx) {
        Ok(removed) => {
            let record = DeleteRecord::deleted(numbers.name(removed.archives), lang);
            app.output.result(&record, |_| text(&record));
            Ok(ExitCode::Done)
        }
        // One document says both: that it failed, and what depends on it.
        Err(RemoveError::Needed(dependents)) if app.output.json => {
            let record = DeleteRecord::refused(numbers.name(dependents), lang);
            app.output.result(&record, |_| text(&record));
            Ok(ErrorCode::HasDependents.exit_code())
        }
        Err(error) => Err(error.into()),
    }
}

fn text(record: &DeleteRecord) -> String {
    let names = record
        .eliminados
        .iter()
        .map(|backup| format!("\n  {}", backup.archivo));
    format!("{}{}", record.mensaje, names.collect::<String>())
}
