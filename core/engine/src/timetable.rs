//! What is due: the hours in force, and the runs there were.

use std::fs;

use chrono::{DateTime, Utc};
use respaldo_domain::backup::{ArchiveName, BackupState};
use respaldo_domain::schedule::{DueRun, PastRuns, Schedule, Task, WallClock};
use respaldo_domain::validation::ValidationLevel;

use crate::intent::WorkDir;
use crate::listing;
use crate::parts::Parts;
use crate::ports::{CatalogFilter, Context, Fault};
use crate::validate::{self, ValidateError, ValidateRequest};

/// When all backups were last looked at, in the working folder of this machine.
const LOOKED_AT: &str = "validated_at";

/// The hours in force: those stored beside the catalog, else those configured. A catalog that cannot be asked keeps nobody
/// from making backups.
pub(crate) fn schedule(parts: &Parts) -> Schedule {
    let configured = parts.settings.schedule;
    let stored = parts
        .catalog
        .as_ref()
        .map(|catalog| catalog.schedule(configured));
    match stored {
        Some(Ok(stored)) => stored.unwrap_or(configured),
        Some(Err(fault)) => {
            tracing::warn!(%fault, "the stored hours cannot be read: the configured ones count");
            configured
        }
        None => configured,
    }
}

/// What is due now, in the order in which it is to be made. Asking again, also after a restart, gives the same until
/// something was made.
pub(crate) fn due(
    parts: &Parts,
    now: DateTime<Utc>,
    clock: &dyn WallClock,
    cx: &Context,
) -> Result<Vec<DueRun>, Fault> {
    let past = past(parts, cx)?;
    Ok(schedule(parts).due(&past, now, clock))
}

/// Backups of ours that were completed, and the last look at all of them.
pub(crate) fn past(parts: &Parts, cx: &Context) -> Result<PastRuns, Fault> {
    let filter = CatalogFilter {
        state: Some(BackupState::Completed),
        ours_only: true,
        ..CatalogFilter::default()
    };
    let mut past = PastRuns::default();
    for entry in listing::list(parts, &filter, cx)? {
        if let Ok(name) = entry.archive.parse::<ArchiveName>() {
            past.add(Task::Backup(name.kind()), entry.started_at.to_utc());
        }
    }
    if let Some(looked_at) = looked_at(parts) {
        past.add(Task::Validation, looked_at);
    }
    Ok(past)
}

fn looked_at(parts: &Parts) -> Option<DateTime<Utc>> {
    let text = fs::read_to_string(parts.settings.work_dir.join(LOOKED_AT)).ok()?;
    let at = DateTime::parse_from_rfc3339(text.trim()).ok()?;
    Some(at.to_utc())
}

/// Looks at all backups down to their chains, and keeps in mind that it was done. Returns how many are not valid.
pub(crate) fn look_at_all(
    parts: &Parts,
    now: DateTime<Utc>,
    cx: &Context,
) -> Result<usize, ValidateError> {
    let request = ValidateRequest {
        selectors: None,
        level: ValidationLevel::Chain,
        scratch_server: None,
    };
    let validations = validate::validate(parts, &request, cx)?;
    let work = WorkDir::open(&parts.settings.work_dir).map_err(ValidateError::Repository)?;
    let noted = fs::write(work.file(LOOKED_AT), now.to_rfc3339());
    noted.map_err(|error| {
        ValidateError::Repository(Fault::io("noting when backups were looked at", error))
    })?;
    let invalid = validations
        .iter()
        .filter(|validation| !validation.is_valid());
    Ok(invalid.count())
}
