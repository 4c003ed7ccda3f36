//! Plugins that keep objects pass the suite of those that come along, on either side of a process.

use std::path::Path;
use std::sync::Arc;

use respaldo_engine::ports::StorageSink;
use respaldo_plugin_host::Isolation;
use respaldo_sinks::conformance;
use respaldo_tests::plugins::{RustPlugin, c_folder};
use serde_json::json;

use super::bench::Bench;

fn keeps_every_promise(library: &Path, isolation: Isolation) {
    let mut bench = Bench::of(library, json!({"dir": ""}));
    bench.config.isolation = isolation;
    bench.config.limits.stall = std::time::Duration::from_mins(1);
    let sink: Arc<dyn StorageSink> = Arc::new(bench.sink());
    let broken = conformance::run(&|| Arc::clone(&sink));
    assert_eq!(broken, vec![], "{}", library.display());
}

#[test]
fn a_sink_in_c_keeps_every_promise() {
    keeps_every_promise(&c_folder(), Isolation::Process);
    keeps_every_promise(&c_folder(), Isolation::InProcess);
}

#[test]
fn a_sink_in_rust_keeps_every_promise() {
    let library = RustPlugin::Folder.library();
    keeps_every_promise(&library, Isolation::Process);
    keeps_every_promise(&library, Isolation::InProcess);
}

#[test]
fn a_sink_made_of_futures_keeps_every_promise() {
    let library = RustPlugin::FolderAsync.library();
    keeps_every_promise(&library, Isolation::Process);
    keeps_every_promise(&library, Isolation::InProcess);
}
