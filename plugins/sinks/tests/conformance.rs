//! Every sink of this crate passes the suite.

use std::sync::Arc;

use respaldo_sinks::conformance;
use respaldo_sinks::local::{LocalSink, Options};
use respaldo_sinks::memory::MemorySink;

#[test]
fn the_memory_sink_keeps_every_promise() {
    assert_eq!(
        conformance::run(&|| Arc::new(MemorySink::new("memory"))),
        []
    );
}

#[test]
fn the_local_sink_keeps_every_promise() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        dir: folder.path().join("made/on/demand"),
    };
    assert_eq!(
        conformance::run(&|| Arc::new(LocalSink::new("local", &options))),
        []
    );
    let left = std::fs::read_dir(options.dir.join(".respaldo-staging"))
        .unwrap()
        .count();
    assert_eq!(left, 0, "staging files are left");
}
