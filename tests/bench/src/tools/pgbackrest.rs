//! pgBackRest on the machine of the server: a stanza of its own, WAL archived by the server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use respaldo_tests::Cluster;
use respaldo_tests::install::ServerUser;
use serde_json::Value;

use crate::meter::{Cost, Failed, Meter};
use crate::tools::{first_line, run};

const PROGRAM: &str = "pgbackrest";
const STANZA: &str = "bench";

/// A stanza of pgBackRest.
#[derive(Debug)]
pub struct PgBackRest {
    user: ServerUser,
    config: PathBuf,
}

/// The version installed, if there is one.
pub fn version() -> Option<String> {
    first_line(PROGRAM, "version")
}

impl PgBackRest {
    /// Makes a stanza for a cluster, which must have been started with `archive_mode`. It works as
    /// the server's user, in folders below `folder`.
    pub fn open(cluster: &Cluster, folder: &Path) -> Result<Self, Failed> {
        version().ok_or_else(|| Failed("pgBackRest is not installed".to_owned()))?;
        let user = ServerUser::find();
        let folder = folder.join("pgbackrest");
        fs::create_dir(&folder).unwrap();
        let config = folder.join("pgbackrest.conf");
        fs::write(&config, configuration(cluster, &folder)).unwrap();
        user.own(&folder);
        let new = Self { user, config };
        run(new.command().arg("stanza-create"))?;
        new.archive_wal(cluster);
        Ok(new)
    }

    /// Makes a `full` or `incr` backup. WAL is not counted as stored: the others store none.
    pub fn backup(&self, meter: &Meter, kind: &str) -> Result<Cost, Failed> {
        let mut command = self.command();
        command.arg(format!("--type={kind}")).arg("backup");
        let (cost, _) = meter.measure(|| run(&mut command))?;
        Ok(cost.storing(self.newest_bytes()?))
    }

    fn newest_bytes(&self) -> Result<u64, Failed> {
        let out = run(self.command().args(["--output=json", "info"]))?;
        let info: Value = serde_json::from_slice(&out.stdout)
            .map_err(|e| Failed(format!("pgbackrest info: {e}")))?;
        let backups = info[0]["backup"].as_array();
        backups
            .and_then(|all| all.last()?["info"]["repository"]["delta"].as_u64())
            .ok_or_else(|| Failed("pgbackrest info names no size".to_owned()))
    }

    fn archive_wal(&self, cluster: &Cluster) {
        let push = format!(
            "{PROGRAM} --config={} --stanza={STANZA} archive-push %p",
            self.config.display()
        );
        cluster.psql(
            "postgres",
            &format!("ALTER SYSTEM SET archive_command = '{push}'"),
        );
        cluster.psql("postgres", "SELECT pg_reload_conf()");
    }

    fn command(&self) -> Command {
        let mut command = self.user.command(PROGRAM);
        command
            .arg(format!("--config={}", self.config.display()))
            .arg(format!("--stanza={STANZA}"));
        command
    }
}

fn configuration(cluster: &Cluster, folder: &Path) -> String {
    let folder = folder.display();
    let data = cluster.data_dir();
    let socket = data.parent().unwrap().display();
    format!(
        "[global]
repo1-path={folder}/repo
repo1-retention-full=99
log-path={folder}/log
lock-path={folder}/lock
spool-path={folder}/spool
log-level-file=off
log-level-console=error
compress-type=zst
process-max=2
start-fast=y

[{STANZA}]
pg1-path={}
pg1-port={}
pg1-socket-path={socket}
pg1-user=postgres
",
        data.display(),
        cluster.port()
    )
}
