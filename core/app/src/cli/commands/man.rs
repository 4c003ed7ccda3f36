//! `man`.

use std::io;
use std::path::Path;

use clap::{Command, CommandFactory};
use respaldo_contract::messages::{ErrorCode, ExitCode};

use crate::cli::Cli;
use crate::cli::app::App;
use crate::cli::args::ManArgs;
use crate::failure::Failure;
use crate::messages::help;

/// Prints the manual page, or writes all pages.
pub fn run(args: &ManArgs, app: &App) -> Result<ExitCode, Failure> {
    let command = help::localized(Cli::command(), app.lang());
    let done = match &args.folder {
        Some(folder) => clap_mangen::generate_to(command, folder),
        None => page(command).map(|page| app.output.text(&page)),
    };
    done.map_err(|error| {
        let folder = args.folder.as_deref().unwrap_or(Path::new("")).display();
        Failure::new(ErrorCode::Usage, format!("{folder}: {error}"))
    })?;
    Ok(ExitCode::Done)
}

fn page(command: Command) -> io::Result<String> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
