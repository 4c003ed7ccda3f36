//! The child of a plugin alone, for tests that have no `respaldo` to run.

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(respaldo_plugin_host::CHILD_ARGUMENT) => {
            respaldo_plugin_host::child_main(arguments.get(1).map(String::as_str))
        }
        _ => ExitCode::FAILURE,
    }
}
