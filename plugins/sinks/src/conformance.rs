//! What every sink must do, as checks that run against any sink, a live one too.
//!
//! Each check works below a key prefix of its own and removes what it put.

mod bench;
mod reading;
mod writing;

use std::sync::Arc;

use respaldo_engine::ports::StorageSink;

use bench::{Bench, Verdict};

/// A promise that a sink does not keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The promise.
    pub promise: &'static str,
    /// How it was broken.
    pub why: String,
}

type Check = fn(&Bench) -> Verdict;

const CHECKS: &[(&str, Check)] = &[
    ("what is put is read back", writing::read_back),
    ("a taken key keeps its object", writing::taken_key),
    (
        "a source that breaks leaves nothing",
        writing::broken_source,
    ),
    (
        "a source of another length leaves nothing",
        writing::wrong_length,
    ),
    ("a cancelled put leaves nothing", writing::cancelled),
    (
        "puts at the same time do not disturb each other",
        writing::many_at_once,
    ),
    (
        "one of several puts under one key wins",
        writing::race_for_a_key,
    ),
    ("every legal key can be used", writing::odd_keys),
    ("a sweep leaves objects alone", writing::sweep),
    ("a range gives exactly its bytes", reading::ranges),
    ("what is not there is not found", reading::not_found),
    (
        "the fault of a destination ends a get",
        reading::full_destination,
    ),
    (
        "a list is complete, in the order of keys, and by prefix",
        reading::list,
    ),
    ("deleting is idempotent and exact", reading::delete),
];

/// The promises, in the order in which they are checked.
pub fn promises() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|(promise, _)| *promise)
}

/// Runs every check on sinks that `make` gives; returns the promises not kept.
pub fn run(make: &dyn Fn() -> Arc<dyn StorageSink>) -> Vec<Broken> {
    CHECKS
        .iter()
        .filter_map(|(promise, check)| run_one(promise, *check, make()))
        .collect()
}

fn run_one(promise: &'static str, check: Check, sink: Arc<dyn StorageSink>) -> Option<Broken> {
    let bench = Bench::new(sink);
    let verdict = bench.prepare().and_then(|()| check(&bench));
    let verdict = verdict.and(bench.clean());
    verdict.err().map(|why| Broken {
        promise,
        why: why.0,
    })
}
