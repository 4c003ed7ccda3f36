//! restic over pg_dump: a plain dump piped into a repository that keeps each chunk once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use respaldo_tests::Cluster;

use crate::meter::{Cost, Failed, Meter};
use crate::tools::{first_line, run, stored_bytes};

const PROGRAM: &str = "restic";

/// A repository of restic.
#[derive(Debug)]
pub struct Restic {
    folder: PathBuf,
}

/// The version installed, if there is one.
pub fn version() -> Option<String> {
    let line = first_line(PROGRAM, "version")?;
    Some(line.split(" compiled").next()?.to_owned())
}

impl Restic {
    /// Makes an empty repository in a new `folder`. Each draws by lot where it cuts what is stored.
    pub fn create(folder: &Path) -> Result<Self, Failed> {
        version().ok_or_else(|| Failed("restic is not installed".to_owned()))?;
        fs::create_dir(folder).unwrap();
        let new = Self {
            folder: folder.to_owned(),
        };
        run(new.command().arg("init"))?;
        Ok(new)
    }

    /// Backs a database up; what it stored is how much the repository grew.
    pub fn backup(&self, meter: &Meter, cluster: &Cluster, url: &str) -> Result<Cost, Failed> {
        let before = stored_bytes(&self.repository());
        let (cost, ()) = meter.measure(|| self.pipe(cluster, url))?;
        Ok(cost.storing(stored_bytes(&self.repository()) - before))
    }

    fn pipe(&self, cluster: &Cluster, url: &str) -> Result<(), Failed> {
        let io = |e| Failed(format!("pg_dump | restic: {e}"));
        let mut dump = cluster.tool("pg_dump");
        dump.args(["-Fp", "-d", url]).stdout(Stdio::piped());
        let mut dump = dump.spawn().map_err(io)?;
        let mut restic = self.command();
        restic.args(["backup", "--quiet", "--stdin", "--stdin-filename", "db.sql"]);
        restic.stdin(Stdio::from(dump.stdout.take().unwrap()));
        let stored = restic.status().map_err(io)?;
        let dumped = dump.wait().map_err(io)?;
        match dumped.success() && stored.success() {
            true => Ok(()),
            false => Err(Failed(format!(
                "pg_dump: {dumped}, restic backup: {stored}"
            ))),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("--repo").arg(self.repository());
        command.env("RESTIC_PASSWORD", "bench");
        command.env("RESTIC_CACHE_DIR", self.folder.join("cache"));
        command
    }

    fn repository(&self) -> PathBuf {
        self.folder.join("repository")
    }
}
