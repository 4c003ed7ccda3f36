//! Plugins through the binary: whole chains, bad ones, the commands around them.
#![expect(clippy::unwrap_used, reason = "test code")]

#[path = "plugins/bad.rs"]
mod bad;
#[path = "plugins/chain.rs"]
mod chain;
#[path = "plugins/commands.rs"]
mod commands;
#[path = "plugins/scene.rs"]
mod scene;
