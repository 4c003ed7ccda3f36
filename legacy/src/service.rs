//! What a legacy service promises, whoever does the work.

use chrono::{DateTime, Utc};
use respaldo_postgres::StopFlag;

use crate::error::LegacyError;
use crate::file::LegacyFile;
use crate::kind::LegacyKind;
use crate::report::{KindStatus, LegacyReport, LegacyRestored, PruneReport};
use crate::restore::RestoreRequest;
use crate::retention::PruneScope;

/// Whether pruning is done or only shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PruneMode {
    /// Remove.
    Remove,
    /// Say what would be removed.
    Show,
}

/// A service of whole dumps. Calls block; `stop` is asked several times a second, and a stopped
/// call ends as [`LegacyError::Interrupted`] with nothing half done that looks whole.
pub trait LegacyService: Send + Sync {
    /// Makes one backup. `Ok` is said only of a file that was read back from end to end, where
    /// the file is known. One run per folder: another one at work is [`LegacyError::Busy`].
    fn backup(&self, kind: LegacyKind, stop: StopFlag<'_>) -> Result<LegacyReport, LegacyError>;

    /// The files there are, newest first. A folder that does not exist holds none.
    fn list(&self) -> Result<Vec<LegacyFile>, LegacyError>;

    /// Removes what is beyond the keep counts. [`PruneScope::Own`] never touches a file that this
    /// service did not record as its own. Idempotent.
    fn prune(&self, scope: PruneScope, mode: PruneMode) -> Result<PruneReport, LegacyError>;

    /// Restores one file. The database that is there is as it was until the last step, and after
    /// any failure.
    fn restore(
        &self,
        request: &RestoreRequest,
        stop: StopFlag<'_>,
    ) -> Result<LegacyRestored, LegacyError>;

    /// The types that were missed at `now`, in the order in which to make them up. Whoever cannot
    /// be asked (folder, database) knows of no run: too many backups rather than none.
    fn due(&self, now: DateTime<Utc>) -> Vec<LegacyKind>;

    /// Last and next runs of every type at `now`.
    fn status(&self, now: DateTime<Utc>) -> Vec<KindStatus>;
}
