//! What it costs to hand a stream to a plugin, in this process and in one of its own.

use std::env;
use std::io::{self, Read};
use std::time::Instant;

use respaldo_domain::object::{ObjectKey, Sha256};
use respaldo_engine::ports::{Context, PutSource, StorageSink};
use respaldo_plugin_host::{Isolation, Kind, Limits, Plugin, PluginConfig, PluginSink};
use respaldo_tests::plugins::c_broken;
use serde_json::json;
use sha2::Digest;

use crate::meter::{Cost, Failed};
use crate::options::Options;
use crate::proc::{ended_children_cpu, own_cpu};
use crate::results::{Results, Turn};

/// In the process that calls.
pub const HERE: &str = "plugin, in-process";
/// In a child.
pub const APART: &str = "plugin, process";
/// What a backup does with the same bytes in any case.
pub const HASH: &str = "SHA-256";

const BYTES: u64 = 1 << 30;
/// The system counts processor time in hundredths of a second.
const STREAMS: u64 = 4;
/// Of memory, again and again: reading it costs what reading a file from the cache does.
const PIECE: usize = 16 << 20;

/// Measures streams of 1 GiB into a sink in C that swallows them.
pub fn run(options: &Options, results: &mut Results) {
    let library = c_broken("plain");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plain.so");
    std::fs::copy(library, &path).unwrap();
    let piece = vec![7_u8; PIECE];
    let config = |isolation| PluginConfig {
        name: "plain".to_owned(),
        id: None,
        sha256: Sha256(sha2::Sha256::digest(std::fs::read(&path).unwrap()).into()),
        path: path.clone(),
        isolation,
        options: json!({}),
        env: Vec::new(),
        allow_libraries: Vec::new(),
        limits: Limits::default(),
        program: env::var_os("RESPALDO_BIN").unwrap().into(),
    };
    results.section(
        "boundary",
        format!("{STREAMS} streams of 1 GiB into a plugin"),
        None,
    );
    for round in 0..options.rounds {
        let into = |isolation| {
            let (config, piece) = (config(isolation), &piece);
            move || into_plugin(&config, piece)
        };
        let turns: [Turn<'_>; 3] = [
            (HERE, Box::new(into(Isolation::InProcess))),
            (APART, Box::new(into(Isolation::Process))),
            (HASH, Box::new(|| Ok(hash(&piece)))),
        ];
        results.round(round, &turns);
    }
}

fn into_plugin(config: &PluginConfig, piece: &[u8]) -> Result<Cost, Failed> {
    let failed = |error: &dyn std::error::Error| Failed(error.to_string());
    let plugin = Plugin::load(config, Kind::Sink).map_err(|error| failed(&error))?;
    let sink = PluginSink::new("plain", plugin);
    let before = processor_s();
    let started = Instant::now();
    for _ in 0..STREAMS {
        let key = ObjectKey::parse("full/stream").unwrap();
        let put = sink.put(&key, &mut Again { piece, left: BYTES }, &Context::quiet());
        put.map_err(|fault| failed(&fault))?;
    }
    let wall_s = started.elapsed().as_secs_f64();
    // A child's seconds are known when it has ended.
    drop(sink);
    Ok(cost(wall_s, before))
}

fn hash(piece: &[u8]) -> Cost {
    let before = processor_s();
    let started = Instant::now();
    let mut hash = sha2::Sha256::new();
    for _ in 0..STREAMS * BYTES / PIECE as u64 {
        hash.update(piece);
    }
    std::hint::black_box(hash.finalize());
    cost(started.elapsed().as_secs_f64(), before)
}

fn cost(wall_s: f64, before: f64) -> Cost {
    Cost {
        wall_s,
        client_s: processor_s() - before,
        ..Cost::default()
    }
}

/// Of this process and of all children that have ended.
fn processor_s() -> f64 {
    own_cpu() + ended_children_cpu()
}

struct Again<'a> {
    piece: &'a [u8],
    left: u64,
}

impl Read for Again<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let at = (BYTES - self.left) as usize % PIECE;
        let len = room.len().min(PIECE - at).min(self.left as usize);
        room[..len].copy_from_slice(&self.piece[at..at + len]);
        self.left -= len as u64;
        Ok(len)
    }
}

impl PutSource for Again<'_> {
    fn size_bytes(&self) -> u64 {
        BYTES
    }
}
