//! Runs that are killed while they upload, at moments spread over the bytes of an upload: the next
//! start leaves nothing of theirs in the store, and what there was is whole.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use respaldo_engine::ports::Context;
use respaldo_sinks::by_name;
use respaldo_tests::respaldo::wait_until;
use respaldo_tests::stores::azurite::{self, Azurite};
use respaldo_tests::stores::google_drive::GoogleDrive;
use respaldo_tests::stores::rclone::{self, Rclone};
use respaldo_tests::stores::seaweedfs::{self, SeaweedFs};
use respaldo_tests::stores::sshd::Sshd;
use respaldo_tests::stores::strict_gcs::StrictGcs;
use respaldo_tests::stores::tap::Tap;
use serde_json::{Value, json};

use super::vault::Vault;

const LIMIT: Duration = Duration::from_mins(2);

/// Kills a full backup at so many moments. `options`: of the sink at a port; `left`: what of unfinished
/// uploads is in the store.
fn leaves_nothing(
    kind: &str,
    port: u16,
    moments: u64,
    options: impl Fn(u16) -> Value,
    left: impl Fn() -> Vec<String>,
) {
    let tap = Tap::before(port);
    let vault = Vault::open("");
    vault.configure_alone(&Vault::sink_of(kind, &options(tap.port())));
    vault.fill(20);
    vault.scene.backup("full");
    let whole = tap.sent();
    let mut random = Random::seeded();
    let mut killed = 0;
    for moment in 0..moments {
        let at = (whole * moment + random.below(whole)) / moments;
        killed += u32::from(kill_at(&vault, &tap, at));
        vault.scene.wait_for_the_lease();
        let next = vault.scene.respaldo.run(&["backup", "inc", "--json"]);
        assert!(next.is_done(), "after {at} of {whole} bytes: {next:#?}");
        let left = left();
        assert!(left.is_empty(), "after {at} of {whole} bytes: {left:#?}");
        let litter = unsealed(kind, &options(port));
        assert!(
            litter.is_empty(),
            "after {at} of {whole} bytes: {litter:#?}"
        );
    }
    assert!(killed > 0, "every backup had ended");
    let respaldo = &vault.scene.respaldo;
    respaldo.ok(&["validate", "--all", "--level", "chain"]);
    vault.assert_restores("al_final");
}

/// Kills a backup once so many bytes of it went to the server; false where it had ended before.
fn kill_at(vault: &Vault, tap: &Tap, at: u64) -> bool {
    let before = tap.sent();
    let mut running = vault.scene.respaldo.spawn(&["backup", "full"]);
    let came = wait_until_closely(|| tap.sent() >= before + at || running.has_ended());
    assert!(came, "{at} bytes were never sent");
    let had_ended = running.has_ended();
    running.kill();
    !had_ended
}

/// As [`wait_until`], without a pause: an upload on loopback takes a moment.
fn wait_until_closely(mut done: impl FnMut() -> bool) -> bool {
    let end = std::time::Instant::now() + LIMIT;
    while !done() {
        if std::time::Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}

/// Objects of no sealed set.
fn unsealed(kind: &str, options: &Value) -> Vec<String> {
    let sink = by_name(kind, "direct", options.clone()).unwrap();
    let listed = sink.list("", &Context::quiet()).unwrap();
    let keys: Vec<String> = listed.iter().map(|object| object.key.to_string()).collect();
    let sealed = keys.iter().filter_map(|key| {
        let name = key.rsplit('/').next()?.strip_suffix(".manifest.json")?;
        name.split('.').next()
    });
    let sealed: Vec<&str> = sealed.collect();
    let is_litter = |key: &&String| !sealed.iter().any(|name| key.contains(name));
    keys.iter().filter(is_litter).cloned().collect()
}

/// Numbers that follow from a seed, which is printed.
struct Random(u64);

impl Random {
    fn seeded() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let seed = now.as_nanos() as u64;
        eprintln!("seed of the moments: {seed}");
        Self(seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[test]
fn s3_twenty_times() {
    let server = SeaweedFs::start();
    leaves_nothing(
        "s3",
        server.port(),
        20,
        |port| {
            json!({
                "bucket": "backups",
                "prefix": "of/bank",
                "endpoint": format!("http://127.0.0.1:{port}"),
                "access_key_id": seaweedfs::KEY,
                "secret_access_key": seaweedfs::SECRET,
            })
        },
        || {
            let uploads = server.boto(
                "print(' '.join(u['Key'] for u in
    s3.list_multipart_uploads(Bucket='backups').get('Uploads', [])))",
            );
            uploads.split_whitespace().map(str::to_owned).collect()
        },
    );
}

#[test]
fn gcs() {
    let server = StrictGcs::start();
    leaves_nothing(
        "gcs",
        server.port(),
        4,
        |port| {
            json!({
                "bucket": "backups",
                "anonymous": true,
                "endpoint": format!("http://127.0.0.1:{port}"),
            })
        },
        || {
            (0..server.open_sessions())
                .map(|n| format!("session {n}"))
                .collect()
        },
    );
}

#[test]
fn azure_ten_times() {
    let server = Azurite::start();
    leaves_nothing(
        "azure",
        server.port(),
        10,
        |port| {
            json!({
                "account": azurite::ACCOUNT,
                "container": "backups",
                "access_key": azurite::KEY,
                "endpoint": format!("http://127.0.0.1:{port}/{}", azurite::ACCOUNT),
            })
        },
        || server.left(),
    );
}

#[test]
fn google_drive() {
    let server = GoogleDrive::start();
    let folder = server.shared_folder();
    let account = server.account_key();
    leaves_nothing(
        "google-drive",
        server.port(),
        4,
        |port| {
            json!({
                "folder_id": folder,
                "service_account": account,
                "base_url": format!("http://127.0.0.1:{port}"),
                "token_url": server.token_url(),
            })
        },
        || {
            let sessions = (0..server.open_sessions()).map(|n| format!("session {n}"));
            let names = server.names(&folder).into_iter();
            sessions
                .chain(names.filter(|name| name.starts_with(".respaldo")))
                .collect()
        },
    );
}

#[test]
fn sftp() {
    let server = Sshd::start();
    let folder = server.data().join("respaldo");
    fs::create_dir(&folder).unwrap();
    leaves_nothing(
        "sftp",
        server.port(),
        4,
        |port| {
            json!({
                "host": "127.0.0.1",
                "port": port,
                "user": Sshd::user(),
                "dir": folder,
                "private_key_file": server.key_file(),
                "host_key": server.host_key("host"),
            })
        },
        || staged(&folder),
    );
}

#[test]
fn webdav() {
    let server = Rclone::webdav();
    let folder = server.data().join("respaldo");
    fs::create_dir(&folder).unwrap();
    leaves_nothing(
        "webdav",
        server.port(),
        4,
        |port| {
            json!({
                "url": format!("http://127.0.0.1:{port}/"),
                "dir": "respaldo",
                "user": rclone::USER,
                "password": rclone::PASSWORD,
            })
        },
        || {
            // What its writer lost hold of, the server drops in a moment.
            wait_until(Duration::from_secs(5), || staged(&folder).is_empty());
            staged(&folder)
        },
    );
}

fn staged(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join(".respaldo-staging"));
    let names = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name());
    names.map(|name| name.into_string().unwrap()).collect()
}
