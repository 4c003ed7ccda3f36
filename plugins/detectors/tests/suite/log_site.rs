//! A site whose log is decoded, and what its backups say.

use respaldo_detectors::DetectorOptions;
use respaldo_domain::changes::Reason;
use respaldo_tests::{Client, Cluster, ClusterBuilder};

use crate::bench::{Backup, Bench, decoding, let_decode};

pub const DB: &str = "registro";

/// The names of all slots.
pub const NAMES: &str = "SELECT coalesce(string_agg(slot_name, ' ' ORDER BY slot_name), '') \
    FROM pg_replication_slots";

/// A server with a database of three tables, and the detector that watches it as a role that is
/// no superuser and has REPLICATION.
pub struct Site {
    pub cluster: Cluster,
    pub bench: Bench,
}

const TABLES: &str = "CREATE TABLE a (n int, v text); INSERT INTO a VALUES (1, 'x');
    CREATE TABLE b (n int, v text); INSERT INTO b VALUES (1, 'x');
    CREATE TABLE c (n int, v text); INSERT INTO c VALUES (1, 'x');";

/// Short waits: where a test waits at all, it waits in vain.
pub fn options() -> DetectorOptions {
    DetectorOptions {
        slot_wait_s: 3.0,
        ..DetectorOptions::default()
    }
}

pub fn site() -> Site {
    site_on(decoding(), &options())
}

pub fn site_on(builder: ClusterBuilder, options: &DetectorOptions) -> Site {
    let cluster = builder.start();
    let url = cluster.owned_database(DB, "dueno");
    let_decode(&cluster);
    cluster.psql_as("dueno", DB, TABLES);
    let bench = Bench::new("logical-slot", options, &url, &cluster.url(DB));
    Site { cluster, bench }
}

impl Site {
    /// As superuser.
    pub fn act(&self, sql: &str) {
        self.cluster.psql(DB, sql);
    }

    /// As the owner of everything.
    pub fn own(&self, sql: &str) {
        self.cluster.psql_as("dueno", DB, sql);
    }

    pub fn client(&self) -> Client {
        Client::connect(&self.cluster.url(DB))
    }

    pub fn slots(&self) -> String {
        self.cluster.psql(DB, NAMES)
    }

    /// Until the question has that answer.
    pub fn wait_for(&self, question: &str, answer: &str) {
        for _ in 0..200 {
            if self.cluster.psql(DB, question) == answer {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("{question} is not {answer}");
    }

    pub fn drop_slot(&self) {
        let all = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots";
        self.cluster.psql(DB, all);
    }
}

/// The reasons of `a`, `b` and `c`.
pub fn reasons(backup: &Backup) -> [Reason; 3] {
    ["a", "b", "c"].map(|name| backup.reason(name))
}

pub fn is_quiet(backup: &Backup) {
    assert_eq!(backup.detection.limited, [""; 0]);
    assert_eq!(backup.detection.alarms, [""; 0]);
    assert_eq!(backup.detection.unexamined, [""; 0]);
}

pub fn says(backup: &Backup, what: &str) {
    let said = &backup.detection.limited;
    assert!(said.iter().any(|text| text.contains(what)), "{said:?}");
}
