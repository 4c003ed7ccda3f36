//! respaldo itself, called as a person calls it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use respaldo_tests::{Cluster, Respaldo};
use serde_json::Value;

use crate::meter::{Cost, Failed, Meter};
use crate::tools::{remove, run, stored_bytes};

/// Steps in which a backup finds out what changed, rows and definitions, and waits for the server to know it.
const DETECTION: [&str; 3] = ["backup.baseline", "backup.definitions", "backup.verdicts"];
const DUMP: [&str; 1] = ["backup.dump"];
/// Folder of the repository where none is configured.
const REPOSITORY: &str = "backups_incrementales";
/// What the program says when it begins to compare fingerprints.
const COMPARING: &str = "comparing with the backup";

/// A repository with its settings.
#[derive(Debug)]
pub struct Ours {
    driver: Respaldo,
    catalog: bool,
}

/// What of a backup is told apart.
#[derive(Debug, Clone, Copy)]
pub enum Apart {
    /// Detection and settling.
    Detection,
    /// Dumping.
    Dump,
}

impl Ours {
    /// A repository for a database, with a dumper and its level of compression.
    pub fn new(cluster: &Cluster, db: &str, dumper: &str, level: u32) -> Self {
        let driver = Respaldo::new(cluster, db)
            .config(&format!("[dumper]\nlevel = {level}\n"))
            .env("RESPALDO_DUMPER__USE", dumper)
            .limit(Duration::from_hours(1));
        let catalog = true;
        Self { driver, catalog }
    }

    /// The same without a catalog: several repositories of one database would share it.
    #[must_use]
    pub fn without_catalog(self) -> Self {
        let driver = self.driver.env("RESPALDO_CATALOG__ENABLED", "false");
        let catalog = false;
        Self { driver, catalog }
    }

    /// Makes a `full` or `inc`.
    pub fn backup(&self, meter: &Meter, kind: &str, apart: Apart) -> Result<Cost, Failed> {
        let mut command = self.driver.command(&["backup", kind, "--json"]);
        let (cost, out) = meter.measure(|| run(&mut command))?;
        let made: Value = serde_json::from_slice(&out.stdout)
            .map_err(|e| Failed(format!("respaldo backup: {e}")))?;
        let wanted = if kind == "full" {
            "FULL"
        } else {
            "INCREMENTAL"
        };
        if made["tipo"] != wanted {
            return Err(Failed(format!("it made a {} instead", made["tipo"])));
        }
        let steps = match apart {
            Apart::Detection => &DETECTION[..],
            Apart::Dump => &DUMP[..],
        };
        let bytes = made["tamano_bytes"].as_u64().unwrap_or(0);
        Ok(cost.storing(bytes).beside(seconds_of(&made, steps)))
    }

    /// Restores the newest point into a new database of another server; the comparison with the
    /// recorded fingerprints is told apart.
    pub fn restore(&self, meter: &Meter, server: &str, db: &str) -> Result<Cost, Failed> {
        let args = ["restore", "--at", "latest", "--target-url", server];
        let args = [&args[..], &["--target-db", db, "--create", "--yes"]].concat();
        let (cost, comparing) = meter.measure(|| self.watch(&args, COMPARING))?;
        Ok(cost.beside(comparing.as_secs_f64()))
    }

    /// Writes the newest point as one archive.
    pub fn export(&self, meter: &Meter, to: &Path) -> Result<Cost, Failed> {
        let mut command =
            self.driver
                .command(&["export", "--at", "latest", "--force", "--no-sync"]);
        command.arg("--output").arg(to);
        let (cost, _) = meter.measure(|| run(&mut command))?;
        Ok(cost.storing(stored_bytes(to)))
    }

    /// Removes the newest backup, to make room; without a catalog, everything.
    pub fn forget_newest(&self) {
        if !self.catalog {
            return remove(&self.driver.folder().join(REPOSITORY));
        }
        let list = self.driver.ok(&["list", "--json"]).json();
        let newest = list[0]["nombre"].as_str().unwrap();
        self.driver.ok(&["delete", "--with-dependents", newest]);
    }

    /// Runs to the end, and tells how long the step lasted that is announced by `begins`.
    fn watch(&self, args: &[&str], begins: &str) -> Result<Duration, Failed> {
        let mut command = self.driver.command(args);
        command.args(["--lang", "en"]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let (mut lasted, mut since, mut last) = (Duration::ZERO, None, String::new());
        for line in BufReader::new(child.stderr.take().unwrap()).lines() {
            last = line.unwrap_or_default();
            // Reports of how far the step has come repeat its name.
            if last.starts_with(begins) {
                since.get_or_insert_with(Instant::now);
            } else if let Some(since) = since.take() {
                lasted += since.elapsed();
            }
        }
        match child.wait().unwrap().code() {
            Some(0 | 3) => Ok(lasted),
            code => Err(Failed(format!("respaldo ended with {code:?}: {last}"))),
        }
    }
}

fn seconds_of(made: &Value, steps: &[&str]) -> f64 {
    let all = made["pasos"].as_array().map_or(&[][..], Vec::as_slice);
    all.iter()
        .filter(|step| steps.iter().any(|name| step["paso"] == *name))
        .filter_map(|step| step["segundos"].as_f64())
        .sum()
}
