//! How finding or running a tool fails.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a tool was not found or did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// No installation fits the server.
    #[error(
        "no PostgreSQL client tools of version {wanted} or newer (pg_dump, pg_restore, psql, pg_dumpall): \
         install postgresql-client-{wanted} or name their folder in PG_BIN_PATH; looked at {}",
        List(looked_at)
    )]
    NotFound {
        /// Lowest major version that can read the server.
        wanted: u32,
        /// Folders, and why none fits.
        looked_at: Vec<Looked>,
    },
    /// The operating system did not start it.
    #[error("cannot start {tool}")]
    Start {
        /// Program.
        tool: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It ended without success.
    #[error("{tool} failed ({status}): {said}")]
    Failed {
        /// Program.
        tool: &'static str,
        /// Exit status or signal, for people.
        status: String,
        /// The end of what it said, without secrets.
        said: String,
    },
    /// It was stopped because the run is to stop.
    #[error("{tool} was stopped")]
    Stopped {
        /// Program.
        tool: &'static str,
    },
    /// It took longer than its limit and was stopped.
    #[error("{tool} did not end within {} s", limit.as_secs())]
    TooSlow {
        /// Program.
        tool: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// Its input or output broke.
    #[error("cannot exchange data with {tool}")]
    Exchange {
        /// Program.
        tool: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It printed more than it can have to say.
    #[error("{tool} printed more than {limit_bytes} bytes")]
    TooMuchOutput {
        /// Program.
        tool: &'static str,
        /// The limit.
        limit_bytes: usize,
    },
}

/// A folder that was looked at, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The folder.
    pub folder: PathBuf,
    /// What is wrong with it.
    pub problem: String,
    /// Its tools are whole and older than the server.
    pub is_too_old: bool,
}

impl ToolError {
    /// Whether tools were found, and all that were are older than the server.
    pub fn is_too_old(&self) -> bool {
        match self {
            Self::NotFound { looked_at, .. } => looked_at.iter().any(|looked| looked.is_too_old),
            _ => false,
        }
    }
}

struct List<'a>(&'a [Looked]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no folder that exists");
        }
        for (index, looked) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{} ({})", looked.folder.display(), looked.problem)?;
        }
        Ok(())
    }
}
