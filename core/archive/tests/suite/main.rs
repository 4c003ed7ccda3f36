//! Suites of the archive reader and writer.
#![expect(
    clippy::unwrap_used,
    reason = "test code: what cannot be set up must fail the test at once"
)]

mod common;
mod damage;
mod golden;
mod stock_tools;
mod writing;
