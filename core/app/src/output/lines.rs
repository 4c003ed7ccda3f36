//! Progress in a pipe or a log: a line per step, and now and then one in a long step.

use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use respaldo_contract::messages::{Lang, size};
use respaldo_engine::ports::Progress;

use crate::messages::steps;

const QUIET_FOR: Duration = Duration::from_secs(10);

/// Lines on stderr.
pub struct Lines {
    lang: Lang,
    state: Mutex<State>,
}

struct State {
    step: &'static str,
    tables: usize,
    bytes: u64,
    said_at: Instant,
}

impl Lines {
    /// Nothing is said before the first step.
    pub fn new(lang: Lang) -> Self {
        let state = State {
            step: "",
            tables: 0,
            bytes: 0,
            said_at: Instant::now(),
        };
        Self {
            lang,
            state: Mutex::new(state),
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        if state.said_at.elapsed() >= QUIET_FOR {
            state.said_at = Instant::now();
            let step = steps::text(state.step, self.lang);
            say(&format!(
                "{step}: {}, {}",
                state.tables,
                size(state.bytes, self.lang)
            ));
        }
    }
}

impl Progress for Lines {
    fn step(&self, name: &'static str, _total_bytes: Option<u64>) {
        say(&steps::text(name, self.lang));
        self.change(|state| {
            *state = State {
                step: name,
                tables: 0,
                bytes: 0,
                said_at: Instant::now(),
            };
        });
    }

    fn bytes(&self, count: u64) {
        self.change(|state| state.bytes += count);
    }

    fn table(&self, _name: &str) {
        self.change(|state| state.tables += 1);
    }
}

fn say(text: &str) {
    // Nobody reads stderr: no reason to stop a backup.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
