//! What goes wrong between the binary and a server: what passes is got over, what lasts is told and
//! leaves nothing, and what was damaged is never taken for a backup.

use std::time::Duration;

use respaldo_engine::ports::{Context, StorageSink};
use respaldo_sinks::by_name;
use respaldo_tests::stores::meddler::{Meddler, Mishap, Rule};
use respaldo_tests::stores::rclone::{self, Rclone};
use respaldo_tests::stores::seaweedfs::{self, SeaweedFs};
use respaldo_tests::{DbImage, Outcome};
use serde_json::{Value, json};

use super::vault::Vault;

const WRITING: &[&str] = &["PUT", "POST", "MOVE"];
const READING: &[&str] = &["GET"];
const XML: &[&str] = &["Content-Type: application/xml"];

/// A bank whose backups go through a proxy to one server.
struct Way {
    vault: Vault,
    meddler: Meddler,
    /// The same place, without the proxy.
    direct: std::sync::Arc<dyn StorageSink>,
}

impl Way {
    /// `options`: of a sink at a port.
    fn to(port: u16, kind: &str, options: impl Fn(u16) -> Value) -> Self {
        let meddler = Meddler::before(port);
        let vault = Vault::open("");
        let sink = Vault::sink_of(kind, &options(meddler.port()));
        vault.configure_alone(&(sink + "tries = 2\n"));
        let direct = by_name(kind, "direct", options(port)).unwrap();
        let way = Self {
            vault,
            meddler,
            direct,
        };
        // More than a part.
        way.vault.fill(20);
        way.vault.scene.backup("full");
        way
    }

    /// Everything that is in the place, by its key.
    fn objects(&self) -> Vec<String> {
        let listed = self.direct.list("", &Context::quiet()).unwrap();
        listed
            .into_iter()
            .map(|object| object.key.to_string())
            .collect()
    }

    fn backs_up(&self, rule: Rule) {
        let what = format!("{rule:?}");
        self.meddler.plan(rule);
        let made = self.vault.scene.respaldo.run(&["backup", "full", "--json"]);
        self.meddler.mend();
        assert_eq!(made.code, Some(0), "{what}: {made:#?}");
    }

    /// Makes no backup, says why with a hint, and leaves everything as it was.
    fn backs_nothing_up(&self, rule: Rule, exit: i32, told: &str) -> u32 {
        let (what, before) = (format!("{rule:?}"), self.objects());
        self.meddler.plan(rule);
        let refused = self.vault.scene.respaldo.run(&["backup", "full", "--json"]);
        let happened = self.meddler.mend();
        assert_eq!(refused.code, Some(exit), "{what}: {refused:#?}");
        refused.error_code();
        assert!(refused.stdout.contains(told), "{what}: {refused:#?}");
        for secret in [seaweedfs::SECRET, rclone::PASSWORD] {
            assert!(!refused.stdout.contains(secret), "{what}: {refused:#?}");
        }
        self.vault.scene.respaldo.ok(&["backup", "inc"]);
        let after = self.objects();
        let lost: Vec<_> = before.iter().filter(|key| !after.contains(key)).collect();
        assert!(lost.is_empty(), "{what}: {lost:?}");
        let fulls = |keys: &[String]| keys.iter().filter(|key| key.contains("full_")).count();
        assert_eq!(fulls(&before), fulls(&after), "{what}: {after:#?}");
        happened
    }

    fn restore(&self, target: &str) -> Outcome {
        let args = [
            "restore",
            "--at",
            "latest",
            "--target-db",
            target,
            "--create",
            "--json",
        ];
        self.vault.scene.respaldo.run(&args)
    }

    fn restores(&self, target: &str, rule: Rule, image: &DbImage) {
        let what = format!("{rule:?}");
        self.meddler.plan(rule);
        let restored = self.restore(target);
        self.meddler.mend();
        assert!(restored.is_done(), "{what}: {restored:#?}");
        respaldo_tests::assert_equal(image, &self.vault.scene.image_of(target));
        self.vault.scene.cluster.drop_database(target);
    }

    fn restores_nothing(&self, rule: Rule, exits: &[i32]) {
        let what = format!("{rule:?}");
        self.meddler.plan(rule);
        let refused = self.restore("nowhere");
        self.meddler.mend();
        let code = refused.code.unwrap();
        assert!(exits.contains(&code), "{what}: {refused:#?}");
        refused.error_code();
        assert!(!self.vault.scene.exists("nowhere"), "{what}");
        assert_eq!(self.vault.scene.scratch_databases(), [""; 0], "{what}");
    }

    /// Without faults the next backup works, all of them are sound, and the newest is equal.
    fn ends_well(&self) {
        let scene = &self.vault.scene;
        scene.day(1);
        scene.backup("full");
        scene.day(2);
        scene.backup("inc");
        scene
            .respaldo
            .ok(&["validate", "--all", "--level", "chain"]);
        self.vault.assert_restores("al_final");
    }
}

fn refused(status: &'static str, headers: &'static [&'static str]) -> Mishap {
    Mishap::Refused(status, headers, "")
}

/// What passes, in the way of objects that are written.
fn passing() -> Vec<Mishap> {
    vec![
        refused("503 Service Unavailable", &[]),
        refused("429 Too Many Requests", &["Retry-After: 1"]),
        refused("500 Internal Server Error", &[]),
        Mishap::CutOff,
        Mishap::AnswerLost,
        Mishap::Delayed(Duration::from_millis(300)),
    ]
}

/// What passes, in the way of objects that are read.
fn passing_reads() -> Vec<Mishap> {
    vec![
        refused("503 Service Unavailable", &["Retry-After: 1"]),
        Mishap::AnswerLost,
        Mishap::AnswerCut,
        Mishap::LengthTooLong,
    ]
}

fn s3(port: u16) -> Value {
    json!({
        "bucket": "backups",
        "prefix": "of/bank",
        "endpoint": format!("http://127.0.0.1:{port}"),
        "access_key_id": seaweedfs::KEY,
        "secret_access_key": seaweedfs::SECRET,
    })
}

fn s3_refusal(code: &str) -> &'static str {
    match code {
        "skewed" => "<Error><Code>RequestTimeTooSkewed</Code><Message>x</Message></Error>",
        "expired" => "<Error><Code>ExpiredToken</Code><Message>x</Message></Error>",
        _ => "<Error><Code>SlowDown</Code><Message>x</Message></Error>",
    }
}

#[test]
fn what_goes_wrong_on_the_way_to_s3_makes_no_half_backup_and_no_wrong_one() {
    let server = SeaweedFs::start();
    let way = Way::to(server.port(), "s3", s3);
    for mishap in passing().into_iter().chain([Mishap::Damaged]) {
        way.backs_up(Rule::once(WRITING, "full_", mishap));
    }
    let lasting = |mishap| Rule::always(WRITING, "full_", mishap);
    let happened = way.backs_nothing_up(
        lasting(Mishap::Refused("503 Slow Down", XML, s3_refusal("busy"))),
        13,
        "overloaded",
    );
    // Five times by the sink, twice by what is around it.
    assert!(happened <= 2 * 5, "{happened} tries");
    let clock = Mishap::Refused("403 Forbidden", XML, s3_refusal("skewed"));
    let happened = way.backs_nothing_up(lasting(clock), 13, "clock of this machine");
    assert_eq!(happened, 1, "it does not help to ask again");
    let expired = Mishap::Refused("403 Forbidden", XML, s3_refusal("expired"));
    way.backs_nothing_up(lasting(expired), 13, "renew the credentials");
    way.backs_nothing_up(lasting(Mishap::CutOff), 13, "");
    way.backs_nothing_up(lasting(Mishap::Damaged), 14, "damaged on the way");
    assert_eq!(unfinished(&server), "0");

    let image = way.vault.scene.image();
    way.vault.scene.backup("full");
    for (number, mishap) in passing_reads().into_iter().enumerate() {
        let target = format!("leida_{number}");
        way.restores(&target, Rule::once(READING, ".backup", mishap), &image);
    }
    for mishap in [Mishap::AnswerDamaged, Mishap::LengthTooShort] {
        way.restores_nothing(Rule::always(READING, ".backup", mishap), &[13, 14]);
    }
    way.ends_well();
}

fn unfinished(server: &SeaweedFs) -> String {
    server.boto("print(len(s3.list_multipart_uploads(Bucket='backups').get('Uploads', [])))")
}

#[test]
fn what_goes_wrong_on_the_way_to_webdav_makes_no_half_backup_and_no_wrong_one() {
    let server = Rclone::webdav();
    std::fs::create_dir(server.data().join("respaldo")).unwrap();
    let way = Way::to(server.port(), "webdav", |port| {
        json!({
            "url": format!("http://127.0.0.1:{port}/"),
            "dir": "respaldo",
            "user": rclone::USER,
            "password": rclone::PASSWORD,
        })
    });
    for mishap in passing() {
        way.backs_up(Rule::once(WRITING, "", mishap));
    }
    let lasting = |mishap| Rule::always(WRITING, "", mishap);
    let happened = way.backs_nothing_up(lasting(refused("503 Service Unavailable", &[])), 13, "");
    assert!(happened <= 20, "{happened} tries");
    way.backs_nothing_up(lasting(refused("401 Unauthorized", &[])), 13, "");
    way.backs_nothing_up(lasting(refused("507 Insufficient Storage", &[])), 13, "");
    way.backs_nothing_up(lasting(Mishap::CutOff), 13, "");

    let image = way.vault.scene.image();
    way.vault.scene.backup("full");
    for (number, mishap) in passing_reads().into_iter().enumerate() {
        let target = format!("leida_{number}");
        way.restores(&target, Rule::once(READING, ".backup", mishap), &image);
    }
    for mishap in [Mishap::AnswerDamaged, Mishap::LengthTooShort] {
        way.restores_nothing(Rule::always(READING, ".backup", mishap), &[13, 14]);
    }
    way.ends_well();
    let staging = server.data().join("respaldo/.respaldo-staging");
    let left = std::fs::read_dir(staging).unwrap().count();
    assert_eq!(left, 0, "half an object is left");
}
