//! The catalog on real clusters, alone and beside the existing application.
#![expect(
    clippy::unwrap_used,
    reason = "what cannot be set up must fail the test at once"
)]

mod beside;
mod faults;
mod migrating;
mod records;
mod schedule;
mod sealing;
mod support;
