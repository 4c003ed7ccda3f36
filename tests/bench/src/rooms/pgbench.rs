//! pgbench's database: numbers and padding, which compress 35 : 1 and hide what compressing costs.
//! Its own workload writes to every table, the worst case of incrementals by table.

use respaldo_tests::Cluster;

use crate::meter::Meter;
use crate::options::Options;
use crate::results::Results;
use crate::rooms::{OURS, USUAL_LEVEL, quiet, server};
use crate::tools::postgres::{self, DUMPS};
use crate::tools::respaldo::{Apart, Ours};
use crate::tools::run as run_tool;

const MEGABYTES: u64 = 300;
/// Heap and index of one unit of pgbench's scale.
const MEGABYTES_PER_SCALE: u64 = 15;
const DB: &str = "pgbench";
const COPY: &str = "restored";

/// Measures full dumps, an incremental after pgbench's own workload, and restores.
pub fn run(options: &Options, results: &mut Results) {
    let (source, target) = (server().start(), server().start());
    let url = source.new_database(DB);
    let scale = (options.scaled(MEGABYTES) / MEGABYTES_PER_SCALE).max(1);
    pgbench(&source, &["-i", "-q", "-s", &scale.to_string()], &url);
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("dump");
    let meter = Meter::on(&[&source, &target]);
    let ours = Ours::new(&source, DB, "parallel", USUAL_LEVEL);

    let title = format!("Full dump of pgbench's database at scale {scale}");
    results.section("pgbench-full", title, Some("around the dump"));
    for _ in 0..options.rounds {
        for (tool, flags) in DUMPS {
            quiet(&source);
            let to = folder.path().join(tool.replace(' ', ""));
            results.record(tool, postgres::dump(&meter, &source, &url, flags, &to));
        }
        quiet(&source);
        results.record(OURS, ours.backup(&meter, "full", Apart::Dump));
    }

    let title = "Incremental after 2,000 transactions of pgbench, which write to every table";
    results.section("pgbench-day", title.to_owned(), Some("beyond detection"));
    for _ in 0..options.rounds {
        pgbench(&source, &["-c2", "-t1000"], &url);
        quiet(&source);
        let full = postgres::dump(&meter, &source, &url, &["-Fc"], &archive);
        results.record("pg_dump -Fc", full);
        results.record(OURS, ours.backup(&meter, "inc", Apart::Detection));
    }

    let title = "Restore of that database".to_owned();
    results.section("pgbench-restore", title, Some("without comparing"));
    for _ in 0..options.rounds {
        for (tool, jobs) in [("pg_restore", 1), ("pg_restore -j2", 2)] {
            quiet(&target);
            results.record(
                tool,
                postgres::restore(&meter, &target, COPY, jobs, &archive),
            );
            target.drop_database(COPY);
        }
        quiet(&target);
        results.record(OURS, ours.restore(&meter, &target.url("postgres"), COPY));
        target.drop_database(COPY);
    }
}

fn pgbench(cluster: &Cluster, args: &[&str], url: &str) {
    run_tool(cluster.tool("pgbench").args(args).arg(url)).unwrap_or_else(|e| panic!("{e}"));
}
