//! Named steps at which tests break a flow on purpose.
//!
//! Without the cargo feature `faults` a step is nothing. With it, `RESPALDO_FAULTS` holds
//! `;`-separated `where=what`: *where* is a step's name, `NAME@N` (the N-th time that it is
//! passed) or `#N` (the N-th step of all), counted from 1; *what* is `fail`, `panic`, `kill` (SIGKILL to this process), `pause:MILLISECONDS` or
//! `wait:FILE` (until the file exists, a minute at most). `RESPALDO_FAULTS_TRACE` names a file
//! to which each step passed is appended, so a test can see that its fault was reached.

#[cfg(not(feature = "faults"))]
use crate::ports::Fault;

/// Passes the step `name`; fails where a test asked for it.
#[cfg(not(feature = "faults"))]
#[inline]
pub fn step(_name: &'static str) -> Result<(), Fault> {
    Ok(())
}

#[cfg(feature = "faults")]
pub use armed::step;

#[cfg(feature = "faults")]
mod armed {
    use std::io::Write;
    use std::path::Path;
    use std::sync::{Mutex, PoisonError};
    use std::time::{Duration, Instant};

    use crate::ports::{Fault, FaultKind};

    static PASSED: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

    /// Passes the step `name`; fails, waits or dies where a test asked for it.
    pub fn step(name: &'static str) -> Result<(), Fault> {
        let (number, time) = count(name);
        trace(name);
        let plan = std::env::var("RESPALDO_FAULTS").unwrap_or_default();
        let here = [
            name.to_owned(),
            format!("{name}@{time}"),
            format!("#{number}"),
        ];
        for (place, action) in plan.split(';').filter_map(|part| part.split_once('=')) {
            if here.iter().any(|here| here == place) {
                act(name, action)?;
            }
        }
        Ok(())
    }

    /// How many steps were passed with this one, and how often this one.
    fn count(name: &'static str) -> (usize, usize) {
        let mut passed = PASSED.lock().unwrap_or_else(PoisonError::into_inner);
        passed.push(name);
        let time = passed.iter().filter(|earlier| **earlier == name).count();
        (passed.len(), time)
    }

    fn trace(name: &str) {
        let Ok(path) = std::env::var("RESPALDO_FAULTS_TRACE") else {
            return;
        };
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path);
        if let Ok(mut file) = file {
            // A lost trace line makes the test that reads it fail, which is what it is for.
            // In one write: threads pass steps side by side.
            let _ = file.write_all(format!("{name}\n").as_bytes());
        }
    }

    fn act(name: &'static str, action: &str) -> Result<(), Fault> {
        match action.split_once(':').unwrap_or((action, "")) {
            ("fail", _) => {
                return Err(Fault::new(FaultKind::Unavailable, name, "a planned fault"));
            }
            ("panic", _) => panics(name),
            ("kill", _) => kill(),
            ("pause", ms) => std::thread::sleep(Duration::from_millis(ms.parse().unwrap_or(0))),
            ("wait", file) => wait_for(Path::new(file)),
            _ => {}
        }
        Ok(())
    }

    fn wait_for(file: &Path) {
        let start = Instant::now();
        while !file.exists() && start.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn panics(name: &'static str) {
        std::panic::resume_unwind(Box::new(format!("a planned panic at {name}")));
    }

    fn kill() {
        let me = std::process::id().to_string();
        let _ = std::process::Command::new("kill")
            .args(["-KILL", &me])
            .status();
        std::thread::sleep(Duration::from_secs(5));
    }
}
