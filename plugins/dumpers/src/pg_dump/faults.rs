//! What went wrong, as the engine's faults.

use std::io;

use respaldo_archive::ArchiveError;
use respaldo_engine::ports::{Fault, FaultKind};
use respaldo_engine::store::fault_of_io;
use respaldo_postgres::{ConnInfo, Session, SessionOptions, ToolError};

/// A tool that did not start or was stopped.
pub(super) fn of_tool(error: ToolError) -> Fault {
    Fault {
        subject: "running pg_dump".to_owned(),
        ..error.into()
    }
}

/// A pg_dump that failed: for a lock, for the server, or for a reason only its words tell.
pub(super) fn of_failure(error: ToolError, info: &ConnInfo, was_waiting: bool) -> Fault {
    if !matches!(error, ToolError::Failed { .. }) {
        return of_tool(error);
    }
    if was_waiting {
        return Fault::new(
            FaultKind::Locked,
            "pg_dump waited in vain for a lock",
            error,
        );
    }
    match Session::connect(info, &SessionOptions::default()) {
        Ok(_) => of_tool(error),
        Err(unreachable) => {
            let kind = Fault::from(unreachable).kind;
            Fault::new(
                kind,
                "pg_dump failed, and the server cannot be reached",
                error,
            )
        }
    }
}

/// Reading gives errors of the tool, or a fault that travelled; everything else is the archive's
/// file.
pub(super) fn of_io(error: io::Error) -> Fault {
    match error.downcast::<ToolError>() {
        Ok(error) => of_tool(error),
        Err(error) => fault_of_io("writing the archive", error),
    }
}

/// An archive that is not as it must be.
pub(crate) fn of_archive(error: ArchiveError) -> Fault {
    match error {
        ArchiveError::Io(error) => of_io(error),
        other => Fault::new(FaultKind::Corrupt, "passing on pg_dump's archive", other),
    }
}
