//! What to measure, from the environment.

use std::env;
use std::fs;
use std::path::PathBuf;

/// Size of the mixed database, as PostgreSQL stores it.
const MEGABYTES: u64 = 900;
const ROUNDS: usize = 3;

/// What a person asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// Megabytes of heap of the mixed database: `RESPALDO_BENCH_MB`.
    pub megabytes: u64,
    /// How often each thing is measured: `RESPALDO_BENCH_ROUNDS`.
    pub rounds: usize,
    /// Rooms to run, all when empty: `RESPALDO_BENCH_ROOMS=mixed,one,...`.
    pub rooms: Vec<String>,
    /// Folder of the report: `RESPALDO_BENCH_OUT`, else `docs` for a whole run, else one that is
    /// thrown away. A trial never replaces the figures in the documents.
    pub out: PathBuf,
    /// An empty database to fill with the mixed tables, to look closer at something by hand; nothing is measured
    /// then: `RESPALDO_BENCH_FILL=URL`.
    pub fill: Option<String>,
}

impl Options {
    /// Reads the environment.
    pub fn from_environment() -> Self {
        let text = |name: &str| env::var(name).ok().filter(|text| !text.is_empty());
        let number = |name: &str| {
            text(name).map(|text| {
                text.parse::<u64>()
                    .unwrap_or_else(|_| panic!("{name}={text} is no number"))
            })
        };
        let rooms = text("RESPALDO_BENCH_ROOMS");
        let megabytes = number("RESPALDO_BENCH_MB").unwrap_or(MEGABYTES).max(10);
        let rounds = number("RESPALDO_BENCH_ROUNDS").map_or(ROUNDS, |n| n.max(1) as usize);
        let whole = rooms.is_none() && megabytes >= MEGABYTES && rounds >= ROUNDS;
        let usual = if whole { "docs" } else { "target/bench" };
        Self {
            megabytes,
            rounds,
            rooms: rooms
                .map(|names| names.split(',').map(str::to_owned).collect())
                .unwrap_or_default(),
            out: PathBuf::from(text("RESPALDO_BENCH_OUT").unwrap_or_else(|| usual.to_owned())),
            fill: text("RESPALDO_BENCH_FILL"),
        }
    }

    /// Whether a room is to run.
    pub fn wants(&self, room: &str) -> bool {
        self.rooms.is_empty() || self.rooms.iter().any(|name| name == room)
    }

    /// Megabytes of something that has `full` of them beside the full-sized mixed database.
    pub fn scaled(&self, full: u64) -> u64 {
        (full * self.megabytes / MEGABYTES).max(2)
    }

    /// Writes a part of the report.
    pub fn publish(&self, name: &str, text: &str) {
        fs::create_dir_all(&self.out).unwrap();
        fs::write(self.out.join(name), text).unwrap();
        eprintln!("written: {}", self.out.join(name).display());
    }
}
