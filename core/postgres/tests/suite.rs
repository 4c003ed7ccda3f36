//! One binary for this crate's tests on a real server.
#![expect(
    clippy::unwrap_used,
    reason = "what cannot be set up must fail the test at once"
)]

#[path = "suite/copy_binary.rs"]
mod copy_binary;
#[path = "suite/copying.rs"]
mod copying;
#[path = "suite/parting.rs"]
mod parting;
#[path = "suite/session.rs"]
mod session;
#[path = "suite/snapshot.rs"]
mod snapshot;
