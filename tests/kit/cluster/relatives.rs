//! Clusters made of another one's files: a cold copy, a copy made while it runs, and a standby
//! that follows it.

use std::path::Path;

use super::{Cluster, append_conf, short_temp_folder};
use crate::Client;
use crate::install::run;
use crate::respaldo::wait_until;

/// Longest wait for a standby.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(1);

impl Cluster {
    /// Another cluster with the same files: system identifier, timeline, counters and all. This
    /// one is restarted for it.
    #[must_use]
    pub fn cold_copy(&self) -> Cluster {
        self.copy_with(|_| {})
    }

    /// Another cluster made of a base backup of this one while it runs, as `pg_basebackup` makes one:
    /// the same system identifier and timeline, counters at zero.
    #[must_use]
    pub fn hot_copy(&self) -> Cluster {
        let (start, stop) = if self.major() < 15 {
            (
                "pg_start_backup('copy', true, false)",
                "pg_stop_backup(false, false)",
            )
        } else {
            ("pg_backup_start('copy', true)", "pg_backup_stop(false)")
        };
        // What begins and what ends the copying is one session's business.
        let mut session = Client::connect(&self.url("postgres"));
        session.exec(&format!("SELECT {start}"));
        let folder = short_temp_folder(self.user);
        let data = folder.join("data");
        // Files that come and go meanwhile make cp complain; the log has what they held.
        let mut copy = self.user.command("cp");
        let _ = copy.arg("-a").arg(self.data_dir()).arg(&data).output();
        let label = session.one(&format!("SELECT labelfile FROM {stop}"));
        self.copy_log(&data);
        let file = data.join("backup_label");
        std::fs::write(&file, label).unwrap();
        self.user.own(&file);
        Cluster::around(self.install.clone(), self.user, folder)
    }

    /// Gives a copy of the data folder the write-ahead log up to now, and takes from it what belongs to
    /// the running server.
    fn copy_log(&self, data: &Path) {
        let stale = ["postmaster.pid", "postmaster.opts", "pg_wal"].map(|name| data.join(name));
        run(self.user.command("rm").arg("-rf").args(stale));
        let log = self.data_dir().join("pg_wal");
        run(self.user.command("cp").arg("-a").arg(log).arg(data));
    }

    /// A hot standby that streams from this cluster, which is restarted for it.
    #[must_use]
    pub fn standby(&self) -> Cluster {
        let source = format!("host=127.0.0.1 port={} user=postgres", self.port);
        let standby = self.copy_with(|data| {
            append_conf(data, &[("primary_conninfo".into(), source.clone())]);
            let signal = data.join("standby.signal");
            std::fs::write(&signal, "").unwrap();
            self.user.own(&signal);
        });
        self.wait_for_replay(&standby);
        standby
    }

    /// Waits until `standby` has replayed everything that this cluster has done so far.
    pub fn wait_for_replay(&self, standby: &Cluster) {
        let reached = self.psql("postgres", "SELECT pg_current_wal_insert_lsn()");
        let question = format!("SELECT pg_last_wal_replay_lsn() >= '{reached}'::pg_lsn");
        let caught_up = || standby.try_psql("postgres", &question).as_deref() == Ok("t");
        assert!(
            wait_until(PATIENCE, caught_up),
            "the standby never came to {reached}: {}",
            standby.log()
        );
    }

    /// Makes this standby a primary, on the next timeline.
    pub fn promote(&self) {
        assert_eq!(self.psql("postgres", "SELECT pg_promote(true, 60)"), "t");
        let writable = "SELECT NOT pg_is_in_recovery()";
        let promoted = || self.try_psql("postgres", writable).as_deref() == Ok("t");
        assert!(wait_until(PATIENCE, promoted), "{}", self.log());
    }

    /// A copy of the stopped cluster, changed by `change` before it starts; then both start.
    fn copy_with(&self, change: impl FnOnce(&Path)) -> Cluster {
        self.stop();
        let folder = short_temp_folder(self.user);
        let data = folder.join("data");
        run(self
            .user
            .command("cp")
            .arg("-a")
            .arg(self.data_dir())
            .arg(&data));
        change(&data);
        self.start_again();
        Cluster::around(self.install.clone(), self.user, folder)
    }
}
