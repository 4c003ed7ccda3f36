//! How work on the catalog fails, and which fault of the port that is.

use respaldo_domain::backup::ArchiveName;
use respaldo_engine::ports::{Fault, FaultKind};
use respaldo_postgres::{PgError, PgErrorKind};

/// Why a piece of work on the catalog failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CatalogError {
    /// The server refused, or did not answer.
    #[error(transparent)]
    Server(#[from] PgError),
    /// A name is in use by another run.
    #[error("the name {0} is taken by another run")]
    NameTaken(ArchiveName),
    /// A row that the work needs is not there.
    #[error("the catalog knows no backup {0}")]
    Unknown(ArchiveName),
    /// The tables are those of a later version.
    #[error("the catalog was made by a newer respaldo (its migration {0} is unknown here)")]
    Newer(i64),
    /// A migration was changed after it was applied.
    #[error("migration {0} of the catalog is not the one that was applied")]
    Modified(i64),
    /// A stored setting makes no sense.
    #[error("{key} as stored makes no sense at {part}; store it anew")]
    Setting {
        /// Key of the setting.
        key: &'static str,
        /// What of it.
        part: String,
    },
}

impl CatalogError {
    /// The same as a fault; `subject` says what was being done, and where.
    pub(crate) fn into_fault(self, subject: String) -> Fault {
        let kind = match &self {
            Self::Server(error) => kind_of(error),
            Self::NameTaken(_) => FaultKind::Exists,
            Self::Unknown(_) => FaultKind::NotFound,
            Self::Newer(_) | Self::Modified(_) | Self::Setting { .. } => FaultKind::Invalid,
        };
        Fault::new(kind, subject, self)
    }
}

/// A server's refusal as the caller of a catalog has to take it: a standby is like a missing
/// right, and limits of the server or of ours pass.
fn kind_of(error: &PgError) -> FaultKind {
    match (error.kind, error.sqlstate.as_deref()) {
        (_, Some("25006")) => FaultKind::Denied,
        (_, Some("40001" | "40P01")) => FaultKind::Locked,
        (_, Some("53100")) => FaultKind::Full,
        (PgErrorKind::Connection | PgErrorKind::Cancelled | PgErrorKind::ServerFull, _) => {
            FaultKind::Unavailable
        }
        (PgErrorKind::Denied, _) => FaultKind::Denied,
        (PgErrorKind::NotFound, _) => FaultKind::NotFound,
        (PgErrorKind::LockTimeout, _) => FaultKind::Locked,
        (PgErrorKind::Statement, _) => FaultKind::Internal,
    }
}

/// Fails like a column that cannot be read.
pub(crate) fn unreadable(error: sqlx::Error) -> CatalogError {
    CatalogError::Server(PgError::new("reading a row of the catalog", error))
}
