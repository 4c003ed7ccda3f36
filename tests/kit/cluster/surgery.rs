//! What years of writing do to a server and no SQL can: transaction ids far ahead.

use std::fs;

use super::Cluster;
use crate::install::run;

/// Transaction ids per file of `pg_xact`, and the bytes of one.
const IDS_PER_SEGMENT: u32 = 1 << 20;
const SEGMENT_BYTES: usize = 1 << 18;

/// The longest way at once: half of the range would turn the past into the future.
const LONGEST_JUMP: u32 = 1_500_000_000;

impl Cluster {
    /// Lets transaction ids go on with `id`, in as many jumps as it takes, all rows frozen before
    /// each. Needs `pg_resetwal`.
    pub fn jump_to_transaction(&self, id: u32) {
        loop {
            self.freeze();
            let now: u64 = self
                .psql("postgres", "SELECT txid_current()")
                .parse()
                .unwrap();
            let left = id.checked_sub(now as u32);
            let left = left.unwrap_or_else(|| panic!("{id} is behind {now}"));
            self.stop();
            self.set_next_transaction(now as u32 + left.min(LONGEST_JUMP));
            self.start_again();
            if left <= LONGEST_JUMP {
                return;
            }
        }
    }

    fn freeze(&self) {
        let open = |yes: bool| {
            let sql = format!("ALTER DATABASE template0 ALLOW_CONNECTIONS {yes}");
            self.psql("postgres", &sql);
        };
        open(true);
        let databases = self.psql("postgres", "SELECT datname FROM pg_database");
        for db in databases.lines() {
            self.psql(db, "VACUUM (FREEZE)");
        }
        open(false);
    }

    /// The server looks up the fate of ids near the next one: the file that holds it must be there.
    fn set_next_transaction(&self, id: u32) {
        let segment = format!("pg_xact/{:04X}", id / IDS_PER_SEGMENT);
        let path = self.data_dir().join(segment);
        if !path.exists() {
            fs::write(&path, vec![0; SEGMENT_BYTES]).unwrap();
            self.user.own(&path);
        }
        let mut reset = self.user.command(self.bin("pg_resetwal"));
        run(reset
            .args(["-x", &id.to_string(), "-D"])
            .arg(self.data_dir()));
    }
}
