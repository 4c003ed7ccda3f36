//! How a call of a plugin fails.

use std::fmt;
use std::io;

use crate::abi;

/// Result of a plugin's call.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a call failed: a status for the host, words for people. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What code branches on.
    pub status: Status,
    /// What was being done, to what, and why it failed.
    pub message: String,
}

/// Kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// The object is not there.
    NotFound,
    /// The key is taken.
    Exists,
    /// Not allowed.
    Denied,
    /// The other side does not answer, or not now: the same call may succeed later.
    Unavailable,
    /// No room.
    Full,
    /// Bytes are not what they must be.
    Corrupt,
    /// The options or the request make no sense to this plugin.
    Invalid,
    /// The call was cancelled.
    Cancelled,
    /// This plugin does not do that.
    Unsupported,
    /// A bug in the plugin.
    Internal,
    /// A panic in the plugin.
    Panic,
    /// The stream of the host failed; the host knows why.
    Stream,
}

impl Status {
    const ALL: [(Self, i32); 12] = [
        (Self::NotFound, abi::STATUS_NOT_FOUND),
        (Self::Exists, abi::STATUS_EXISTS),
        (Self::Denied, abi::STATUS_DENIED),
        (Self::Unavailable, abi::STATUS_UNAVAILABLE),
        (Self::Full, abi::STATUS_FULL),
        (Self::Corrupt, abi::STATUS_CORRUPT),
        (Self::Invalid, abi::STATUS_INVALID),
        (Self::Cancelled, abi::STATUS_CANCELLED),
        (Self::Unsupported, abi::STATUS_UNSUPPORTED),
        (Self::Internal, abi::STATUS_INTERNAL),
        (Self::Panic, abi::STATUS_PANIC),
        (Self::Stream, abi::STATUS_STREAM),
    ];

    /// The number that crosses the boundary.
    pub fn code(self) -> i32 {
        let found = Self::ALL.into_iter().find(|(status, _)| *status == self);
        found.map_or(abi::STATUS_INTERNAL, |(_, code)| code)
    }

    /// The status of a number; an unknown one is a bug of whoever gave it.
    pub fn of_code(code: i32) -> Self {
        let found = Self::ALL.into_iter().find(|(_, known)| *known == code);
        found.map_or(Self::Internal, |(status, _)| status)
    }
}

impl Error {
    /// An error of that status.
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    /// An error of the file system or network, its status taken from the kind.
    pub fn io(doing: impl fmt::Display, error: &io::Error) -> Self {
        Self::new(status_of(error), format!("{doing}: {error}"))
    }
}

fn status_of(error: &io::Error) -> Status {
    use io::ErrorKind as Kind;
    if error
        .get_ref()
        .is_some_and(<dyn std::error::Error + Send + Sync>::is::<StreamFailed>)
    {
        return Status::Stream;
    }
    match error.kind() {
        Kind::NotFound | Kind::NotADirectory | Kind::IsADirectory => Status::NotFound,
        Kind::AlreadyExists => Status::Exists,
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem => Status::Denied,
        Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => Status::Full,
        Kind::UnexpectedEof | Kind::InvalidData => Status::Corrupt,
        Kind::InvalidInput => Status::Invalid,
        _ => Status::Unavailable,
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::new(status_of(&error), error.to_string())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::new(Status::Invalid, error.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// A stream of the host failed; as an [`io::Error`]'s cause it keeps its status on the way out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StreamFailed;

impl StreamFailed {
    /// As an error of a stream.
    pub(crate) fn error() -> io::Error {
        io::Error::other(Self)
    }
}

impl fmt::Display for StreamFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream of the host failed")
    }
}

impl std::error::Error for StreamFailed {}
