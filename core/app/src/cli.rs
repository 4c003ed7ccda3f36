//! The command line: parse, ask the engine, print its answer in the contract's words.

mod app;
mod args;
mod commands;
pub(crate) mod say;
pub(crate) mod time;

use std::ffi::OsString;
use std::process::ExitCode as Status;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};
use respaldo_contract::messages::{ErrorCode, ExitCode, Lang};

pub use app::App;
pub use args::{Cli, Command, Globals, PluginKindArg, PluginLanguage};
use args::{LangArg, PluginCommand};

use crate::config::{self, Environment, LogFormat, Sources};
use crate::failure::Failure;
use crate::messages::{help, usage};
use crate::output::Output;
use crate::{logging, signals};

/// The whole program.
pub fn main() -> Status {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments
        .get(1)
        .is_some_and(|word| word == respaldo_plugin_host::CHILD_ARGUMENT)
    {
        // Another program in the same file: nothing of ours is read, watched or announced.
        return respaldo_plugin_host::child_main(arguments.get(2).and_then(|word| word.to_str()));
    }
    let environment = Environment::of_process();
    let output = output_before_parsing(&arguments, &environment);
    announce_bugs(output);
    let ran = std::panic::catch_unwind(|| run(&arguments, environment, output));
    ran.unwrap_or(ExitCode::Bug).into()
}

fn run(arguments: &[OsString], environment: Environment, output: Output) -> ExitCode {
    let cli = match parse(arguments, output.lang) {
        Ok(cli) => cli,
        Err(error) => return misused(&error, output),
    };
    let globals = &cli.globals;
    let sources = Sources {
        file: globals.config.clone(),
        environment,
        database: globals.database.clone(),
    };
    let configured = || config::log_format(&sources);
    let format = globals.log_format.unwrap_or_else(configured);
    logging::start(globals.verbose, globals.quiet, format);
    let output = Output {
        // A remark between documents would be none of them.
        quiet: cli.globals.quiet || format == LogFormat::Json,
        ..output
    };
    let outcome = signals::watch()
        .map_err(|error| Failure::of(ErrorCode::Internal, &error))
        .and_then(|interrupt| {
            if matches!(cli.globals.lang, Some(LangArg::Written(_)))
                && !matches!(cli.command, Command::Plugin(PluginCommand::New(_)))
            {
                let what = "--lang: en and es are; rust and c are languages of plugin new";
                return Err(Failure::new(ErrorCode::Usage, what));
            }
            let app = App {
                sources,
                globals: cli.globals,
                output,
                interrupt,
            };
            commands::run(cli.command, &app)
        });
    outcome.unwrap_or_else(|failure| {
        failure.report(&output);
        failure.code.exit_code()
    })
}

fn parse(arguments: &[OsString], lang: Lang) -> Result<Cli, clap::Error> {
    let matches = help::localized(Cli::command(), lang).try_get_matches_from(arguments)?;
    Cli::from_arg_matches(&matches)
}

/// Language and form are needed to say that the command line is wrong.
fn output_before_parsing(arguments: &[OsString], environment: &Environment) -> Output {
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let joined = words.iter().find_map(|word| word.strip_prefix("--lang="));
    let apart = words
        .windows(2)
        .find(|pair| pair[0] == "--lang")
        .map(|pair| pair[1]);
    let asked = joined.or(apart).and_then(|word| word.parse().ok());
    let usual = || Lang::from_env(environment.get("LC_ALL"), environment.get("LANG"));
    Output {
        lang: asked.unwrap_or_else(usual),
        json: words.contains(&"--json"),
        quiet: false,
    }
}

/// Help and version are results; everything else is a wrong command line.
fn misused(error: &clap::Error, output: Output) -> ExitCode {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        output.text(&error.render().to_string());
        return ExitCode::Done;
    }
    let english = error.render().to_string();
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand && !output.json {
        output.complaint(english.trim_end());
        return ExitCode::Usage;
    }
    if output.json || output.lang == Lang::Es {
        let first = english
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("error: ");
        let said = output.lang.choose(first.to_owned(), usage::spanish(error));
        Failure::new(ErrorCode::Usage, said).report(&output);
    } else {
        output.complaint(english.trim_end());
    }
    ExitCode::Usage
}

/// A bug is told in one sentence, with its place and without a backtrace.
fn announce_bugs(output: Output) {
    std::panic::set_hook(Box::new(move |info| {
        let payload = info.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let main_thread = std::thread::current().name() == Some("main");
        let failure = Failure::new(
            ErrorCode::Internal,
            format!("{} ({place})", text.unwrap_or("?")),
        );
        // One document: a thread that fails is reported by whoever waits for it.
        if main_thread || !output.json {
            failure.report(&output);
        }
    }));
}
