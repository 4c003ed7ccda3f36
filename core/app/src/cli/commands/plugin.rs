//! `plugin`.

mod check;
mod list;
mod new;
mod pin;

use respaldo_contract::messages::ExitCode;

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
