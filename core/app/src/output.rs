//! What the program says: results to stdout, everything else to stderr; with `--json` one document
//! and nothing besides.

mod bars;
mod lines;
mod table;

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use respaldo_contract::messages::Lang;
use respaldo_engine::ports::{Progress, Quiet};
use serde::Serialize;

pub use table::Table;

/// How to speak.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// Language of everything a person reads.
    pub lang: Lang,
    /// One JSON document instead of text.
    pub json: bool,
    /// No progress and no remarks.
    pub quiet: bool,
}

impl Output {
    /// Prints the result of a command: its record, or its text.
    pub fn result(&self, record: &impl Serialize, text: impl FnOnce(Lang) -> String) {
        if self.json {
            match serde_json::to_string_pretty(record) {
                Ok(document) => write_line(&mut io::stdout().lock(), &document),
                Err(error) => tracing::error!(%error, "the result is not JSON"),
            }
        } else {
            write_line(&mut io::stdout().lock(), text(self.lang).trim_end());
        }
    }

    /// Prints text that is a result of its own, such as a completion script.
    pub fn text(&self, text: &str) {
        write_line(&mut io::stdout().lock(), text.trim_end_matches('\n'));
    }

    /// A remark beside the result.
    pub fn remark(&self, text: &str) {
        if !self.json && !self.quiet {
            write_line(&mut io::stderr().lock(), text);
        }
    }

    /// What must be read in any case and is no result: beside the log, and never inside the one JSON
    /// document that standard output is with `--json`.
    pub fn notice(&self, text: &str) {
        if self.json {
            self.complaint(text);
        } else {
            self.text(text);
        }
    }

    /// What failed; also when quiet.
    pub fn complaint(&self, text: &str) {
        write_line(&mut io::stderr().lock(), text);
    }

    /// Someone who watches a run: bars for a terminal, lines for a pipe.
    pub fn progress(&self) -> Arc<dyn Progress> {
        if self.json || self.quiet {
            Arc::new(Quiet)
        } else if io::stderr().is_terminal() {
            Arc::new(bars::Bars::new(self.lang))
        } else {
            Arc::new(lines::Lines::new(self.lang))
        }
    }
}

/// A reader that went away is no failure of ours.
fn write_line(to: &mut impl Write, text: &str) {
    let _ = writeln!(to, "{text}").and_then(|()| to.flush());
}
