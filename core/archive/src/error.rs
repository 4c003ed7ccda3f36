//! What can be wrong with an archive, for readers and writers alike.

use std::io;

use crate::header::Version;

/// Why an archive cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The bytes do not begin as a custom-format archive does.
    #[error("not a pg_dump custom-format archive: {0}")]
    NotAnArchive(&'static str),
    /// A header version whose layout is not known; guessing would lose data silently.
    #[error("archive version {0} is not supported (1.14 to 1.16 are)")]
    UnsupportedVersion(Version),
    /// A compression algorithm which is not known.
    #[error("compression algorithm {0} is not known")]
    UnknownCompression(i32),
    /// The archive ends before it should.
    #[error("archive ends early at byte {at}, while reading {reading}")]
    Truncated {
        /// Bytes read up to there.
        at: u64,
        /// What was expected.
        reading: &'static str,
    },
    /// The bytes contradict the format.
    #[error("archive is damaged at byte {at}: {problem}")]
    Damaged {
        /// Bytes read up to there.
        at: u64,
        /// What does not fit.
        problem: &'static str,
    },
    /// The compressed text of a block does not decode.
    #[error("compressed data is damaged: {0}")]
    DamagedData(&'static str),
    /// The table of contents promises blocks that never came.
    #[error("{count} data blocks are missing, the first is of entry {first}")]
    MissingBlocks {
        /// How many.
        count: usize,
        /// Dump id of one of them.
        first: i32,
    },
    /// A block came whose entry does not exist, holds no data, or already has its block.
    #[error("no data block is expected for entry {0}")]
    UnexpectedBlock(i32),
    /// A block was begun and dropped before its end.
    #[error("the block of entry {0} was left unfinished")]
    UnfinishedBlock(i32),
    /// A call that fits the other kind of block (rows or large objects).
    #[error("the block of entry {0} is of the other kind")]
    WrongKind(i32),
    /// Blocks of another algorithm cannot be joined without recompression.
    #[error("cannot join blocks of {theirs} into an archive of {ours}")]
    MixedCompression {
        /// The archive being written.
        ours: &'static str,
        /// The block's origin.
        theirs: &'static str,
    },
    /// Entries would lose fields in an older header version.
    #[error("cannot write entries of version {from} as version {to}")]
    Downgrade {
        /// What the entries were read as.
        from: Version,
        /// What was asked for.
        to: Version,
    },
    /// Rows of a table which the schema does not have.
    #[error("the schema has no table {0}")]
    NoSuchTable(String),
    /// No dump ids are left.
    #[error("dump ids are used up")]
    NoFreeId,
    /// A text is longer than the format can say.
    #[error("{0} is too long for the archive format")]
    TooLong(&'static str),
    /// A row of COPY text is longer than PostgreSQL itself can make.
    #[error("a row is longer than {0} bytes")]
    RowTooLong(usize),
    /// COPY text without its end mark: rows may be missing.
    #[error("rows end without their end mark")]
    UnendedRows,
    /// The thread that compresses is gone.
    #[error("a compressing thread stopped")]
    WorkerGone,
    /// Reading or writing failed outside the format.
    #[error("input or output failed")]
    Io(#[source] io::Error),
}

/// Results of this crate.
pub(crate) type Result<T, E = ArchiveError> = std::result::Result<T, E>;

impl From<io::Error> for ArchiveError {
    /// Gives back the archive error which travelled through a `Read` or `Write`.
    fn from(error: io::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(Self::Io)
    }
}

impl From<ArchiveError> for io::Error {
    fn from(error: ArchiveError) -> Self {
        let kind = match &error {
            ArchiveError::Io(source) => source.kind(),
            ArchiveError::Truncated { .. } | ArchiveError::UnendedRows => {
                io::ErrorKind::UnexpectedEof
            }
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}
