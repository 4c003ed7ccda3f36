//! Azure Blob Storage, on Azurite.

use std::sync::Arc;

use respaldo_engine::ports::{Context, FaultKind, StorageSink};
use respaldo_sinks::by_name;
use respaldo_tests::stores::azurite::{ACCOUNT, Azurite, KEY};
use respaldo_tests::stores::tap::Tap;
use serde_json::{Value, json};

use super::stores::{
    Acting, Generated, MB, broken_way, conforms, damaged_way, fault_of, halting_way, key,
    large_object, lost_answer, race_of_large_puts, stopped_put, stopped_while_hanging, words,
};

fn sink_with(port: u16, more: &Value) -> Arc<dyn StorageSink> {
    let mut options = json!({
        "account": ACCOUNT,
        "container": "backups",
        "prefix": "of/bank",
        "access_key": KEY,
        "endpoint": format!("http://127.0.0.1:{port}/{ACCOUNT}"),
    });
    for (name, value) in more.as_object().unwrap() {
        options[name] = value.clone();
    }
    by_name("azure", "cloud", options).unwrap()
}

fn sink(port: u16) -> Arc<dyn StorageSink> {
    sink_with(port, &json!({}))
}

#[test]
fn it_keeps_every_promise() {
    let server = Azurite::start();
    conforms(&|| sink(server.port()));
}

#[test]
fn large_objects_are_whole_and_never_overwritten() {
    let server = Azurite::start();
    large_object(&*sink(server.port()));
    race_of_large_puts(&|| sink(server.port()));
}

#[test]
fn trouble_on_the_way_leaves_nothing_and_a_get_goes_on() {
    let server = Azurite::start();
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
    let mut server = Azurite::start();
    let sink = sink(server.port());
    sink.probe(&Context::quiet()).unwrap();
    let mut source = Acting {
        source: Generated::new(60 * MB, 1),
        at: 30 * MB,
        act: Some(Box::new(|| server.kill())),
    };
    let put = sink.put(&key("full/killed"), &mut source, &Context::quiet());
    fault_of(put, FaultKind::Unavailable);
}

#[test]
fn who_is_not_let_in_is_told_why_and_no_secret_is_told() {
    let server = Azurite::start();
    let other = "bm90IHRoZSBrZXkgYnV0IGFzIGxvbmc=";
    let stale =
        "sv=2023-11-03&ss=b&srt=sco&sp=rwdl&se=2020-01-01T00:00:00Z&sig=bm90LXRoZS1zZWNyZXQ%3D";
    for (more, kind) in [
        (json!({ "access_key": other }), FaultKind::Denied),
        (
            json!({ "access_key": null, "sas_token": stale }),
            FaultKind::Denied,
        ),
        (json!({ "container": "elsewhere" }), FaultKind::Invalid),
    ] {
        let sink = sink_with(server.port(), &more);
        let words = words(&fault_of(sink.probe(&Context::quiet()), kind));
        for secret in [KEY, other, "bm90LXRoZS1zZWNyZXQ"] {
            assert!(!words.contains(secret), "{words}");
        }
        let put = sink.put(&key("x"), &mut Generated::new(1, 1), &Context::quiet());
        fault_of(put, kind);
    }
}
