//! How the service fails.

use std::io;
use std::path::{Path, PathBuf};

use respaldo_postgres::{PgError, ToolError};

/// Why something asked of the service was not done.
#[derive(Debug, thiserror::Error)]
pub enum LegacyError {
    /// Another run is at work in the folder.
    #[error("another run is at work in {0}")]
    Busy(PathBuf),
    /// A file or folder cannot be used.
    #[error("{doing}")]
    Folder {
        /// What was being done, to what.
        doing: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The server does not answer, or not as it should.
    #[error("asking the server")]
    Server(#[source] PgError),
    /// The stock tools are missing.
    #[error("looking for the client tools")]
    Tools(#[source] ToolError),
    /// pg_dump failed.
    #[error("dumping the database")]
    Dump(#[source] ToolError),
    /// The external program failed.
    #[error("the external program {program}: {why}")]
    External {
        /// The program.
        program: String,
        /// How it ended.
        why: String,
    },
    /// A file cannot be read from end to end.
    #[error("{} is no whole archive: {why}", .file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file is an archive, and not one of a whole database.
    #[error("{} holds only a part of a database: {why}", .file.display())]
    Partial {
        /// The file.
        file: PathBuf,
        /// What it lacks.
        why: String,
    },
    /// There is no such file.
    #[error("there is no file {0}")]
    UnknownFile(PathBuf),
    /// The target does not exist and was not to be made.
    #[error("database {0:?} does not exist")]
    TargetMissing(String),
    /// The target holds something and was not to be replaced.
    #[error("database {0:?} is not empty")]
    TargetNotEmpty(String),
    /// The role may not do what the restore needs.
    #[error("{0}")]
    Rights(String),
    /// Sessions that stay in the database to be replaced.
    #[error("database {0:?} is in use")]
    InUse(String),
    /// pg_restore failed in the database being built.
    #[error("loading {}", .file.display())]
    Load {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: ToolError,
    },
    /// It was stopped.
    #[error("the run was interrupted")]
    Interrupted,
}

impl LegacyError {
    /// An error of the file system.
    pub(crate) fn io(doing: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let doing = format!("{doing} {}", path.display());
        move |source| Self::Folder { doing, source }
    }

    /// A tool's error, told apart from our own stopping it.
    pub(crate) fn of_tool(error: ToolError, otherwise: impl FnOnce(ToolError) -> Self) -> Self {
        match error {
            ToolError::Stopped { .. } => Self::Interrupted,
            error => otherwise(error),
        }
    }
}
