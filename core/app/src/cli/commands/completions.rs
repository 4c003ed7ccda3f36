//! `completions`.

use clap::CommandFactory;
use respaldo_contract::messages::ExitCode;

use crate::cli::Cli;
use crate::cli::app::App;
use crate::cli::args::CompletionsArgs;
use crate::messages::help;

/// Prints the completion script of a shell.
pub fn run(args: &CompletionsArgs, app: &App) -> ExitCode {
    let mut command = help::localized(Cli::command(), app.lang());
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "respaldo", &mut script);
    app.output.text(&String::from_utf8_lossy(&script));
    ExitCode::Done
}
