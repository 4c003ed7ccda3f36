//! The machine of a run, for readers who compare.

use std::fs;
use std::process::Command;
use std::thread;

use respaldo_tests::install::Install;

use crate::tools::{pgbackrest, restic, s3_clients};

/// What readers need to know of the machine.
#[derive(Debug)]
pub struct Machine {
    /// Processors.
    pub processors: String,
    /// Memory in GiB.
    pub memory_gib: u64,
    /// Kernel.
    pub kernel: String,
    /// Load over the last minute, before the first measurement.
    pub load: String,
    /// Date of the run.
    pub date: String,
    /// Versions of the programs.
    pub programs: Vec<String>,
}

impl Machine {
    /// Looks at this machine now.
    pub fn look() -> Self {
        let count = thread::available_parallelism().map_or(1, usize::from);
        let model = line_of("/proc/cpuinfo", "model name").unwrap_or_default();
        let memory = line_of("/proc/meminfo", "MemTotal").unwrap_or_default();
        let always = [
            format!("respaldo {}", revision().unwrap_or_default()),
            format!("PostgreSQL {}", Install::find(None).version()),
            restic::version().unwrap_or_else(|| "no restic".to_owned()),
            pgbackrest::version().unwrap_or_else(|| "no pgBackRest".to_owned()),
        ];
        let memory_kib: u64 = memory.trim_end_matches(" kB").parse().unwrap_or(0);
        Self {
            processors: format!("{count} x {model}"),
            memory_gib: (memory_kib + (1 << 19)) >> 20,
            kernel: word_of("/proc/sys/kernel/osrelease"),
            load: word_of("/proc/loadavg"),
            date: chrono::Local::now().format("%Y-%m-%d").to_string(),
            programs: always.into_iter().chain(s3_clients::versions()).collect(),
        }
    }
}

/// Revision of the sources that this was built from, as far as git knows.
fn revision() -> Option<String> {
    let out = Command::new("git")
        .args(["describe", "--always", "--dirty"])
        .output()
        .ok()?;
    Some(String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

fn line_of(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn word_of(file: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned()
}
