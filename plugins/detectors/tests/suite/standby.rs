//! A hot standby as the source, and its promotion (scenarios 49 and 70 of tests/README.md).

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use respaldo_detectors::DetectorOptions;
use respaldo_domain::changes::Reason;
use respaldo_tests::install::{ServerUser, run};
use respaldo_tests::{Client, Cluster};

use crate::bench::{Bench, counters_only};

/// A standby of a cluster; stopped and removed when dropped.
struct Standby {
    user: ServerUser,
    pg_ctl: PathBuf,
    folder: PathBuf,
    port: u16,
}

impl Standby {
    fn of(cluster: &Cluster) -> Self {
        let user = ServerUser::find();
        let folder = std::env::temp_dir().join(format!("rs{}", std::process::id()));
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut copy = user.command(cluster.bin("pg_basebackup"));
        copy.args([
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
            "--no-sync",
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
        ]);
        run(copy
            .arg("-p")
            .arg(cluster.port().to_string())
            .arg("-D")
            .arg(&folder));
        let standby = Self {
            user,
            pg_ctl: cluster.bin("pg_ctl"),
            folder,
            port,
        };
        standby.control(&["start", "-o", &format!("-p {port} -k /tmp")]);
        standby
    }

    fn control(&self, arguments: &[&str]) {
        let mut command = self.user.command(&self.pg_ctl);
        command
            .args(arguments)
            .args(["-w", "-s", "-D"])
            .arg(&self.folder);
        command.arg("-l").arg(self.folder.join("log"));
        let quiet = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        assert!(quiet.status().unwrap().success(), "pg_ctl {arguments:?}");
    }

    fn url(&self) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/espejo", self.port)
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        let mut stop = self.user.command(&self.pg_ctl);
        let _ = stop
            .args(["stop", "-m", "immediate", "-s", "-D"])
            .arg(&self.folder)
            .status();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_standby_is_watched_by_the_fingerprint_and_its_promotion_breaks_the_lineage() {
    let cluster = Cluster::start();
    cluster.new_database("espejo");
    cluster.psql(
        "espejo",
        "CREATE TABLE t (n int); CREATE TABLE u (n int); INSERT INTO u VALUES (1)",
    );
    let standby = Standby::of(&cluster);
    let url = standby.url();
    let replayed = |lsn: &str| {
        let mut client = Client::connect(&url);
        let query = format!("SELECT pg_last_wal_replay_lsn() >= '{lsn}'");
        let patience = Instant::now();
        while client.one(&query) != "t" {
            assert!(
                patience.elapsed() < Duration::from_mins(1),
                "the standby does not follow"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    replayed(&cluster.psql("espejo", "SELECT pg_current_wal_lsn()"));
    let xmin = Bench::new("xmin", &DetectorOptions::default(), &url, &url);
    let layered = Bench::new("pg-stat", &counters_only(), &url, &url);
    let bases = [xmin.full(), layered.full()];
    replayed(&cluster.psql(
        "espejo",
        "INSERT INTO t VALUES (1); SELECT pg_current_wal_lsn()",
    ));
    let next = [xmin.upon(&bases[0]), layered.upon(&bases[1])];
    for backup in &next {
        assert_eq!(backup.reason("t"), Reason::XminDiffers);
        assert_eq!(backup.reason("u"), Reason::XminEqual);
    }
    assert!(next[1].figure("counters").contains("standby"));

    standby.control(&["promote"]);
    let promoted = xmin.upon(&next[0]);
    assert_eq!(promoted.reason("u"), Reason::Lineage);
}
