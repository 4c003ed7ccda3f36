//! `config show`.

use respaldo_contract::messages::{ExitCode, Header};
use serde_json::json;

use crate::cli::app::App;
use crate::failure::Failure;
use crate::output::Table;

/// Shows every setting with its origin.
pub fn show(app: &App) -> Result<ExitCode, Failure> {
    let config = app.config()?;
    let settings = config.provenance.all();
    let record = |shown: &crate::config::Shown| json!({ "clave": shown.key, "valor": shown.value, "origen": shown.origin });
    let records: Vec<_> = settings.iter().map(record).collect();
    app.output.result(&json!({ "ajustes": records }), |lang| {
        let mut table = Table::new(lang, &[Header::Setting, Header::Value, Header::Origin]);
        for shown in settings {
            table.row([shown.key.clone(), shown.value.clone(), shown.origin.clone()]);
        }
        table.to_string()
    });
    Ok(ExitCode::Done)
}
