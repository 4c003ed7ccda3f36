//! What the operator says of a plugin.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use respaldo_domain::object::Sha256;
use serde_json::Value;

/// A plugin that the operator allows. Its options may hold secrets.
#[derive(Clone, PartialEq)]
pub struct PluginConfig {
    /// Its name in the configuration.
    pub name: String,
    /// The library: absolute.
    pub path: PathBuf,
    /// Which of the library's plugins; needed where it has several.
    pub id: Option<String>,
    /// SHA-256 that the file must have.
    pub sha256: Sha256,
    /// Where it runs.
    pub isolation: Isolation,
    /// Its own options: a JSON object.
    pub options: Value,
    /// Names of environment variables that its process may see.
    pub env: Vec<String>,
    /// Libraries that it may need besides those of the system.
    pub allow_libraries: Vec<String>,
    /// How long and how much.
    pub limits: Limits,
    /// The executable of the child process.
    pub program: PathBuf,
}

impl fmt::Debug for PluginConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginConfig")
            .field("name", &self.name)
            .field("path", &self.path)
            .field("isolation", &self.isolation)
            .finish_non_exhaustive()
    }
}

impl PluginConfig {
    /// The executable that runs now, also after an upgrade has replaced its file.
    pub fn own_program() -> PathBuf {
        PathBuf::from("/proc/self/exe")
    }
}

/// Where a plugin runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// In a child process of its own.
    Process,
    /// In this process, which dies with it.
    InProcess,
}

/// What a plugin is allowed to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Time for loading and making an instance.
    pub load: Duration,
    /// Time without a sign of life while it is the plugin's turn.
    pub stall: Duration,
    /// Time between asking a call to stop and killing the process.
    pub grace: Duration,
    /// Deaths in a row after which it is not started again.
    pub max_restarts: u32,
    /// Address space of its process, in bytes.
    pub memory_bytes: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            load: Duration::from_secs(10),
            stall: Duration::from_mins(1),
            grace: Duration::from_secs(5),
            max_restarts: 5,
            memory_bytes: None,
        }
    }
}
