//! Named steps at which tests break a flow on purpose.
//!
//! Without the cargo feature `faults` a step is nothing. With it, `RESPALDO_FAULTS` holds
//! `;`-separated `where=what`: *where* is a step's name or `#N`, the N-th step passed, counted
//! from 1; *what* is `fail`, `kill` (SIGKILL to this process), `pause:MILLISECONDS` or
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
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use crate::ports::{Fault, FaultKind};

    static PASSED: AtomicUsize = AtomicUsize::new(0);

    /// Passes the step `name`; fails, waits or dies where a test asked for it.
    pub fn step(name: &'static str) -> Result<(), Fault> {
        let number = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
        trace(name);
        let plan = std::env::var("RESPALDO_FAULTS").unwrap_or_default();
        for (place, action) in plan.split(';').filter_map(|part| part.split_once('=')) {
            if place == name || place == format!("#{number}") {
                act(name, action)?;
            }
        }
        Ok(())
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
            let _ = writeln!(file, "{name}");
        }
    }

    fn act(name: &'static str, action: &str) -> Result<(), Fault> {
        match action.split_once(':').unwrap_or((action, "")) {
            ("fail", _) => {
                return Err(Fault::new(FaultKind::Unavailable, name, "a planned fault"));
            }
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

    fn kill() {
        let me = std::process::id().to_string();
        let _ = std::process::Command::new("kill")
            .args(["-KILL", &me])
            .status();
        std::thread::sleep(Duration::from_secs(5));
    }
}
