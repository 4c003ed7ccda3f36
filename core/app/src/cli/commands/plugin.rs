//! `plugin`.

mod check;
mod list;
mod new;
mod pin;

use respaldo_contract::messages::ExitCode;
use respaldo_contract::records::PluginRecord;
use respaldo_plugin_host::{Description, interface_version};

use crate::cli::app::App;
use crate::cli::args::PluginCommand;
use crate::failure::Failure;

/// Carries out a command of plugins.
pub fn run(command: &PluginCommand, app: &App) -> Result<ExitCode, Failure> {
    match command {
        PluginCommand::List => list::list(app),
        PluginCommand::Info(args) => list::info(args, app),
        PluginCommand::Check(args) => check::run(args, app),
        PluginCommand::Pin(args) => pin::run(args, app),
        PluginCommand::New(args) => new::run(args, app),
    }
}

/// What a plugin says of itself, under a name.
fn record_of(name: &str, description: &Description) -> PluginRecord {
    let said = |text: &String| (!text.is_empty()).then(|| text.clone());
    PluginRecord {
        nombre: name.to_owned(),
        clase: Some(description.kind.word()),
        incluido: false,
        utilizable: true,
        id: Some(description.id.clone()),
        titulo: said(&description.name),
        version: said(&description.version),
        autor: said(&description.vendor),
        licencia: said(&description.license),
        descripcion: said(&description.description),
        interfaz: Some(interface_version(description.api)),
        opciones: serde_json::from_str(&description.options_schema).ok(),
        ..PluginRecord::default()
    }
}
