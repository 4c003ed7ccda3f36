//! respaldo as a library: the configuration and the wiring of its parts, and the command line that
//! uses both. Other programs load a [`config::Config`] and build an `Operations` façade from it.

pub mod config;
