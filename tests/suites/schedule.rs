//! The schedule through the binary: stored as the existing application stores it, and what is due
//! told from what was made.
#![expect(clippy::unwrap_used, reason = "test code")]

#[path = "schedule/missed.rs"]
mod missed;
#[path = "schedule/scene.rs"]
mod scene;
#[path = "schedule/stored.rs"]
mod stored;
#[path = "schedule/zones.rs"]
mod zones;
