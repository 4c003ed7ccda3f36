//! pg_dump and pg_restore, and the incremental backup that one would script with them.

use std::path::{Path, PathBuf};

use respaldo_tests::Cluster;

use crate::meter::{Cost, Failed, Meter};
use crate::tools::{remove, run, stored_bytes};

/// Ways to call pg_dump: the name under which it is told, and its options.
pub const DUMPS: [(&str, &[&str]); 3] = [
    ("pg_dump -Fc", &["-Fc"]),
    ("pg_dump -Fd -j2", &["-Fd", "-j2"]),
    ("pg_dump -Fd -j2 -Z1", &["-Fd", "-j2", "-Z1"]),
];

/// Dumps a database to `to`, and measures that.
pub fn dump(
    meter: &Meter,
    cluster: &Cluster,
    url: &str,
    options: &[&str],
    to: &Path,
) -> Result<Cost, Failed> {
    remove(to);
    let mut command = cluster.tool("pg_dump");
    command.args(options).arg("-f").arg(to).args(["-d", url]);
    let (cost, _) = meter.measure(|| run(&mut command))?;
    Ok(cost.storing(stored_bytes(to)))
}

/// Restores an archive into a new database, with so many jobs.
pub fn restore(
    meter: &Meter,
    cluster: &Cluster,
    db: &str,
    jobs: u32,
    archive: &Path,
) -> Result<Cost, Failed> {
    let (cost, ()) = meter.measure(|| {
        let url = cluster.new_database(db);
        load(cluster, &url, jobs, &[], archive)
    })?;
    Ok(cost)
}

/// A full archive, and one per day of the tables changed since: what a script of pg_dump makes.
#[derive(Debug)]
pub struct Naive {
    /// Tables in each of the daily archives.
    pub tables: Vec<String>,
    /// The full one.
    pub full: PathBuf,
    /// The daily ones, in order.
    pub days: Vec<PathBuf>,
}

impl Naive {
    /// Dumps the changed tables of a day, to the last of the daily archives.
    pub fn day(&self, meter: &Meter, cluster: &Cluster, url: &str) -> Result<Cost, Failed> {
        let chosen: Vec<&str> = self
            .tables
            .iter()
            .flat_map(|table| ["-t", table.as_str()])
            .collect();
        let options: Vec<&str> = ["-Fc"].into_iter().chain(chosen).collect();
        dump(meter, cluster, url, &options, self.days.last().unwrap())
    }

    /// Restores the full one into a new database, then empties and loads the changed tables once
    /// per day.
    pub fn replay(&self, meter: &Meter, cluster: &Cluster, db: &str) -> Result<Cost, Failed> {
        let truncate = format!("TRUNCATE {}", self.tables.join(", "));
        let (cost, ()) = meter.measure(|| {
            let url = &cluster.new_database(db);
            load(cluster, url, 2, &[], &self.full)?;
            for day in &self.days {
                let mut psql = cluster.tool("psql");
                run(psql.args(["-X", "-q", "-c", &truncate, "-d", url]))?;
                load(cluster, url, 2, &["--data-only"], day)?;
            }
            Ok(())
        })?;
        Ok(cost)
    }
}

fn load(
    cluster: &Cluster,
    url: &str,
    jobs: u32,
    options: &[&str],
    archive: &Path,
) -> Result<(), Failed> {
    let mut command = cluster.tool("pg_restore");
    command
        .arg(format!("-j{jobs}"))
        .arg("--exit-on-error")
        .args(options);
    run(command.args(["-d", url]).arg(archive)).map(drop)
}
