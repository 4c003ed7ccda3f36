//! A sink's promises, each by its calls.

use std::io::{self, Read};
use std::sync::Arc;

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, Fault, PutSource, StorageSink};
use respaldo_engine::store::HashingWriter;
use respaldo_plugin_host::{Kind, Plugin, PluginConfig, PluginSink};
use respaldo_sinks::conformance;

use super::{NAME, Promise, Section};
use crate::failure::Failure;

const MIB: u64 = 1 << 20;
/// Growth that is nobody's leak.
const SLACK_BYTES: u64 = 16 * MIB;

/// Runs the suite that every sink passes, and what only a boundary can break.
pub(super) fn promises(config: &PluginConfig) -> Result<Vec<Promise>, Failure> {
    let plugin = Plugin::load(config, Kind::Sink)?;
    let sink: Arc<dyn StorageSink> = Arc::new(PluginSink::new(NAME, plugin.clone()));
    let broken = conformance::run(&|| Arc::clone(&sink));
    let kept = conformance::promises().map(|promise| Promise {
        section: Section::Behaviour,
        text: promise.to_owned(),
        broken: broken
            .iter()
            .find(|broken| broken.promise == promise)
            .map(|broken| broken.why.clone()),
    });
    let mut promises: Vec<Promise> = kept.collect();
    promises.push(of(
        "streams of 0 bytes to 64 MiB come back as they went",
        [0, 1, 65_535, MIB + 1, 64 * MIB]
            .into_iter()
            .find_map(|size| there_and_back(&*sink, size, "size").err()),
    ));
    promises.push(of(
        "two hundred objects later its memory is what it was",
        memory(&*sink, &plugin),
    ));
    Ok(promises)
}

fn of(promise: &str, broken: Option<String>) -> Promise {
    Promise {
        section: Section::Behaviour,
        text: promise.to_owned(),
        broken,
    }
}

fn memory(sink: &dyn StorageSink, plugin: &Plugin) -> Option<String> {
    let round = |name: &str| {
        (0..100).try_for_each(|number| there_and_back(sink, 100_000, &format!("{name}{number}")))
    };
    if let Err(why) = round("before") {
        return Some(why);
    }
    let before = plugin.resident_bytes();
    if let Err(why) = round("after") {
        return Some(why);
    }
    let (before, after) = (before?, plugin.resident_bytes()?);
    (after > before + SLACK_BYTES).then(|| {
        let grown = (after - before) / MIB;
        format!("a hundred objects of 100 KB made its process grow by {grown} MiB")
    })
}

fn there_and_back(sink: &dyn StorageSink, size_bytes: u64, name: &str) -> Result<(), String> {
    let key = ObjectKey::parse(format!("conformance/{name}-{size_bytes}"))
        .map_err(|error| error.to_string())?;
    let cx = Context::quiet();
    let told = |fault: Fault| format!("{size_bytes} bytes: {}", super::told(&fault));
    let wanted = digest(&mut Pattern::of(size_bytes)).map_err(|error| error.to_string())?;
    sink.put(&key, &mut Pattern::of(size_bytes), &cx)
        .map_err(told)?;
    let mut found = HashingWriter::default();
    let got = sink.get(&key, None, &mut found, &cx);
    sink.delete(&key, &cx).map_err(told)?;
    got.map_err(told)?;
    if found.finish() == (wanted, size_bytes) {
        Ok(())
    } else {
        Err(format!("{size_bytes} bytes came back as others"))
    }
}

fn digest(pattern: &mut Pattern) -> io::Result<respaldo_domain::object::Sha256> {
    let mut hash = HashingWriter::default();
    io::copy(pattern, &mut hash)?;
    Ok(hash.finish().0)
}

/// Bytes that differ from place to place, made as they are read.
struct Pattern {
    size_bytes: u64,
    at: u64,
}

impl Pattern {
    fn of(size_bytes: u64) -> Self {
        Self { size_bytes, at: 0 }
    }
}

impl Read for Pattern {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.size_bytes - self.at).unwrap_or(usize::MAX);
        let len = room.len().min(left);
        for byte in &mut room[..len] {
            *byte = (self.at ^ (self.at >> 8) ^ (self.at >> 16)) as u8;
            self.at += 1;
        }
        Ok(len)
    }
}

impl PutSource for Pattern {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }
}
