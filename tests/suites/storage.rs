//! Several sinks, and storage over networks: each kind of sink against real servers of its kind.
#![expect(clippy::unwrap_used, reason = "test code")]

#[path = "storage/panel.rs"]
mod panel;
#[path = "storage/several.rs"]
mod several;
#[path = "storage/vault.rs"]
mod vault;
