//! How a plugin fails, and what that means to the engine.

use std::fmt;
use std::io;

use respaldo_engine::ports::{Fault, FaultKind};
use respaldo_engine::store::fault_of_io;
use respaldo_sdk::Status;

/// A failure of a plugin, which it names.
#[derive(Debug, thiserror::Error)]
#[error("plugin {plugin}: {doing}")]
pub struct PluginError {
    /// Its name in the configuration, or its path.
    pub plugin: String,
    /// What was being done.
    pub doing: String,
    /// What happened.
    #[source]
    pub kind: PluginErrorKind,
}

/// What happened to a plugin.
#[derive(Debug, thiserror::Error)]
pub enum PluginErrorKind {
    /// The file may not be used.
    #[error("{0}")]
    Refused(String),
    /// The file has another hash than the configuration allows.
    #[error(
        "its SHA-256 is {found}, but the configuration allows {allowed}; if the new file is meant, \
         `respaldo plugin pin PATH` prints the line to put there"
    )]
    WrongHash {
        /// Of the file.
        found: String,
        /// Of the configuration.
        allowed: String,
    },
    /// The library cannot be loaded or does not fit.
    #[error("{0}")]
    Load(String),
    /// The options do not fit its schema.
    #[error("{0}")]
    Options(String),
    /// The call failed, and the plugin said so.
    #[error("{message}")]
    Failed {
        /// In which way.
        status: Status,
        /// In its words.
        message: String,
    },
    /// Its process ended.
    #[error("{0}")]
    Crashed(String),
    /// It gave no sign of life.
    #[error("{0}")]
    Hung(String),
    /// It broke the rules of the boundary.
    #[error("{0}")]
    Broke(String),
    /// It died too often.
    #[error("{0}")]
    Disabled(String),
    /// The call was cancelled from our side.
    #[error("the call was cancelled")]
    Cancelled,
    /// A stream of ours failed.
    #[error("{0}")]
    Stream(#[source] io::Error),
    /// The operating system refused something to us.
    #[error("{0}")]
    System(#[source] io::Error),
}

impl PluginErrorKind {
    /// A failure that the plugin reports.
    pub(crate) fn failed(status: Status, message: impl Into<String>) -> Self {
        Self::Failed {
            status,
            message: message.into(),
        }
    }

    /// Names the plugin and what was being done.
    pub(crate) fn of(self, plugin: impl Into<String>, doing: impl Into<String>) -> PluginError {
        PluginError {
            plugin: plugin.into(),
            doing: doing.into(),
            kind: self,
        }
    }

    /// Whether the process that it ran in is of no use any more.
    pub(crate) fn is_fatal(&self) -> bool {
        matches!(self, Self::Crashed(_) | Self::Hung(_) | Self::Broke(_))
    }

    fn fault_kind(&self) -> FaultKind {
        match self {
            Self::Refused(_) | Self::WrongHash { .. } | Self::Load(_) | Self::Options(_) => {
                FaultKind::Invalid
            }
            Self::Failed { status, .. } => kind_of(*status),
            Self::Cancelled => FaultKind::Cancelled,
            Self::System(_) | Self::Disabled(_) => FaultKind::Unavailable,
            Self::Crashed(_) | Self::Hung(_) | Self::Broke(_) | Self::Stream(_) => {
                FaultKind::Internal
            }
        }
    }
}

fn kind_of(status: Status) -> FaultKind {
    match status {
        Status::NotFound => FaultKind::NotFound,
        Status::Exists => FaultKind::Exists,
        Status::Denied => FaultKind::Denied,
        Status::Unavailable => FaultKind::Unavailable,
        Status::Full => FaultKind::Full,
        Status::Corrupt => FaultKind::Corrupt,
        Status::Invalid | Status::Unsupported => FaultKind::Invalid,
        Status::Cancelled => FaultKind::Cancelled,
        _ => FaultKind::Internal,
    }
}

impl From<PluginError> for Fault {
    fn from(error: PluginError) -> Self {
        let subject = error.to_string();
        match error.kind {
            // Our own stream knows better than the plugin that was cut off.
            PluginErrorKind::Stream(source) => fault_of_io(subject, source),
            kind => Fault::new(kind.fault_kind(), subject, Said(kind.to_string())),
        }
    }
}

/// Words as an error, for a chain of reasons.
#[derive(Debug)]
struct Said(String);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Said {}
