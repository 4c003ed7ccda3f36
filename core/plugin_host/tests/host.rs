//! Plugins as others make them, and what becomes of those that misbehave.
#![expect(clippy::unwrap_used, reason = "test code")]

#[path = "host/bench.rs"]
mod bench;
#[path = "host/faults.rs"]
mod faults;
#[path = "host/files.rs"]
mod files;
#[path = "host/libraries.rs"]
mod libraries;
#[path = "host/sinks.rs"]
mod sinks;
