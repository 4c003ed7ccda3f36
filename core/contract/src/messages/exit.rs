//! Exit codes of the program: a promise to scripts.

use super::ErrorCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitCode {
    /// Done.
    Done = 0,
    /// A bug of ours.
    Bug = 1,
    /// The command makes no sense as given.
    Usage = 2,
    /// Done, but look: fallback used, warnings, findings.
    Look = 3,
    /// The configuration is not usable.
    Configuration = 10,
    /// Another run holds the lease.
    LeaseHeld = 11,
    /// The database or the tools are not usable.
    Database = 12,
    /// No sink took it.
    NoSink = 13,
    /// Backup data is corrupt or missing.
    Damaged = 14,
    /// There is nothing to restore from.
    NothingToRestore = 15,
    /// A signal or the operator ended it.
    Interrupted = 130,
}

impl ExitCode {
    /// The number the process ends with.
    pub fn number(self) -> u8 {
        self as u8
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.number())
    }
}

impl ErrorCode {
    /// How the program ends after this error.
    ///
    /// ```
    /// use respaldo_contract::messages::{ErrorCode, ExitCode};
    ///
    /// assert_eq!(ErrorCode::LeaseHeld.exit_code().number(), 11);
    /// assert_eq!(ErrorCode::UnknownBackup.exit_code(), ExitCode::NothingToRestore);
    /// ```
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Internal => ExitCode::Bug,
            Self::Usage
            | Self::ConfirmationNeeded
            | Self::UnknownTable
            | Self::NoPrimaryKey
            | Self::HasDependents
            | Self::OutputExists
            | Self::TargetExists
            | Self::TargetMissing
            | Self::TargetNotEmpty => ExitCode::Usage,
            Self::ConfigUnreadable
            | Self::ConfigInvalid
            | Self::PluginUnusable
            | Self::EncryptionKey => ExitCode::Configuration,
            Self::LeaseHeld | Self::LeaseLost | Self::BackupInUse | Self::LegacyBusy => {
                ExitCode::LeaseHeld
            }
            Self::SourceUnreachable
            | Self::SourceDenied
            | Self::SourceUnsupported
            | Self::ToolsMissing
            | Self::ToolsTooOld
            | Self::RightsMissing
            | Self::RolesMissing
            | Self::ExtensionMissing
            | Self::TargetUnreachable
            | Self::TargetInUse
            | Self::CoverageIncomplete
            | Self::SnapshotOvertaken
            | Self::LockTimeout
            | Self::DetectorFailed
            | Self::DumpFailed
            | Self::ProgramFailed
            | Self::RestoreFailed
            | Self::CatalogUnreachable
            | Self::CatalogConflict => ExitCode::Database,
            Self::SinkUnavailable
            | Self::SinkDenied
            | Self::SinkFull
            | Self::SpoolFull
            | Self::OutputFailed => ExitCode::NoSink,
            Self::ObjectMissing
            | Self::ObjectCorrupt
            | Self::ArchiveDamaged
            | Self::ArchivePartial
            | Self::ManifestUnreadable
            | Self::ManifestNewer
            | Self::ChainBroken
            | Self::RowsDiffer => ExitCode::Damaged,
            Self::NothingToRestore | Self::UnknownBackup | Self::FileMissing => {
                ExitCode::NothingToRestore
            }
            Self::Interrupted => ExitCode::Interrupted,
        }
    }
}
