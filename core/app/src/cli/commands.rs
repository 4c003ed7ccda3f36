//! One module per command: parse, ask, print.

mod backup;
mod catalog;
mod cloud;
mod completions;
mod config;
mod delete;
mod demo;
mod diff;
mod doctor;
mod escape_kit;
mod expire;
mod export;
mod init;
mod legacy;
mod list;
mod man;
mod plugin;
mod preview;
mod restore;
mod retention;
mod schedule;
mod show;
mod sink;
mod status;
mod validate;

use respaldo_contract::messages::ExitCode;

use super::app::App;
use super::args::{Command, ConfigCommand};
use crate::failure::Failure;

/// Carries out a command.
pub fn run(command: Command, app: &App) -> Result<ExitCode, Failure> {
    match command {
        Command::Init => init::run(app),
        Command::Backup(args) => backup::run(args, app),
        Command::List(args) => list::run(&args, app),
        Command::Show(args) => show::run(args, app),
        Command::Diff(args) => diff::run(args, app),
        Command::Preview(args) => preview::run(args, app),
        Command::Restore(args) => restore::run(args, app),
        Command::Export(args) => export::run(args, app),
        Command::EscapeKit(args) => escape_kit::run(args, app),
        Command::Status => status::run(app),
        Command::Delete(args) => delete::run(args, app),
        Command::Expire(args) => expire::run(&args, app),
        Command::Retention(command) => retention::run(&command, app),
        Command::Validate(args) => validate::run(args, app),
        Command::Legacy(command) => legacy::run(command, app),
        Command::Schedule(command) => schedule::run(&command, app),
        Command::Serve => crate::serve::run(app),
        Command::Cloud(command) => cloud::run(&command, app),
        Command::Sink(command) => sink::run(&command, app),
        Command::Plugin(command) => plugin::run(&command, app),
        Command::Catalog(command) => catalog::run(&command, app),
        Command::Doctor(args) => doctor::run(args, app),
        Command::Config(ConfigCommand::Show) => config::show(app),
        Command::Demo(args) => demo::run(&args, app),
        Command::Completions(args) => Ok(completions::run(&args, app)),
        Command::Man(args) => man::run(&args, app),
    }
}
