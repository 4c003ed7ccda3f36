//! respaldo as a library: the configuration and the wiring of its parts, and the command line that
//! uses both. Other programs load a [`config::Config`] and build an `Operations` façade from it
//! with [`wiring::operations`].

mod catalogued;
pub mod cli;
pub mod codec;
pub mod config;
mod demo;
mod doctor;
pub mod failure;
pub mod legacy;
mod logging;
mod messages;
pub mod metrics;
pub mod output;
mod panel;
mod plugin_check;
mod plugin_skeleton;
mod records;
mod scheduled;
pub mod serve;
pub mod services;
mod signals;
pub mod wiring;
