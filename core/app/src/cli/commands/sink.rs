//! `sink`.

mod check;
mod list;
mod sync;

use respaldo_contract::messages::{ErrorCode, ExitCode};

use crate::cli::app::App;
use crate::cli::args::SinkCommand;
use crate::config::Config;
use crate::failure::Failure;

/// Carries out a command of sinks.
pub fn run(command: &SinkCommand, app: &App) -> Result<ExitCode, Failure> {
    match command {
        SinkCommand::List => list::run(app),
        SinkCommand::Check(args) => check::run(&args.name, app),
        SinkCommand::Sync(args) => sync::run(&args.name, app),
    }
}

/// No sink has that name.
fn unknown(name: &str, config: &Config) -> Failure {
    let known: Vec<&str> = config.sinks.iter().map(|sink| sink.name.as_str()).collect();
    let why = format!(
        "there is no sink {name:?}; configured are: {}",
        known.join(", ")
    );
    Failure::new(ErrorCode::Usage, why)
}
