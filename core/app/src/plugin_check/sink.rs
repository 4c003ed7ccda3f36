//! A sink's promises, each by its calls.

use std::io::Cursor;
use std::sync::Arc;

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, Fault, StorageSink};
use respaldo_plugin_host::{Kind, Plugin, PluginConfig, PluginSink};
use respaldo_sinks::conformance;

use super::{NAME, Promise, Section};
use crate::failure::{Failure, reason_of};

const MIB: u64 = 1 << 20;
/// Growth that is nobody's leak.
const SLACK_BYTES: u64 = 16 * MIB;
const OBJECT_BYTES: usize = 100_000;

/// Runs the suite that every sink passes, and looks what it leaves in memory.
pub(super) fn promises(config: &PluginConfig) -> Result<Vec<Promise>, Failure> {
    let plugin = Plugin::load(config, Kind::Sink)?;
    let sink: Arc<dyn StorageSink> = Arc::new(PluginSink::new(NAME, plugin.clone()));
    let broken = conformance::run(&|| Arc::clone(&sink));
    let of = |text: &str, broken: Option<String>| Promise {
        section: Section::Behaviour,
        text: text.to_owned(),
        broken,
    };
    let kept = conformance::promises().map(|promise| {
        let why = broken.iter().find(|broken| broken.promise == promise);
        of(promise, why.map(|broken| broken.why.clone()))
    });
    let memory = of(
        "two hundred objects later its memory is what it was",
        memory(&*sink, &plugin),
    );
    Ok(kept.chain([memory]).collect())
}

fn memory(sink: &dyn StorageSink, plugin: &Plugin) -> Option<String> {
    let hundred =
        |name: &str| (0..100).try_for_each(|n| there_and_back(sink, &format!("{name}{n}")));
    if let Err(fault) = hundred("before") {
        return Some(reason_of(&fault));
    }
    let before = plugin.resident_bytes();
    if let Err(fault) = hundred("after") {
        return Some(reason_of(&fault));
    }
    let (before, after) = (before?, plugin.resident_bytes()?);
    (after > before + SLACK_BYTES).then(|| {
        let grown = (after - before) / MIB;
        format!("a hundred objects of 100 KB made its process grow by {grown} MiB")
    })
}

fn there_and_back(sink: &dyn StorageSink, name: &str) -> Result<(), Fault> {
    let cx = Context::quiet();
    let key = ObjectKey::parse(format!("conformance/{name}"))
        .map_err(|error| Fault::new(respaldo_engine::ports::FaultKind::Internal, name, error))?;
    sink.put(&key, &mut Cursor::new(vec![7; OBJECT_BYTES]), &cx)?;
    let got = sink.get(&key, None, &mut Vec::new(), &cx);
    sink.delete(&key, &cx)?;
    got
}
