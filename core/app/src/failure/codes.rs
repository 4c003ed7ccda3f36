//! From the errors of flows to stable codes. What a kind of fault means depends on what was used.

use respaldo_contract::messages::ErrorCode;
use respaldo_engine::backup::{BackupError, ConsolidateError};
use respaldo_engine::diff::DiffError;
use respaldo_engine::expire::ExpireError;
use respaldo_engine::export::ExportError;
use respaldo_engine::ports::{Fault, FaultKind};
use respaldo_engine::remove::RemoveError;
use respaldo_engine::restore::RestoreError;
use respaldo_engine::validate::ValidateError;
use respaldo_legacy::LegacyError;
use respaldo_postgres::{PgError, PgErrorKind, ToolError};

use super::Failure;
use crate::config::ConfigError;

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let code = match &error {
            ConfigError::FileMissing(_)
            | ConfigError::FileUnreadable { .. }
            | ConfigError::Syntax { .. } => ErrorCode::ConfigUnreadable,
            _ => ErrorCode::ConfigInvalid,
        };
        Self::of(code, &error)
    }
}

impl From<ToolError> for Failure {
    fn from(error: ToolError) -> Self {
        Self::of(of_tools(&error), &error)
    }
}

fn of_tools(error: &ToolError) -> ErrorCode {
    match error.is_too_old() {
        true => ErrorCode::ToolsTooOld,
        false => ErrorCode::ToolsMissing,
    }
}

impl From<PgError> for Failure {
    fn from(error: PgError) -> Self {
        Self::of(of_server(&error), &error)
    }
}

fn of_server(error: &PgError) -> ErrorCode {
    match error.kind {
        PgErrorKind::Denied => ErrorCode::SourceDenied,
        PgErrorKind::LockTimeout => ErrorCode::LockTimeout,
        PgErrorKind::Connection
        | PgErrorKind::NotFound
        | PgErrorKind::Cancelled
        | PgErrorKind::ServerFull
        | PgErrorKind::Statement => ErrorCode::SourceUnreachable,
    }
}

impl From<LegacyError> for Failure {
    fn from(error: LegacyError) -> Self {
        let code = match &error {
            LegacyError::Busy(_) => ErrorCode::LegacyBusy,
            LegacyError::Folder { .. } => ErrorCode::OutputFailed,
            LegacyError::Server(source) => of_server(source),
            LegacyError::Tools(source) => of_tools(source),
            LegacyError::Dump(_) => ErrorCode::DumpFailed,
            LegacyError::External { .. } => ErrorCode::ProgramFailed,
            LegacyError::Damaged { .. } => ErrorCode::ArchiveDamaged,
            LegacyError::Partial { .. } => ErrorCode::ArchivePartial,
            LegacyError::UnknownFile(_) => ErrorCode::FileMissing,
            LegacyError::TargetMissing(_) => ErrorCode::TargetMissing,
            LegacyError::TargetNotEmpty(_) => ErrorCode::TargetNotEmpty,
            LegacyError::Rights(_) => ErrorCode::RightsMissing,
            LegacyError::InUse(_) => ErrorCode::TargetInUse,
            LegacyError::Load { .. } => ErrorCode::RestoreFailed,
            LegacyError::Interrupted => ErrorCode::Interrupted,
        };
        Self::of(code, &error)
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let code = match &error {
            BackupError::Lease(fault) => of_lease(fault),
            BackupError::Tools(error) => of_tools(error),
            BackupError::Source(fault) => of_source(fault),
            BackupError::Repository(fault) | BackupError::Store(fault) => of_store(fault),
            BackupError::Coverage(_) => ErrorCode::CoverageIncomplete,
            BackupError::Detection(fault) => of_work(fault, ErrorCode::DetectorFailed),
            BackupError::Overtaken { .. } => ErrorCode::SnapshotOvertaken,
            BackupError::Dump(fault) => of_work(fault, ErrorCode::DumpFailed),
            // Asked for by the scheduler alone, which takes it for a success.
            BackupError::NotDue => ErrorCode::LeaseHeld,
            BackupError::Interrupted => ErrorCode::Interrupted,
        };
        let mut failure = Self::of(code, &error);
        if let BackupError::Coverage(coverage) = &error {
            failure.remedies = coverage.gaps.iter().map(|gap| gap.remedy.clone()).collect();
        }
        failure
    }
}

impl From<ConsolidateError> for Failure {
    fn from(error: ConsolidateError) -> Self {
        match error {
            ConsolidateError::Nothing => Self::of(ErrorCode::NothingToRestore, &error),
            ConsolidateError::Backup(error) => error.into(),
        }
    }
}

impl From<DiffError> for Failure {
    fn from(error: DiffError) -> Self {
        let code = match &error {
            DiffError::Lookup(fault) if fault.kind == FaultKind::NotFound => {
                ErrorCode::UnknownBackup
            }
            DiffError::Lookup(fault) | DiffError::Backup(fault) => of_store(fault),
            DiffError::UnknownTable(_) => ErrorCode::UnknownTable,
            DiffError::NoKey(_) => ErrorCode::NoPrimaryKey,
        };
        Self::of(code, &error)
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        let code = match &error {
            ExportError::Nothing(_) => ErrorCode::NothingToRestore,
            ExportError::Backup(fault) => of_store(fault),
            ExportError::Splice(_) => ErrorCode::ObjectCorrupt,
            ExportError::Output(fault) => match fault.kind {
                FaultKind::Exists => ErrorCode::OutputExists,
                FaultKind::Cancelled => ErrorCode::Interrupted,
                _ => ErrorCode::OutputFailed,
            },
        };
        Self::of(code, &error)
    }
}

impl From<RestoreError> for Failure {
    fn from(error: RestoreError) -> Self {
        let code = match &error {
            RestoreError::NothingToRestore(_) => ErrorCode::NothingToRestore,
            RestoreError::UnknownTable(_) => ErrorCode::UnknownTable,
            RestoreError::Lease(fault) => of_lease(fault),
            RestoreError::Server(fault) => match fault.kind {
                FaultKind::Cancelled => ErrorCode::Interrupted,
                _ => ErrorCode::TargetUnreachable,
            },
            RestoreError::TargetMissing(_) => ErrorCode::TargetMissing,
            RestoreError::TargetNotEmpty(_) => ErrorCode::TargetNotEmpty,
            RestoreError::TableExists { .. } => ErrorCode::TargetExists,
            RestoreError::Occupied(_) => ErrorCode::TargetInUse,
            RestoreError::Rights(_) => ErrorCode::RightsMissing,
            RestoreError::RolesMissing(_) => ErrorCode::RolesMissing,
            RestoreError::ExtensionsMissing(_) => ErrorCode::ExtensionMissing,
            RestoreError::Backup(fault) => of_store(fault),
            RestoreError::Definitions(fault)
            | RestoreError::Load { source: fault, .. }
            | RestoreError::Swap(fault) => of_restoring(fault),
            RestoreError::Differs(_) => ErrorCode::RowsDiffer,
            RestoreError::Interrupted => ErrorCode::Interrupted,
        };
        Self::of(code, &error)
    }
}

/// A fault of a question to storage or the catalog.
impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::of(of_store(&fault), &fault)
    }
}

impl From<RemoveError> for Failure {
    fn from(error: RemoveError) -> Self {
        let code = match &error {
            RemoveError::Unknown(_) => ErrorCode::UnknownBackup,
            RemoveError::Lease(fault) => of_lease(fault),
            RemoveError::Needed(_) => ErrorCode::HasDependents,
            RemoveError::InUse(_) => ErrorCode::BackupInUse,
            RemoveError::Store(fault) => of_store(fault),
        };
        Self::of(code, &error)
    }
}

impl From<ExpireError> for Failure {
    fn from(error: ExpireError) -> Self {
        match &error {
            ExpireError::Lease(fault) => Self::of(of_lease(fault), &error),
            ExpireError::Undecided(fault) => of_catalog(fault),
        }
    }
}

impl From<ValidateError> for Failure {
    fn from(error: ValidateError) -> Self {
        let code = match &error {
            ValidateError::Unknown(_) => ErrorCode::UnknownBackup,
            ValidateError::Repository(fault) => of_store(fault),
        };
        Self::of(code, &error)
    }
}

/// A fault of a question to the catalog, which may ask storage on its way.
pub fn of_catalog(fault: &Fault) -> Failure {
    let code = match fault.kind {
        FaultKind::Unavailable | FaultKind::Denied | FaultKind::Locked | FaultKind::Busy => {
            ErrorCode::CatalogUnreachable
        }
        FaultKind::Exists | FaultKind::Invalid => ErrorCode::CatalogConflict,
        _ => of_store(fault),
    };
    Failure::of(code, fault)
}

/// A fault of looking for one backup: not found then means that there is no such backup.
pub fn of_lookup(fault: &Fault) -> Failure {
    let code = match fault.kind {
        FaultKind::NotFound => ErrorCode::UnknownBackup,
        _ => of_store(fault),
    };
    Failure::of(code, fault)
}

/// A fault of a sink as a whole: what is not found is the place itself.
pub fn of_sink(fault: &Fault) -> Failure {
    let code = match fault.kind {
        FaultKind::NotFound => ErrorCode::SinkUnavailable,
        _ => of_store(fault),
    };
    Failure::of(code, fault)
}

/// A fault of adopting, which keeps other runs out.
pub fn of_adoption(fault: &Fault) -> Failure {
    let code = match fault.kind {
        FaultKind::Busy => ErrorCode::LeaseHeld,
        _ => of_store(fault),
    };
    Failure::of(code, fault)
}

fn of_lease(fault: &Fault) -> ErrorCode {
    match fault.kind {
        FaultKind::Busy => ErrorCode::LeaseHeld,
        _ => of_source(fault),
    }
}

fn of_source(fault: &Fault) -> ErrorCode {
    match fault.kind {
        FaultKind::Denied => ErrorCode::SourceDenied,
        FaultKind::Invalid => ErrorCode::SourceUnsupported,
        FaultKind::Locked => ErrorCode::LockTimeout,
        FaultKind::Busy => ErrorCode::LeaseHeld,
        FaultKind::Cancelled => ErrorCode::Interrupted,
        FaultKind::SnapshotOvertaken => ErrorCode::SnapshotOvertaken,
        FaultKind::NoCatalog => ErrorCode::CatalogUnreachable,
        FaultKind::NoKey => ErrorCode::EncryptionKey,
        FaultKind::Internal => ErrorCode::Internal,
        FaultKind::NotFound
        | FaultKind::Exists
        | FaultKind::Unavailable
        | FaultKind::Full
        | FaultKind::Corrupt => ErrorCode::SourceUnreachable,
    }
}

/// Faults of storage.
pub fn of_store(fault: &Fault) -> ErrorCode {
    match fault.kind {
        FaultKind::NotFound => ErrorCode::ObjectMissing,
        FaultKind::Denied => ErrorCode::SinkDenied,
        FaultKind::Full => ErrorCode::SinkFull,
        FaultKind::Corrupt => ErrorCode::ObjectCorrupt,
        FaultKind::Busy => ErrorCode::LeaseLost,
        FaultKind::Locked => ErrorCode::LockTimeout,
        FaultKind::Cancelled => ErrorCode::Interrupted,
        FaultKind::SnapshotOvertaken => ErrorCode::SnapshotOvertaken,
        FaultKind::NoCatalog => ErrorCode::CatalogUnreachable,
        FaultKind::NoKey => ErrorCode::EncryptionKey,
        FaultKind::Internal => ErrorCode::Internal,
        FaultKind::Exists | FaultKind::Unavailable | FaultKind::Invalid => {
            ErrorCode::SinkUnavailable
        }
    }
}

/// Faults while a database is built from a backup and takes its place.
fn of_restoring(fault: &Fault) -> ErrorCode {
    match fault.kind {
        FaultKind::Corrupt => ErrorCode::ObjectCorrupt,
        FaultKind::Busy => ErrorCode::TargetInUse,
        _ => of_work(fault, ErrorCode::RestoreFailed),
    }
}

/// Faults of a piece of work whose own code says most.
fn of_work(fault: &Fault, otherwise: ErrorCode) -> ErrorCode {
    match fault.kind {
        FaultKind::Cancelled => ErrorCode::Interrupted,
        FaultKind::Locked => ErrorCode::LockTimeout,
        FaultKind::Full => ErrorCode::SpoolFull,
        FaultKind::NoKey => ErrorCode::EncryptionKey,
        FaultKind::SnapshotOvertaken => ErrorCode::SnapshotOvertaken,
        _ => otherwise,
    }
}
