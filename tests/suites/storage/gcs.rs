//! Google Cloud Storage, on fake-gcs-server; and on a stricter one of our own where that one does not
//! heed the condition of a session, or makes an object when it is only asked.

use std::sync::Arc;

use respaldo_engine::ports::{Context, FaultKind, StorageSink};
use respaldo_sinks::by_name;
use respaldo_tests::stores::fake_gcs::FakeGcs;
use respaldo_tests::stores::strict_gcs::StrictGcs;
use respaldo_tests::stores::tap::Tap;
use serde_json::json;

use super::stores::{
    Acting, Generated, MB, broken_way, conforms, damaged_way, ensure_equal, fault_of, halting_way,
    key, large_object, lost_answer, race_of_large_puts, stopped_put, stopped_while_hanging, words,
};

fn sink(port: u16) -> Arc<dyn StorageSink> {
    let options = json!({
        "bucket": "backups",
        "prefix": "of/bank",
        "anonymous": true,
        "endpoint": format!("http://127.0.0.1:{port}"),
    });
    by_name("gcs", "cloud", options).unwrap()
}

#[test]
fn it_keeps_every_promise() {
    let server = FakeGcs::start();
    conforms(&|| sink(server.port()));
}

#[test]
fn the_strict_one_sees_every_promise_kept() {
    let server = StrictGcs::start();
    conforms(&|| sink(server.port()));
}

#[test]
fn large_objects_are_whole() {
    let server = FakeGcs::start();
    large_object(&*sink(server.port()));
}

#[test]
fn large_objects_are_never_overwritten() {
    let server = StrictGcs::start();
    large_object(&*sink(server.port()));
    race_of_large_puts(&|| sink(server.port()));
}

#[test]
fn trouble_on_the_way_leaves_nothing_and_a_get_goes_on() {
    let server = StrictGcs::start();
    let tap = Tap::before(server.port());
    let (through, direct) = (sink(tap.port()), sink(server.port()));
    damaged_way(&*through, &*direct, &tap);
    lost_answer(&*through, &*direct, &tap);
    halting_way(&*through, &*direct, &tap);
    stopped_put(&*direct);
    broken_way(&*through, &*direct, &tap);
}

#[test]
fn a_session_goes_on_where_its_connections_break() {
    let server = StrictGcs::start();
    let tap = Tap::before(server.port());
    let (through, direct) = (sink(tap.port()), sink(server.port()));
    let (key, source) = (key("full/resumed"), Generated::new(60 * MB, 1));
    let mut acting = Acting {
        source: source.clone(),
        at: 40 * MB,
        act: Some(Box::new(|| tap.break_those_there_are())),
    };
    through.put(&key, &mut acting, &Context::quiet()).unwrap();
    ensure_equal(&*direct, &key, &source);
}

#[test]
fn a_hanging_server_does_not_keep_a_run_from_stopping() {
    stopped_while_hanging(&sink);
}

#[test]
fn a_killed_server_gives_a_transient_fault() {
    let mut server = FakeGcs::start();
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
    let server = StrictGcs::start();
    let account = json!({
        "client_email": "backup@bank", "private_key_id": "1", "private_key": "the-secret",
        "disable_oauth": true,
    });
    let options = json!({
        "bucket": "backups",
        "service_account": account.to_string(),
        "endpoint": format!("http://127.0.0.1:{}", server.port()),
    });
    let sink = by_name("gcs", "cloud", options).unwrap();
    let words = words(&fault_of(sink.probe(&Context::quiet()), FaultKind::Denied));
    assert!(words.contains("service_account"), "{words}");
    assert!(!words.contains("the-secret"), "{words}");
}

#[test]
fn a_bucket_that_is_not_there_is_told() {
    let server = FakeGcs::start();
    let options = json!({
        "bucket": "elsewhere",
        "anonymous": true,
        "endpoint": format!("http://127.0.0.1:{}", server.port()),
    });
    let sink = by_name("gcs", "cloud", options).unwrap();
    let fault = sink.probe(&Context::quiet()).err().unwrap();
    let told = [FaultKind::Invalid, FaultKind::NotFound].contains(&fault.kind);
    assert!(told, "{}", words(&fault));
}
