//! What is measured, one kind of work per room.

pub mod boundary;
mod many;
mod mixed;
mod one;
mod pgbench;
pub mod upload;
pub mod viewers;

use std::time::{Duration, Instant};

use respaldo_tests::{Client, Cluster, ClusterBuilder};

use crate::options::Options;
use crate::results::Results;

/// Name under which the dumper with its usual settings is told.
pub const OURS: &str = "respaldo";
/// The same at zlib's usual level.
pub const OURS_AT_6: &str = "respaldo, level 6";
/// The stock tool as dumper, with our compressor behind it.
pub const OURS_STOCK: &str = "respaldo, dumper pg-dump";
/// zlib level that is the default of respaldo.
pub const USUAL_LEVEL: u32 = 2;

const LONGEST_QUIETING: Duration = Duration::from_mins(2);

/// Runs the rooms that were asked for.
pub fn run(options: &Options, results: &mut Results) {
    if options.wants("mixed") {
        mixed::run(options, results);
    }
    if options.wants("one") {
        one::run(options, results);
    }
    if options.wants("pgbench") {
        pgbench::run(options, results);
    }
    if options.wants("boundary") {
        boundary::run(options, results);
    }
    if options.wants("upload") {
        upload::run(options, results);
    }
    if options.wants("viewers") {
        viewers::run(options, results);
    }
    for (room, tables) in [("many-1000", 1_000), ("many-10000", 10_000)] {
        if options.wants(room) {
            many::run(room, tables, options, results);
        }
    }
}

/// Servers as they come, but for fsync: the disk is not what is compared.
fn server() -> ClusterBuilder {
    Cluster::builder().conf("shared_buffers", "128MB")
}

/// Waits until neither the server nor the system has anything left to write of what went before: no tool pays for
/// the one whose turn it was.
fn quiet(cluster: &Cluster) {
    Client::connect(&cluster.url("postgres")).exec("CHECKPOINT");
    let archiving = cluster.data_dir().join("pg_wal/archive_status");
    let waiting = || {
        let files = std::fs::read_dir(&archiving)
            .into_iter()
            .flatten()
            .flatten();
        let mut names = files.map(|file| file.file_name());
        names.any(|name| name.to_string_lossy().ends_with(".ready"))
    };
    let end = Instant::now() + LONGEST_QUIETING;
    while waiting() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(50));
    }
    rustix::fs::sync();
}
