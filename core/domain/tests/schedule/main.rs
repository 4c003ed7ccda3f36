//! The schedule in simulated time, held against due times found in another way.
#![expect(clippy::unwrap_used, reason = "test code")]

mod changes;
mod meeting;
mod properties;
mod world;
mod years;
