//! What a plugin does in its own process takes its own call down, and no more.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use respaldo_engine::ports::{Context, FaultKind, Interrupt, Quiet, StorageSink};
use respaldo_tests::plugins::{RustPlugin, c_faulty};
use serde_json::{Value, json};

use super::bench::{Bench, Bytes, MIB, get, key, names, put, put_with, told};

const SIZE: u64 = 16 * MIB;

fn in_c(fault: &str, at: &str) -> Bench {
    let options = json!({"dir": "", "fault": fault, "at": at, "after": 4 * MIB});
    Bench::of(&c_faulty(), options)
}

fn in_rust(fault: &str, at: &str) -> Bench {
    let options = json!({"fault": fault, "at": at, "after": 4 * MIB});
    Bench::of(&RustPlugin::Faulty.library(), options)
}

/// A put that fails so, names the plugin and the reason, leaves nothing, and does not keep the next
/// call from working.
fn fails_alone(bench: &Bench, kind: FaultKind, reason: &str) {
    let sink = bench.sink();
    let fault = put(&sink, "full/uno", SIZE).unwrap_err();
    let text = told(&fault);
    assert_eq!(fault.kind, kind, "{text}");
    assert!(text.contains("plugin malo: put full/uno"), "{text}");
    assert!(text.contains(reason), "{text}");
    assert_eq!(names(&sink).unwrap(), Vec::<String>::new());
}

#[test]
fn a_plugin_that_crashes_is_told_with_the_signal_and_the_next_call_works() {
    for (fault, reason) in [
        ("segfault", "SIGSEGV"),
        ("abort", "SIGABRT"),
        ("stack-overflow", "overflowed its stack"),
        ("exit", "ended with code 3"),
    ] {
        fails_alone(&in_c(fault, "put"), FaultKind::Internal, reason);
    }
}

#[test]
fn a_panic_is_an_error_with_its_place_and_its_process_lives() {
    for fault in ["panic", "panic-in-drop"] {
        fails_alone(&in_rust(fault, "put"), FaultKind::Internal, "panicked at");
    }
}

#[test]
fn a_plugin_that_hangs_is_ended_after_the_time_that_it_has() {
    for fault in ["hang", "spin"] {
        fails_alone(&in_c(fault, "put"), FaultKind::Internal, "no sign of life");
    }
}

#[test]
fn a_plugin_that_hangs_in_any_call_is_ended_and_the_next_call_works() {
    let cx = Context::quiet();
    let uno = key("full/uno");
    for at in ["probe", "get", "head", "list", "remove", "sweep"] {
        let bench = in_c("hang", at);
        let sink = bench.sink();
        put(&sink, "full/uno", SIZE).unwrap();
        let ended = match at {
            "probe" => sink.probe(&cx).map(drop),
            "get" => get(&sink, "full/uno").map(drop),
            "head" => sink.head(&uno, &cx).map(drop),
            "list" => sink.list("", &cx).map(drop),
            "remove" => sink.delete(&uno, &cx),
            _ => sink.sweep(&cx).map(drop),
        };
        let text = told(&ended.unwrap_err());
        assert!(text.contains("plugin malo"), "{at}: {text}");
        assert!(text.contains("no sign of life"), "{at}: {text}");
        put(&sink, "full/dos", 3).unwrap();
    }
}

#[test]
fn a_plugin_that_takes_or_gives_more_than_it_was_lent_is_not_believed() {
    let bench = in_c("lie", "put");
    let sink = bench.sink();
    put(&sink, "full/uno", SIZE).unwrap();
    assert_eq!(get(&sink, "full/uno").unwrap(), Bytes::all(SIZE));
    let bench = in_c("lie", "get");
    let sink = bench.sink();
    put(&sink, "full/uno", SIZE).unwrap();
    let text = told(&get(&sink, "full/uno").unwrap_err());
    assert!(text.contains("plugin malo"), "{text}");
}

#[test]
fn a_plugin_without_what_it_says_to_offer_is_told() {
    let bench = in_c("no-interface", "create");
    let text = told(&put(&bench.sink(), "full/uno", SIZE).unwrap_err());
    assert!(text.contains("does not offer that"), "{text}");
}

#[test]
fn a_plugin_that_closes_what_it_was_given_is_told_and_replaced() {
    fails_alone(
        &in_c("close-fds", "put"),
        FaultKind::Internal,
        "its process",
    );
}

#[test]
fn a_plugin_that_says_done_too_early_is_not_believed() {
    let reason = "said done, but took";
    fails_alone(&in_c("ok-early", "put"), FaultKind::Internal, reason);
    let bench = in_c("ok-early", "get");
    let sink = bench.sink();
    put(&sink, "full/uno", 100).unwrap();
    let mut bytes = Vec::new();
    let got = sink.get(
        &key("full/uno"),
        Some(10..60),
        &mut bytes,
        &Context::quiet(),
    );
    let text = told(&got.unwrap_err());
    assert!(text.contains("gave 0 of 50 bytes"), "{text}");
}

#[test]
fn what_a_plugin_tells_is_checked_before_it_is_believed() {
    for at in ["probe", "list", "head", "sweep"] {
        let bench = in_c("garbage", at);
        let sink = bench.sink();
        put(&sink, "full/uno", 10).unwrap();
        let cx = Context::quiet();
        let fault = match at {
            "probe" => sink.probe(&cx).map(drop),
            "list" => sink.list("", &cx).map(drop),
            "head" => sink.head(&key("full/uno"), &cx).map(drop),
            _ => sink.sweep(&cx).map(drop),
        };
        let text = told(&fault.unwrap_err());
        assert!(text.contains("plugin malo"), "{at}: {text}");
        assert_eq!(get(&sink, "full/uno").unwrap().len(), 10);
    }
}

#[test]
fn what_a_plugin_prints_and_reads_is_harmless() {
    let bench = in_c("stdout", "put");
    let sink = bench.sink();
    put(&sink, "full/uno", SIZE).unwrap();
    assert_eq!(get(&sink, "full/uno").unwrap().len() as u64, SIZE);
}

#[test]
fn a_plugin_takes_no_more_memory_than_it_is_given() {
    let mut bench = in_c("memory", "put");
    bench.config.limits.memory_bytes = Some(1 << 30);
    let sink = bench.sink();
    let text = told(&put(&sink, "full/uno", SIZE).unwrap_err());
    assert!(text.contains("plugin malo"), "{text}");
}

#[test]
fn a_call_that_is_cancelled_stops_whether_the_plugin_looks_or_not() {
    for fault in ["hang", "hang-ignoring-cancel"] {
        let mut bench = in_c(fault, "put");
        bench.config.limits.stall = Duration::from_mins(1);
        let sink = bench.sink();
        let interrupt = Interrupt::default();
        let cx = Context::new(interrupt.clone(), Arc::new(Quiet));
        let put = thread::scope(|scope| {
            let put = scope.spawn(|| put_with(&sink, "full/uno", SIZE, &cx));
            thread::sleep(Duration::from_millis(300));
            interrupt.set();
            put.join().unwrap()
        });
        let fault = put.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Cancelled, "{}", told(&fault));
        assert_eq!(names(&sink).unwrap(), Vec::<String>::new());
    }
}

#[test]
fn a_plugin_that_dies_too_often_is_not_started_again() {
    let bench = in_c("abort", "put");
    let sink = bench.sink();
    for _ in 0..=bench.config.limits.max_restarts {
        let text = told(&put(&sink, "full/uno", SIZE).unwrap_err());
        assert!(text.contains("SIGABRT"), "{text}");
    }
    let text = told(&put(&sink, "full/uno", SIZE).unwrap_err());
    assert!(text.contains("4 times in a row"), "{text}");
}

#[test]
fn a_fault_that_the_plugin_reports_keeps_its_kind_and_its_words() {
    for (fault, kind, words) in [
        ("unavailable", FaultKind::Unavailable, "503 slow down"),
        ("full", FaultKind::Full, "no room"),
        ("no-reason", FaultKind::Unavailable, "without saying why"),
    ] {
        fails_alone(&in_c(fault, "put"), kind, words);
    }
}

#[test]
fn a_plugin_that_cannot_be_made_is_told_at_once() {
    for (library, fault, reason) in [
        (c_faulty(), "segfault", "SIGSEGV"),
        (c_faulty(), "hang", "no sign of life"),
        (RustPlugin::Faulty.library(), "panic", "panicked at"),
    ] {
        let options: Value = match fault {
            "panic" => json!({"fault": fault, "at": "create"}),
            _ => json!({"dir": "", "fault": fault, "at": "create"}),
        };
        let mut bench = Bench::of(&library, options);
        bench.config.limits.load = Duration::from_secs(4);
        let text = told(&bench.load().unwrap_err());
        assert!(text.contains("plugin malo"), "{text}");
        assert!(text.contains(reason), "{text}");
    }
}
