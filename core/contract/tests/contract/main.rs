//! The edge as other programs meet it: stored files and JSON results.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod manifest_file;
mod records;
mod sample;
