//! Retention through the binary: what is kept restores, what goes was told before, and nobody's
//! restore loses what it reads.
#![expect(clippy::unwrap_used, reason = "test code")]

#[path = "retention/automatic.rs"]
mod automatic;
#[path = "retention/faults.rs"]
mod faults;
#[path = "retention/histories.rs"]
mod histories;
#[path = "retention/lease.rs"]
mod lease;
#[path = "retention/policy.rs"]
mod policy;
#[path = "retention/readers.rs"]
mod readers;
#[path = "retention/sinks.rs"]
mod sinks;
