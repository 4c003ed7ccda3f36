//! What every table holds under the snapshot of a running backup, by an implementation of the row
//! fingerprint of our own.

use std::collections::BTreeMap;
use std::fs;
use std::hash::Hasher;
use std::path::Path;
use std::time::Duration;

use respaldo_tests::respaldo::wait_until;
use respaldo_tests::{Client, Cluster, Outcome, Respaldo};
use siphasher::sip128::{Hasher128, SipHasher13};

/// The step at which all data has been read and the snapshot is still open.
const STEP: &str = "backup.dumped";

/// Longest time a backup may take to come to the step.
const PATIENCE: Duration = Duration::from_secs(90);

/// Key of the fingerprint `copytext-sip13-128-sum/1`: a constant of the manifest's format.
const KEY: (u64, u64) = (0x7265_7370_616c_646f, 0x6669_6e67_6572_0001);

/// Content of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Object identifier.
    pub oid: String,
    /// Names of the columns, in order.
    pub columns: Vec<String>,
    /// Number of rows and the sum of their hashes.
    pub print: (u64, u128),
}

/// Content of every table of the stage, by qualified name.
pub type Truth = BTreeMap<String, Content>;

/// Makes a backup, and sees the database as its snapshot did. `None` where the server was not there
/// to be asked. `held` runs while the backup is held, after the truth was taken.
pub fn backup(
    cluster: &Cluster,
    driver: &Respaldo,
    kind: &str,
    mut held: impl FnMut(&Truth),
) -> (Outcome, Option<Truth>) {
    let (gate, trace) = (
        driver.folder().join("gate"),
        driver.folder().join("steps.trace"),
    );
    let _ = fs::remove_file(&gate);
    let _ = fs::remove_file(&trace);
    let fault = format!("{STEP}=wait:{}", gate.display());
    let mut running = driver.spawn_with_fault(&fault, &["backup", kind, "--json"]);
    let (mut arrivals, mut truth) = (0, None);
    // DDL may overtake a snapshot after its data was read: then the step is passed again.
    loop {
        wait_until(PATIENCE, || {
            arrived(&trace) > arrivals || running.has_ended()
        });
        if arrived(&trace) == arrivals {
            break;
        }
        arrivals = arrived(&trace);
        truth = take(cluster);
        if let Some(truth) = &truth {
            held(truth);
        }
        let passed = lines(&trace).len();
        fs::write(&gate, "").unwrap();
        wait_until(PATIENCE, || {
            lines(&trace).len() > passed || running.has_ended()
        });
        fs::remove_file(&gate).unwrap();
    }
    (running.wait(PATIENCE), truth)
}

fn lines(trace: &Path) -> Vec<String> {
    let text = fs::read_to_string(trace).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn arrived(trace: &Path) -> usize {
    lines(trace).iter().filter(|line| *line == STEP).count()
}

/// The truth under the one snapshot that is exported now.
fn take(cluster: &Cluster) -> Option<Truth> {
    let mut client = Client::try_connect(&cluster.url("live")).ok()?;
    let exported = client.column("SELECT pg_ls_dir('pg_snapshots')");
    let [id] = exported.as_slice() else {
        assert_eq!(exported.len(), 0, "more than one snapshot: {exported:?}");
        return None;
    };
    client.exec("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    client.exec(&format!("SET TRANSACTION SNAPSHOT '{id}'"));
    let mut truth = of(&mut client);
    // COPY prints the labels of the moment: where one was renamed since, the text is not the truth.
    let mut now = Client::try_connect(&cluster.url("live")).ok()?;
    if client.column(LABELS) != now.column(LABELS) {
        truth.retain(|name, _| !name.starts_with("s.e"));
    }
    Some(truth)
}

const LABELS: &str = "SELECT enumlabel::text FROM pg_enum ORDER BY oid";

/// The content of every table of the stage as the open transaction, or now, sees it.
pub fn of(client: &mut Client) -> Truth {
    let listed = client.rows(
        "SELECT 's.' || c.relname, c.oid::text, string_agg(a.attname::text, ',' ORDER BY a.attnum)
           FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
          WHERE c.relnamespace = 's'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
            AND NOT a.attisdropped AND a.attgenerated = ''
          GROUP BY c.oid, c.relname",
    );
    let mut truth = Truth::new();
    for row in listed {
        let [name, oid, columns] = <[_; 3]>::try_from(row).unwrap().map(Option::unwrap);
        let copied = client.try_copy_out(&format!("COPY {name} ({columns}) TO STDOUT"));
        let print = fingerprint(&copied.unwrap_or_else(|e| panic!("{e} in {name}")));
        let columns = columns.split(',').map(str::to_owned).collect();
        truth.insert(
            name,
            Content {
                oid,
                columns,
                print,
            },
        );
    }
    truth
}

/// Rows, and the sum of the hashes of their COPY texts modulo 2^128.
fn fingerprint(text: &[u8]) -> (u64, u128) {
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    lines.fold((0, 0), |(rows, sum), line| {
        let mut hasher = SipHasher13::new_with_keys(KEY.0, KEY.1);
        hasher.write(line.strip_suffix(b"\n").unwrap_or(line));
        (rows + 1, sum.wrapping_add(hasher.finish128().as_u128()))
    })
}
