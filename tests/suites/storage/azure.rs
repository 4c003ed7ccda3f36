//! Azure Blob Storage, on Azurite.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use respaldo_engine::ports::{Context, FaultKind, StorageSink};
use respaldo_sinks::{Wanted, by_name};
use respaldo_tests::respaldo::wait_until;
use respaldo_tests::stores::azurite::{ACCOUNT, Azurite, KEY};
use respaldo_tests::stores::tap::Tap;
use serde_json::{Value, json};

use super::stores::{
    Acting, Generated, MB, TWO_PARTS, broken_way, conforms, damaged_way, ensure_absent,
    ensure_equal, fault_of, halting_way, key, large_object, lost_answer, race_of_large_puts,
    stopped_put, stopped_while_hanging, words,
};

fn options(port: u16) -> Value {
    json!({
        "account": ACCOUNT,
        "container": "backups",
        "prefix": "of/bank",
        "access_key": KEY,
        "endpoint": format!("http://127.0.0.1:{port}/{ACCOUNT}"),
    })
}

fn sink_with(port: u16, more: &Value) -> Arc<dyn StorageSink> {
    let mut options = options(port);
    for (name, value) in more.as_object().unwrap() {
        options[name] = value.clone();
    }
    by_name("azure", "cloud", options).unwrap()
}

/// A sink that notes its uploads in a folder.
fn noting(port: u16, notes: &Path) -> Arc<dyn StorageSink> {
    let wanted = Wanted {
        name: "cloud",
        options: options(port),
        notes: Some(notes),
    };
    respaldo_sinks::make("azure", wanted).unwrap()
}

/// A second copy of the only note, on which nobody works.
fn keep_the_note(folder: &Path) {
    let mut notes = fs::read_dir(folder).unwrap();
    let note = notes.next().unwrap().unwrap().path();
    assert!(notes.next().is_none());
    fs::copy(&note, folder.join("kept")).unwrap();
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
fn what_a_stopped_put_had_on_its_way_is_gone_after_a_sweep_and_blocks_of_others_stay() {
    let server = Azurite::start();
    let notes = tempfile::tempdir().unwrap();
    let sink = noting(server.port(), notes.path());
    server.put_block("of/bank/full/of-another");
    stopped_put(&*sink);
    sweep_to_the_end(&*sink, notes.path());
    assert_eq!(server.left(), ["of/bank/full/of-another"]);
}

#[test]
fn what_a_broken_connection_kept_from_being_ended_is_ended_by_a_later_sweep() {
    let server = Azurite::start();
    let tap = Tap::before(server.port());
    let notes = tempfile::tempdir().unwrap();
    let through = noting(tap.port(), notes.path());
    let mut source = Acting {
        source: Generated::new(10 * TWO_PARTS, 1),
        at: 5 * TWO_PARTS,
        act: Some(Box::new(|| tap.break_off())),
    };
    let put = through.put(&key("full/broken"), &mut source, &Context::quiet());
    fault_of(put, FaultKind::Unavailable);
    assert_eq!(server.left(), ["of/bank/full/broken"]);
    tap.mend();
    sweep_to_the_end(&*through, notes.path());
    assert_eq!(server.left(), [""; 0]);
}

#[test]
fn where_nothing_may_be_deleted_a_put_that_failed_does_not_take_its_key() {
    let server = Azurite::start();
    let more = json!({ "access_key": null, "sas_token": server.sas("rwlc") });
    let sink = sink_with(server.port(), &more);
    let denied = sink.delete(&key("full/stopped"), &Context::quiet());
    fault_of(denied, FaultKind::Denied);
    stopped_put(&*sink);
    let source = Generated::new(TWO_PARTS, 1);
    sink.put(&key("full/stopped"), &mut source.clone(), &Context::quiet())
        .unwrap();
    ensure_equal(&*sink, &key("full/stopped"), &source);
}

/// Sweeps until nothing is noted. As long as a put tries to end its upload itself, it is noted.
fn sweep_to_the_end(sink: &dyn StorageSink, notes: &Path) {
    let swept = || {
        sink.sweep(&Context::quiet()).unwrap();
        fs::read_dir(notes).unwrap().next().is_none()
    };
    assert!(wait_until(Duration::from_mins(1), swept));
}

#[test]
fn an_upload_that_was_noted_and_completed_all_the_same_keeps_its_object() {
    let server = Azurite::start();
    let folder = tempfile::tempdir().unwrap();
    let sink = noting(server.port(), folder.path());
    let (key, source) = (key("full/whole"), Generated::new(TWO_PARTS, 1));
    let mut noticing = Acting {
        source: source.clone(),
        at: TWO_PARTS,
        // As if this process were killed when the object was made: nobody removes the note.
        act: Some(Box::new(|| keep_the_note(folder.path()))),
    };
    sink.put(&key, &mut noticing, &Context::quiet()).unwrap();
    sink.sweep(&Context::quiet()).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    ensure_equal(&*sink, &key, &source);
}

#[test]
fn the_end_of_an_upload_that_a_crash_left_is_no_object_and_gives_way_to_one() {
    let server = Azurite::start();
    let (sink, cx) = (sink(server.port()), Context::quiet());
    for (name, size_bytes) in [("full/small", MB), ("full/large", TWO_PARTS)] {
        let (key, source) = (key(name), Generated::new(size_bytes, 1));
        server.put_block(&format!("of/bank/{name}"));
        server.end_halfway(&format!("of/bank/{name}"));
        assert_eq!(server.left(), [format!("of/bank/{name}")]);
        ensure_absent(&*sink, &key);
        for range in [None, Some(0..1), Some(0..0)] {
            let got = sink.get(&key, range, &mut Vec::new(), &cx);
            fault_of(got, FaultKind::NotFound);
        }
        sink.put(&key, &mut source.clone(), &cx).unwrap();
        ensure_equal(&*sink, &key, &source);
        assert_eq!(server.left(), [""; 0]);
    }
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
