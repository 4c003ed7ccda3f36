//! Dynamic plugins: libraries of third parties behind the engine's traits.
//!
//! A library is used only if its configuration names its SHA-256, and the bytes that were hashed are
//! the bytes that are loaded (`file`). A call goes to a `Service`: the library in this process
//! (`in_process`), or the same library in a child process (`isolated`), which is the default, because
//! whatever a plugin does there takes at most its own call down. On top lie four `adapters`, one per
//! trait of the engine, which believe nothing: what a plugin claims is checked.
//!
//! Linux only: sealed memory files carry the library and the streams.

mod adapters;
mod config;
mod elf;
mod error;
mod file;
mod in_process;
mod isolated;
mod library;
mod options;
mod plugin;
mod request;
mod service;

pub use adapters::{PluginDetector, PluginDump, PluginSink, PluginValidator, VALIDATORS_LEVEL};
pub use config::{Isolation, Limits, PluginConfig};
pub use error::{PluginError, PluginErrorKind};
pub use isolated::child_main;
pub use library::{Description, Kind, version as interface_version};
pub use plugin::{Examined, Plugin, examine, identify};
pub use respaldo_sdk::abi::ENTRY_SYMBOL;

/// First argument by which the executable is told to be the child of a plugin.
pub const CHILD_ARGUMENT: &str = "plugin-host";
