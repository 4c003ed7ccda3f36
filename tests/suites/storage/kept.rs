//! A bucket that locks its objects: what a restore point needs is kept as long as the point itself, and
//! what expires before its lock ends is told.

use chrono::{DateTime, Utc};
use respaldo_tests::stores::meddler::{Meddler, Mishap, Rule};
use respaldo_tests::stores::seaweedfs::{KEY, SECRET, SeaweedFs};
use respaldo_tests::{Outcome, Repository};

use super::vault::Vault;

/// A bank whose backups also go into a bucket with locks, through a proxy.
struct Safe {
    server: SeaweedFs,
    meddler: Meddler,
    vault: Vault,
}

impl Safe {
    fn open() -> Self {
        let server = SeaweedFs::start();
        let meddler = Meddler::before(server.port());
        let vault = Vault::open("");
        Self {
            server,
            meddler,
            vault,
        }
    }

    /// From now on objects are locked for so many days, or not at all.
    fn lock(&self, days: Option<u32>) {
        let lock = days
            .map(|days| format!("object_lock_days = {days}\nobject_lock_mode = \"COMPLIANCE\"\n"));
        self.vault.configure(&format!(
            "[[sink]]\nname = \"fuera\"\nuse = \"s3\"\nbucket = \"locked\"\nrequired = false\n\
             endpoint = \"http://127.0.0.1:{}\"\naccess_key_id = \"{KEY}\"\n\
             secret_access_key = \"{SECRET}\"\n{}",
            self.meddler.port(),
            lock.unwrap_or_default()
        ));
    }

    /// Until when the objects of a set are locked: the shortest of them.
    fn locked(&self, archive: &str) -> DateTime<Utc> {
        let stem = archive.trim_end_matches(".backup");
        let said = self.server.boto(&format!(
            "keys = [o['Key'] for o in s3.list_objects_v2(Bucket='locked')['Contents'] if '{stem}' in o['Key']]
assert len(keys) >= 3, keys
print(min(s3.head_object(Bucket='locked', Key=k)['ObjectLockRetainUntilDate'] for k in keys).isoformat())"
        ));
        said.parse().unwrap()
    }

    fn backup(&self, kind: &str) -> Outcome {
        self.vault.scene.respaldo.run(&["backup", kind, "--json"])
    }

    fn made(&self, kind: &str) -> String {
        self.vault.scene.backup_name(kind)
    }
}

#[test]
fn what_a_restore_point_needs_is_locked_as_long_as_the_point() {
    let safe = Safe::open();
    safe.lock(Some(2));
    let full = safe.made("full");
    let at_first = safe.locked(&full);

    // A longer time: the base gets it with the next backup.
    safe.lock(Some(5));
    safe.vault.scene.day(1);
    let inc = safe.made("inc");
    assert!(safe.locked(&full) >= safe.locked(&inc));
    assert!(safe.locked(&full) > at_first);

    // A shorter one takes nothing away.
    let before = (safe.locked(&full), safe.locked(&inc));
    safe.lock(Some(1));
    safe.vault.scene.day(2);
    safe.made("inc");
    assert_eq!((safe.locked(&full), safe.locked(&inc)), before);

    // One that is refused is told, and made up for.
    safe.lock(Some(9));
    let denied = Mishap::Refused(
        "403 Forbidden",
        &[],
        "<Error><Code>AccessDenied</Code><Message>x</Message></Error>",
    );
    safe.meddler
        .plan(Rule::always(&["PUT"], "retention", denied));
    safe.vault.scene.day(3);
    let told = safe.backup("inc");
    safe.meddler.mend();
    let told = told.expect_code(3).json();
    assert!(
        told.to_string().contains("bloqueo_insuficiente"),
        "{told:#}"
    );
    assert_eq!(safe.locked(&full), before.0);
    let last = told["nombre"].as_str().unwrap();
    safe.vault.scene.respaldo.ok(&["sink", "sync", "fuera"]);
    assert!(safe.locked(&full) >= safe.locked(last));
}

#[test]
fn a_sink_that_is_filled_keeps_what_each_point_needs_as_long_as_the_point() {
    let safe = Safe::open();
    let full = safe.made("full");
    safe.vault.scene.day(1);
    let inc = safe.made("inc");
    safe.lock(Some(3));
    safe.vault.scene.respaldo.ok(&["sink", "sync", "fuera"]);
    assert!(safe.locked(&full) >= safe.locked(&inc));
}

#[test]
fn what_expires_before_its_lock_ends_is_told_and_the_rest_goes() {
    let safe = Safe::open();
    let disk = Repository::at(&safe.vault.folder("backups_incrementales"));
    safe.lock(None);
    let free = safe.made("full");
    safe.lock(Some(3));
    let locked = safe.made("full");
    let kept = [safe.made("full"), safe.made("full")];
    disk.move_in_time(&free, "2020-01-01T00:00:00+00:00");
    disk.move_in_time(&locked, "2020-01-02T00:00:00+00:00");

    let told = safe.vault.scene.respaldo.run(&["expire", "--json"]);
    let told = told.expect_code(3).json();
    let pending = told["pendientes"].to_string();
    assert!(
        pending.contains(&locked) && pending.contains("locked until"),
        "{told:#}"
    );
    assert!(!pending.contains(&free), "{told:#}");
    let there = safe
        .server
        .boto("print(' '.join(o['Key'] for o in s3.list_objects_v2(Bucket='locked')['Contents']))");
    assert!(!there.contains(&free), "{there}");
    for name in kept.iter().chain([&locked]) {
        assert!(
            there.contains(&format!("{name}.manifest.json")),
            "{name}: {there}"
        );
    }
    safe.vault.scene.day(1);
    // The next one says what it cleared up.
    let next = safe.backup("inc");
    assert!(next.is_done(), "{next:#?}");
    safe.vault.assert_restores("al_final");
}
