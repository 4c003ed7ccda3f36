//! S3, on SeaweedFS and on moto.

use std::sync::Arc;

use respaldo_engine::ports::{Context, FaultKind, StorageSink};
use respaldo_sinks::by_name;
use respaldo_tests::stores::moto::Moto;
use respaldo_tests::stores::seaweedfs::{KEY, SECRET, SeaweedFs};
use respaldo_tests::stores::tap::Tap;
use serde_json::{Value, json};

use super::stores::{
    Generated, MB, broken_way, conforms, damaged_way, ensure_equal, fault_of, halting_way, key,
    large_object, lost_answer, peak_memory_bytes, race_of_large_puts, stopped_put,
    stopped_while_hanging, words,
};

/// A sink over the server at `port`, with other options than usual.
pub fn sink_with(port: u16, more: &Value) -> Arc<dyn StorageSink> {
    let mut options = json!({
        "bucket": "backups",
        "prefix": "of/bank",
        "endpoint": format!("http://127.0.0.1:{port}"),
        "access_key_id": KEY,
        "secret_access_key": SECRET,
    });
    for (name, value) in more.as_object().unwrap() {
        options[name] = value.clone();
    }
    by_name("s3", "cloud", options).unwrap()
}

pub fn sink(port: u16) -> Arc<dyn StorageSink> {
    sink_with(port, &json!({}))
}

#[test]
fn seaweedfs_keeps_every_promise() {
    let server = SeaweedFs::start();
    conforms(&|| sink(server.port()));
}

#[test]
fn moto_keeps_every_promise() {
    let server = Moto::start();
    conforms(&|| sink_with(server.port(), &json!({ "prefix": "" })));
}

#[test]
fn large_objects_are_whole_and_never_overwritten() {
    let server = SeaweedFs::start();
    large_object(&*sink(server.port()));
    assert_eq!(unfinished(&server), "0");
}

#[test]
fn of_several_large_puts_under_one_key_one_wins() {
    let server = Moto::start_one_at_a_time();
    race_of_large_puts(&|| sink(server.port()));
}

fn unfinished(server: &SeaweedFs) -> String {
    server.boto("print(len(s3.list_multipart_uploads(Bucket='backups').get('Uploads', [])))")
}

#[test]
fn without_checksums_large_objects_are_whole_too() {
    let server = Moto::start();
    let sink = sink_with(server.port(), &json!({ "checksum": "none" }));
    large_object(&*sink);
}

#[test]
fn trouble_on_the_way_leaves_nothing_and_a_get_goes_on() {
    let server = SeaweedFs::start();
    let tap = Tap::before(server.port());
    let (through, direct) = (sink(tap.port()), sink(server.port()));
    damaged_way(&*through, &*direct, &tap);
    lost_answer(&*through, &*direct, &tap);
    halting_way(&*through, &*direct, &tap);
    stopped_put(&*direct);
    broken_way(&*through, &*direct, &tap);
}

#[test]
fn a_hanging_server_does_not_keep_a_run_from_stopping() {
    stopped_while_hanging(&sink);
}

#[test]
fn a_killed_server_gives_a_transient_fault() {
    let mut server = SeaweedFs::start();
    let sink = sink(server.port());
    sink.probe(&Context::quiet()).unwrap();
    let mut source = super::stores::Acting {
        source: Generated::new(60 * MB, 1),
        at: 30 * MB,
        act: Some(Box::new(|| server.kill())),
    };
    let put = sink.put(&key("full/killed"), &mut source, &Context::quiet());
    assert!(fault_of(put, FaultKind::Unavailable).kind.is_transient());
}

#[test]
fn who_is_not_let_in_is_told_why_and_no_secret_is_told() {
    let server = SeaweedFs::start();
    for (more, kind, hint) in [
        (
            json!({ "secret_access_key": "not-the-secret" }),
            FaultKind::Denied,
            "secret_access_key",
        ),
        (
            json!({ "access_key_id": "stranger", "secret_access_key": "not-the-secret" }),
            FaultKind::Denied,
            "access_key_id",
        ),
        (
            json!({ "bucket": "elsewhere" }),
            FaultKind::Invalid,
            "bucket",
        ),
    ] {
        let sink = sink_with(server.port(), &more);
        let fault = fault_of(sink.probe(&Context::quiet()), kind);
        let words = words(&fault);
        assert!(words.contains(hint), "{words}");
        for secret in [SECRET, "not-the-secret"] {
            assert!(!words.contains(secret), "{words}");
        }
        // This server makes a bucket that is put into.
        if kind == FaultKind::Denied {
            let put = sink.put(&key("x"), &mut Generated::new(1, 1), &Context::quiet());
            fault_of(put, kind);
        }
    }
}

#[test]
fn a_listing_passes_over_foreign_names_and_turns_every_page() {
    let server = Moto::start();
    server.boto(
        "for n in range(2100): s3.put_object(Bucket='backups', Key=f'of/bank/many/{n:05}', Body=b'x')
for odd in ['of/bank/a b', 'of/bank//x', 'of/bank/.hidden', 'of/bank/\u{e9}%2Fx', 'of/bankrupt', 'of/bank/d/']:
    s3.put_object(Bucket='backups', Key=odd, Body=b'x')",
    );
    let sink = sink(server.port());
    let listed = sink.list("", &Context::quiet()).unwrap();
    assert_eq!(listed.len(), 2100);
    assert!(listed.is_sorted_by(|a, b| a.key < b.key));
    assert_eq!(sink.list("many/000", &Context::quiet()).unwrap().len(), 100);
}

#[test]
fn a_large_upload_stays_small_in_memory() {
    stays_small(&SeaweedFs::start(), 300 * MB);
}

/// Uploads so much and gets it back, in little memory.
fn stays_small(server: &SeaweedFs, size_bytes: u64) {
    let sink = sink(server.port());
    sink.probe(&Context::quiet()).unwrap();
    let (before, source) = (peak_memory_bytes(), Generated::new(size_bytes, 1));
    let stored = sink.put(&key("full/big"), &mut source.clone(), &Context::quiet());
    stored.unwrap();
    let grown = peak_memory_bytes() - before;
    assert!(grown < 80 * MB, "{grown} bytes");
    ensure_equal(&*sink, &key("full/big"), &source);
}

/// Far more than any object of the usual run: in as many parts as a store takes, and in as little memory.
pub fn six_gigabytes_are_uploaded_in_legal_parts() {
    let server = SeaweedFs::start_large();
    stays_small(&server, 6_000 * MB);
    let tag =
        server.boto("print(s3.head_object(Bucket='backups', Key='of/bank/full/big')['ETag'])");
    // Of an object of several parts it ends with their number.
    let parts: u64 = tag
        .trim_matches('"')
        .rsplit('-')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(parts, (6_000 * MB).div_ceil(16 * 1024 * 1024), "{tag}");
    assert!(parts <= 10_000);
}

#[test]
fn what_is_configured_for_new_objects_reaches_the_store() {
    let server = Moto::start();
    let more = json!({ "sse": "aws:kms", "kms_key": "key-1", "storage_class": "STANDARD_IA" });
    let sink = sink_with(server.port(), &more);
    for (name, size_bytes) in [("full/one", MB), ("full/two", 20 * MB)] {
        let put = sink.put(
            &key(name),
            &mut Generated::new(size_bytes, 1),
            &Context::quiet(),
        );
        put.unwrap();
        let script = "h = s3.head_object(Bucket='backups', Key='of/bank/NAME')
print(h['ServerSideEncryption'], h['SSEKMSKeyId'], h['StorageClass'])";
        let said = server.boto(&script.replace("NAME", name));
        assert_eq!(said, "aws:kms key-1 STANDARD_IA");
    }
}

#[test]
fn an_address_names_the_place_and_no_secret() {
    let location = sink(1).location(&key("full/x"));
    assert_eq!(location, "http://127.0.0.1:1/backups/of/bank/full/x");
}
