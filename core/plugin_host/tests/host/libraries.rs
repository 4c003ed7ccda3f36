//! Libraries with one thing wrong, and plugins of other versions.

use respaldo_tests::plugins::{RustPlugin, c_broken, shipped};
use serde_json::json;

use super::bench::{Bench, MIB, described, get, put, told};

fn refusal(name: &str) -> String {
    let mut bench = Bench::of(&c_broken(name), json!({}));
    bench.config.limits.load = std::time::Duration::from_secs(4);
    let text = told(&bench.load().unwrap_err());
    assert!(text.contains("plugin malo"), "{name}: {text}");
    text
}

#[test]
fn a_library_that_does_not_fit_is_refused_with_the_reason() {
    for (name, reason) in [
        ("too_old", "must be built anew with a newer SDK"),
        ("too_new", "a newer respaldo is needed"),
        ("bad_magic", "not the entry of a plugin"),
        ("no_entry", "it is no plugin"),
        ("null_entry", "gave nothing"),
        ("undefined_symbol", "undefined symbol"),
        ("ctor_segfault", "SIGSEGV"),
        ("ctor_exit", "ended with code"),
        ("ctor_hang", "no sign of life"),
        ("bad_id", "no plugin id"),
        ("unknown_kind", "of a kind"),
        ("bad_schema", "schema"),
    ] {
        let text = refusal(name);
        assert!(text.contains(reason), "{name}: {text}");
    }
}

#[test]
fn a_file_that_is_no_library_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.so");
    std::fs::write(&text, "not a library at all").unwrap();
    let refused = told(&described(&text).unwrap_err());
    assert!(refused.contains("no library for this machine"), "{refused}");
}

#[test]
fn a_function_that_an_older_plugin_does_not_have_is_an_error_of_that_call() {
    let bench = Bench::of(&c_broken("short_table"), json!({}));
    let sink = bench.sink();
    let fault = get(&sink, "full/uno").unwrap_err();
    let text = told(&fault);
    assert!(text.contains("this plugin has no get"), "{text}");
}

#[test]
fn a_newer_plugin_that_still_knows_our_version_is_used() {
    Bench::of(&c_broken("newer"), json!({})).load().unwrap();
}

#[test]
fn the_first_plugins_that_were_ever_shipped_still_work() {
    for name in [
        "c-folder-api-1.0-x86_64-linux.so",
        "rust-folder-api-1.0-x86_64-linux.so",
    ] {
        let bench = Bench::of(&shipped(name), json!({"dir": ""}));
        let sink = bench.sink();
        put(&sink, "full/uno", 3 * MIB).unwrap();
        assert_eq!(get(&sink, "full/uno").unwrap().len() as u64, 3 * MIB);
    }
}

#[test]
fn two_plugins_with_runtimes_of_their_own_do_not_know_of_each_other() {
    let library = RustPlugin::FolderAsync.library();
    let benches = [(); 2].map(|()| Bench::of(&library, json!({"dir": ""})));
    let sinks = benches.each_ref().map(Bench::sink);
    std::thread::scope(|scope| {
        for sink in &sinks {
            scope.spawn(move || {
                for round in 0..3 {
                    put(sink, &format!("full/{round}"), 5 * MIB).unwrap();
                    let got = get(sink, &format!("full/{round}")).unwrap();
                    assert_eq!(got, super::bench::Bytes::all(5 * MIB));
                }
            });
        }
    });
}
