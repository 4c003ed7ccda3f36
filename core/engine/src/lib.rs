//! The engine: the strategy traits it is built from (`ports`) and the flows that use them, one
//! module per thing a person can ask for. Flows are blocking: a port may be a plugin in another
//! process, and nothing asynchronous crosses that boundary.

pub mod adopt;
pub mod backup;
mod copies;
pub mod diff;
pub mod escape_kit;
pub mod expire;
pub mod export;
pub mod faults;
mod history;
mod intent;
mod lasting;
pub mod leadership;
mod lease;
mod listing;
mod locks;
pub mod operations;
pub mod owed;
mod parts;
pub mod ports;
pub mod preview;
pub mod private;
mod publish;
pub mod readiness;
mod reading;
pub mod rebuild;
pub mod remove;
mod rest;
pub mod restore;
pub mod row_parts;
mod run_folder;
pub mod schedule;
mod selector;
pub mod slots;
pub mod status;
pub mod store;
pub mod supervisor;
pub mod sync;
pub mod validate;
mod writeback;

pub use lease::Lease;
