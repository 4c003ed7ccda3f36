//! The detectors on real servers. Whatever a test is about, every backup it makes is held against
//! the truth: the COPY text under its snapshot.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what cannot be set up must fail the test"
)]

#[path = "suite/bench.rs"]
mod bench;
#[path = "suite/commit_wait.rs"]
mod commit_wait;
#[path = "suite/history.rs"]
mod history;
#[path = "suite/large_objects.rs"]
mod large_objects;
#[path = "suite/log_site.rs"]
mod log_site;
#[path = "suite/logical_slot.rs"]
mod logical_slot;
#[path = "suite/rights.rs"]
mod rights;
#[path = "suite/scenarios.rs"]
mod scenarios;
#[path = "suite/slot_life.rs"]
mod slot_life;
#[path = "suite/standby.rs"]
mod standby;
#[path = "suite/stress.rs"]
mod stress;
#[path = "suite/timing.rs"]
mod timing;
