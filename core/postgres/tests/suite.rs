//! One binary for this crate's tests on a real server.

#[path = "suite/snapshot.rs"]
mod snapshot;
