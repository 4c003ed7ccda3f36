//! `sink`.

mod check;
mod list;
mod sync;

use respaldo_contract::messages::ExitCode;

use crate::cli::app::App;
use crate::cli::args::SinkCommand;
use crate::failure::Failure;

/// Carries out a command of sinks.
pub fn run(command: &SinkCommand, app: &App) -> Result<ExitCode, Failure> {
    match command {
        SinkCommand::List => list::run(app),
        SinkCommand::Check(args) => check::run(&args.name, app),
        SinkCommand::Sync(args) => sync::run(&args.name, app),
    }
}
