//! How a port fails.

use std::error::Error;
use std::fmt;

use respaldo_postgres::{PgError, PgErrorKind, ToolError};

/// A failure of a port: what kind it is, for code; what it concerned and why, for people.
#[derive(Debug)]
pub struct Fault {
    /// What code branches on.
    pub kind: FaultKind,
    /// What was being done, to what.
    pub subject: String,
    /// Why it failed.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

/// Kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The object or row is not there.
    NotFound,
    /// It is there already and must not be.
    Exists,
    /// Not allowed.
    Denied,
    /// The other side does not answer, or not now.
    Unavailable,
    /// No room.
    Full,
    /// Bytes are not what they must be.
    Corrupt,
    /// The request makes no sense for this implementation.
    Invalid,
    /// A lock could not be had in time.
    Locked,
    /// Another run holds what is needed.
    Busy,
    /// The operator or a signal asked to stop.
    Cancelled,
    /// The snapshot was overtaken by DDL; a new one may succeed.
    SnapshotOvertaken,
    /// The catalog, which alone knows what was asked for, cannot be asked.
    NoCatalog,
    /// What is needed is encrypted, and no key at hand opens it.
    NoKey,
    /// A bug, in us or in a plugin.
    Internal,
}

impl FaultKind {
    /// Whether the same call may succeed later.
    pub fn is_transient(self) -> bool {
        match self {
            Self::Unavailable
            | Self::Locked
            | Self::Busy
            | Self::SnapshotOvertaken
            | Self::NoCatalog => true,
            Self::NotFound
            | Self::Exists
            | Self::Denied
            | Self::Full
            | Self::Corrupt
            | Self::Invalid
            | Self::Cancelled
            | Self::NoKey
            | Self::Internal => false,
        }
    }
}

impl Fault {
    /// A fault with a reason: an error, or words.
    pub fn new(
        kind: FaultKind,
        subject: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            subject: subject.into(),
            source: Some(source.into()),
        }
    }

    /// A fault of which its kind and subject say all.
    pub fn bare(kind: FaultKind, subject: impl Into<String>) -> Self {
        Self {
            kind,
            subject: subject.into(),
            source: None,
        }
    }

    /// A fault of the file system, its kind taken from the error.
    pub fn io(subject: impl Into<String>, error: std::io::Error) -> Self {
        Self::new(kind_of_io(&error), subject, error)
    }
}

fn kind_of_io(error: &std::io::Error) -> FaultKind {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => FaultKind::NotFound,
        ErrorKind::AlreadyExists => FaultKind::Exists,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => FaultKind::Denied,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            FaultKind::Full
        }
        ErrorKind::UnexpectedEof | ErrorKind::InvalidData => FaultKind::Corrupt,
        ErrorKind::InvalidInput => FaultKind::Invalid,
        _ => FaultKind::Unavailable,
    }
}

impl From<PgError> for Fault {
    fn from(error: PgError) -> Self {
        let kind = match error.kind {
            PgErrorKind::Connection => FaultKind::Unavailable,
            PgErrorKind::Denied => FaultKind::Denied,
            PgErrorKind::NotFound => FaultKind::NotFound,
            PgErrorKind::LockTimeout => FaultKind::Locked,
            PgErrorKind::Cancelled => FaultKind::Cancelled,
            PgErrorKind::ServerFull => FaultKind::Full,
            PgErrorKind::Statement => FaultKind::Invalid,
        };
        Self {
            kind,
            subject: error.doing,
            source: Some(error.source),
        }
    }
}

impl From<ToolError> for Fault {
    fn from(error: ToolError) -> Self {
        use std::io::ErrorKind;
        let kind = match &error {
            ToolError::NotFound { .. } => FaultKind::NotFound,
            ToolError::Stopped { .. } => FaultKind::Cancelled,
            ToolError::Start { source, .. } => match source.kind() {
                ErrorKind::ArgumentListTooLong => FaultKind::Invalid,
                ErrorKind::NotFound => FaultKind::NotFound,
                _ => FaultKind::Unavailable,
            },
            ToolError::Failed { .. }
            | ToolError::TooSlow { .. }
            | ToolError::Exchange { .. }
            | ToolError::TooMuchOutput { .. } => FaultKind::Unavailable,
        };
        Self::new(kind, "using the client tools", error)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.subject)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}
