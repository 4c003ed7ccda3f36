//! `config show`.

use respaldo_contract::messages::{ExitCode, Header};

use crate::cli::app::App;
use crate::failure::Failure;
use crate::output::Table;
use crate::records;

/// Shows every setting with its origin.
pub fn show(app: &App) -> Result<ExitCode, Failure> {
    let config = app.config()?;
    let settings = config.provenance.all();
    app.output.result(&records::config(&config), |lang| {
        let mut table = Table::new(lang, &[Header::Setting, Header::Value, Header::Origin]);
        for shown in settings {
            table.row([shown.key.clone(), shown.value.clone(), shown.origin.clone()]);
        }
        table.to_string()
    });
    Ok(ExitCode::Done)
}
