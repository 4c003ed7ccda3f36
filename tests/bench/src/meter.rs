//! Measures one piece of work: wall time, CPU of clients and servers, peak memory, and how much of
//! the machine others used meanwhile.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use respaldo_tests::Cluster;

use crate::proc;

/// Often enough for runs of half a second, seldom enough not to be seen in the CPU time.
const LOOK_AT_MEMORY_EVERY: Duration = Duration::from_millis(20);

/// What one run cost.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cost {
    /// Wall time, in seconds.
    pub wall_s: f64,
    /// The same without the part that the work is measured beside, such as detection.
    pub beyond_s: Option<f64>,
    /// CPU seconds of the programs called.
    pub client_s: f64,
    /// CPU seconds of the PostgreSQL servers.
    pub server_s: f64,
    /// Bytes that it stored.
    pub stored_bytes: Option<u64>,
    /// Most memory of all programs called together.
    pub peak_kib: u64,
    /// Share of the processors, 0 to 1, that was used by neither.
    pub others: f64,
}

impl Cost {
    /// CPU seconds of clients and servers together.
    pub fn cpu_s(&self) -> f64 {
        self.client_s + self.server_s
    }

    /// The same with what was stored.
    #[must_use]
    pub fn storing(mut self, bytes: u64) -> Self {
        self.stored_bytes = Some(bytes);
        self
    }

    /// The same with `seconds` of it told apart.
    #[must_use]
    pub fn beside(mut self, seconds: f64) -> Self {
        self.beyond_s = Some((self.wall_s - seconds).max(0.0));
        self
    }
}

/// Why a figure could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed(pub String);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Measures on some servers.
#[derive(Debug)]
pub struct Meter {
    postmasters: Vec<u32>,
}

impl Meter {
    /// A meter that counts what these servers do.
    pub fn on(clusters: &[&Cluster]) -> Self {
        Self {
            postmasters: clusters.iter().map(|cluster| postmaster(cluster)).collect(),
        }
    }

    /// Does `work`, whose programs must all have ended when it returns.
    pub fn measure<T>(
        &self,
        work: impl FnOnce() -> Result<T, Failed>,
    ) -> Result<(Cost, T), Failed> {
        let idle = proc::pids();
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let watcher = scope.spawn(|| peak_kib(&idle, &stop));
            let before = Counters::read(&self.postmasters);
            let done = work();
            let after = Counters::read(&self.postmasters);
            stop.store(true, Ordering::Relaxed);
            let peak_kib = watcher.join().unwrap();
            Ok((after.since(&before, peak_kib), done?))
        })
    }
}

struct Counters {
    at: Instant,
    client: f64,
    server: f64,
    own: f64,
    machine: f64,
}

impl Counters {
    fn read(postmasters: &[u32]) -> Self {
        Self {
            at: Instant::now(),
            client: proc::ended_children_cpu(),
            server: proc::trees_cpu(postmasters),
            own: proc::own_cpu(),
            machine: proc::busy_cpu(),
        }
    }

    fn since(&self, before: &Self, peak_kib: u64) -> Cost {
        let wall_s = (self.at - before.at).as_secs_f64();
        let (client_s, server_s) = (self.client - before.client, self.server - before.server);
        let ours = client_s + server_s + self.own - before.own;
        let processors = thread::available_parallelism().map_or(1, usize::from) as f64;
        let others = (self.machine - before.machine - ours) / (wall_s * processors);
        Cost {
            wall_s,
            client_s,
            server_s,
            peak_kib,
            others: others.clamp(0.0, 1.0),
            ..Cost::default()
        }
    }
}

fn peak_kib(idle: &HashSet<u32>, stop: &AtomicBool) -> u64 {
    let mut peak = 0;
    while !stop.load(Ordering::Relaxed) {
        let working = proc::begun_below(idle);
        peak = peak.max(proc::memory_kib(&working));
        thread::sleep(LOOK_AT_MEMORY_EVERY);
    }
    peak
}

fn postmaster(cluster: &Cluster) -> u32 {
    let file = cluster.data_dir().join("postmaster.pid");
    let text = fs::read_to_string(&file).unwrap();
    text.lines().next().unwrap().trim().parse().unwrap()
}
