//! The kit's own tests: what the other suites stand on.
#![expect(clippy::unwrap_used, reason = "test code")]

#[path = "kit/basics.rs"]
mod basics;
#[path = "kit/driver.rs"]
mod driver;
#[path = "kit/fixtures.rs"]
mod fixtures;
#[path = "kit/mutator.rs"]
mod mutator;
#[path = "kit/oracle.rs"]
mod oracle;
#[path = "kit/plugins.rs"]
mod plugins;
