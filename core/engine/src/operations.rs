//! Everything respaldo can be asked, as one façade for the command line, the panel and other
//! programs.

use std::io::Write;
use std::path::Path;

use chrono::{DateTime, FixedOffset, Utc};
use respaldo_domain::backup::{ArchiveName, BackupId, Trigger};
use respaldo_domain::manifest::{Header, Manifest};
use respaldo_domain::report::{BackupReport, PreviewReport, RestoreReport, Validation};
use respaldo_domain::retention::Policy;
use respaldo_domain::schedule::{DueRun, Occurrence, RuleChange, Schedule};
use respaldo_postgres::ConnInfo;

use crate::adopt::{self, AdoptReport, WholeDump};
use crate::backup::{self, BackupError, BackupRequest, ConsolidateError};
use crate::diff::{self, DiffError, DiffReport, DiffRequest};
use crate::escape_kit::{self, EscapeKitReport, EscapeKitRequest};
use crate::expire::{self, ExpireError, ExpiryReport, Ruled};
use crate::export::{self, Durability, Existing, ExportError, ExportReport};
use crate::listing;
use crate::owed::{self, Settle, Settled};
pub use crate::parts::{Parts, Settings};
use crate::ports::{CatalogEntry, CatalogFilter, Context, Fault, FaultKind};
use crate::preview::{self, PreviewRequest};
use crate::readiness::{self, NotReady};
use crate::rebuild::{self, PurgeReport, RebuildReport};
use crate::remove::{self, RemoveError, Removed};
use crate::restore::{self, RestoreError, RestoreRequest, RestoreTarget};
use crate::schedule::{self, InForce};
pub use crate::selector::Selector;
use crate::selector::resolve;
use crate::status::{self, Status};
use crate::sync::{self, SyncError, SyncReport};
use crate::validate::{self, ValidateError, ValidateRequest};

/// The engine, ready to be asked.
#[derive(Clone)]
pub struct Operations {
    parts: Parts,
}

impl Operations {
    /// Builds the façade. Nothing is connected yet.
    pub fn new(parts: Parts) -> Self {
        Self { parts }
    }

    /// Tries everything that a backup would need; makes none.
    pub fn ready(&self, cx: &Context) -> Result<(), NotReady> {
        readiness::ready(&self.parts, cx)
    }

    /// What it is built from.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Makes one backup.
    pub fn backup(
        &self,
        request: &BackupRequest,
        cx: &Context,
    ) -> Result<BackupReport, BackupError> {
        backup::backup(&self.parts, request, cx)
    }

    /// Gives a sink everything that others hold and it does not.
    pub fn sync(&self, sink: &str, cx: &Context) -> Result<SyncReport, SyncError> {
        sync::sync(&self.parts, sink, cx)
    }

    /// Gives a sink one backup and all that it is restored from.
    pub fn give(
        &self,
        sink: &str,
        archive: &ArchiveName,
        cx: &Context,
    ) -> Result<SyncReport, SyncError> {
        sync::give(&self.parts, sink, archive, cx)
    }

    /// Removes the copy of one backup from a sink that is not the only one to hold it.
    pub fn remove_copy(
        &self,
        sink: &str,
        selector: &Selector,
        cx: &Context,
    ) -> Result<Removed, RemoveError> {
        remove::remove_copy(&self.parts, sink, selector, cx)
    }

    /// Gives sinks what they are owed.
    pub fn settle(&self, which: Settle, cx: &Context) -> Result<Settled, Fault> {
        owed::settle(&self.parts, which, Utc::now(), cx)
    }

    /// Makes a full from the newest restore point, without reading the database.
    pub fn consolidate(
        &self,
        label: Option<String>,
        trigger: Trigger,
        cx: &Context,
    ) -> Result<BackupReport, ConsolidateError> {
        backup::consolidate(&self.parts, label, trigger, cx)
    }

    /// Writes one stock archive of a restore point.
    pub fn export(
        &self,
        selector: &Selector,
        out: &mut dyn Write,
        cx: &Context,
    ) -> Result<ExportReport, ExportError> {
        export::export(&self.parts, selector, out, cx)
    }

    /// Writes one stock archive of a restore point into a file, which appears whole or not at all.
    pub fn export_to_file(
        &self,
        selector: &Selector,
        path: &Path,
        existing: Existing,
        durability: Durability,
        cx: &Context,
    ) -> Result<ExportReport, ExportError> {
        export::export_to_file(&self.parts, selector, path, existing, durability, cx)
    }

    /// Writes a folder from which a restore point is rebuilt with stock tools alone.
    pub fn escape_kit(
        &self,
        request: &EscapeKitRequest<'_>,
        cx: &Context,
    ) -> Result<EscapeKitReport, ExportError> {
        escape_kit::escape_kit(&self.parts, request, cx)
    }

    /// Restores a backup.
    pub fn restore(
        &self,
        request: &RestoreRequest,
        cx: &Context,
    ) -> Result<RestoreReport, RestoreError> {
        restore::restore(&self.parts, request, cx)
    }

    /// Restores the newest restore point not later than `at` into database `target`, which is
    /// made when it is missing and never overwritten.
    pub fn restore_to_date(
        &self,
        at: DateTime<FixedOffset>,
        target: &str,
        cx: &Context,
    ) -> Result<RestoreReport, RestoreError> {
        let target = RestoreTarget::new_database(target);
        self.restore(&RestoreRequest::new(Selector::At(at), target), cx)
    }

    /// Restores one backup by its number into database `target`, as
    /// [`Operations::restore_to_date`] does.
    pub fn restore_from_backup_id(
        &self,
        id: BackupId,
        target: &str,
        cx: &Context,
    ) -> Result<RestoreReport, RestoreError> {
        let target = RestoreTarget::new_database(target);
        self.restore(&RestoreRequest::new(Selector::Id(id), target), cx)
    }

    /// Restores into a scratch database, compares every table and drops it again.
    pub fn rehearse(
        &self,
        selector: Selector,
        server: Option<ConnInfo>,
        cx: &Context,
    ) -> Result<RestoreReport, RestoreError> {
        restore::rehearse(&self.parts, selector, server, cx)
    }

    /// What a restore would do; `None` where there is nothing to restore from.
    pub fn preview(
        &self,
        request: &PreviewRequest,
        cx: &Context,
    ) -> Result<Option<PreviewReport>, Fault> {
        preview::preview(&self.parts, request, cx)
    }

    /// What a restore to a date would do.
    pub fn preview_restore(
        &self,
        at: DateTime<FixedOffset>,
        cx: &Context,
    ) -> Result<Option<PreviewReport>, Fault> {
        let request = PreviewRequest {
            selector: Selector::At(at),
            live: false,
        };
        self.preview(&request, cx)
    }

    /// Looks at backups and records what was found.
    pub fn validate(
        &self,
        request: &ValidateRequest,
        cx: &Context,
    ) -> Result<Vec<Validation>, ValidateError> {
        validate::validate(&self.parts, request, cx)
    }

    /// Looks at every backup, and deeper into the newest, as the schedule asks for.
    pub fn validate_on_schedule(
        &self,
        now: DateTime<Utc>,
        cx: &Context,
    ) -> Result<Vec<Validation>, ValidateError> {
        validate::on_schedule(&self.parts, now, cx)
    }

    /// Looks at one backup and everything a restore of it would read.
    pub fn validate_backup_chain(
        &self,
        id: BackupId,
        cx: &Context,
    ) -> Result<Vec<Validation>, ValidateError> {
        self.validate(&ValidateRequest::chain_of(Selector::Id(id)), cx)
    }

    /// Backups, newest first. Manifests the catalog does not know are brought in first; where no
    /// catalog answers, the list is of what storage holds, without numbers.
    pub fn list(&self, filter: &CatalogFilter, cx: &Context) -> Result<Vec<CatalogEntry>, Fault> {
        listing::list(&self.parts, filter, cx)
    }

    /// The manifest of one backup, with its catalog entry where there is one.
    pub fn show(
        &self,
        selector: &Selector,
        cx: &Context,
    ) -> Result<(Manifest, Option<CatalogEntry>), Fault> {
        let name = self.resolve(selector, cx)?;
        let manifest = self.parts.store.manifest(&name, &*self.parts.codec, cx)?;
        let entry = match &self.parts.catalog {
            Some(catalog) => catalog.find(&name).ok().flatten(),
            None => None,
        };
        Ok((manifest, entry))
    }

    /// What differs between two backups; of one table, row by row.
    pub fn diff(&self, request: &DiffRequest, cx: &Context) -> Result<DiffReport, DiffError> {
        diff::diff(&self.parts, request, cx)
    }

    /// Removes a backup and its objects.
    pub fn delete(
        &self,
        selector: &Selector,
        with_dependents: bool,
        cx: &Context,
    ) -> Result<Removed, RemoveError> {
        remove::remove(&self.parts, selector, with_dependents, cx)
    }

    /// The headers of the backups that restore from one or are compared with it, newest first: what its removal would take
    /// along. Reads every manifest.
    pub fn dependents(&self, selector: &Selector, cx: &Context) -> Result<Vec<Header>, Fault> {
        remove::dependents_of(&self.parts, selector, cx)
    }

    /// What retention would do, newest backup first.
    pub fn expiry_plan(&self, cx: &Context) -> Result<Vec<Ruled>, Fault> {
        expire::plan(&self.parts, cx)
    }

    /// Applies retention: removes what is too old and needed by nothing.
    pub fn expire(&self, cx: &Context) -> Result<ExpiryReport, ExpireError> {
        expire::expire(&self.parts, cx)
    }

    /// The retention policy in force.
    pub fn retention(&self) -> Result<Policy, Fault> {
        expire::policy(&self.parts)
    }

    /// The policy stored beside the catalog, whatever the configuration says; the default where
    /// none is, or none that makes sense.
    pub fn stored_retention(&self) -> Result<Policy, Fault> {
        let Some(catalog) = &self.parts.catalog else {
            return Ok(Policy::default());
        };
        match catalog.retention() {
            Err(fault) if fault.kind == FaultKind::Invalid => Ok(Policy::default()),
            stored => Ok(stored?.unwrap_or_default()),
        }
    }

    /// Stores a policy beside the catalog.
    pub fn set_retention(&self, policy: &Policy) -> Result<(), Fault> {
        let catalog = rebuild::catalog(&self.parts)?;
        catalog.migrate()?;
        catalog.set_retention(policy)
    }

    /// The schedule in force.
    pub fn schedule(&self) -> InForce {
        schedule::in_force(&self.parts)
    }

    /// Stores another rule of the schedule, which holds from then on.
    pub fn change_schedule(&self, change: RuleChange, now: DateTime<Utc>) -> Result<(), Fault> {
        schedule::change(&self.parts, change, now)
    }

    /// What a supervisor is to run now: at most one entry per task, in the order FULL,
    /// DIFERENCIAL, INCREMENTAL, validation, and none that an earlier one does for. Run the
    /// entries one after another; where one fails, run in its stead what it
    /// [covers](DueRun::covers), the first that succeeds doing for the rest.
    ///
    /// Cheap and blocking, to be asked on a heartbeat and at start. It remembers nothing of having
    /// been asked: an entry is there until what it is for has been made, by whomever, and is gone
    /// from then on, after a restart and on another machine too. So whoever asks minds two things:
    /// not to ask while a run is under way, and to wait before a failed run is tried again.
    pub fn due_runs(&self, now: DateTime<Utc>, cx: &Context) -> Result<Vec<DueRun>, Fault> {
        schedule::due_runs(&self.parts, now, cx)
    }

    /// The newest due time of each task that nothing was done for, in order, also where missed
    /// ones are not made up.
    pub fn overdue(&self, now: DateTime<Utc>, cx: &Context) -> Result<Vec<Occurrence>, Fault> {
        schedule::overdue(&self.parts, now, cx)
    }

    /// The first due time of each task after `now`, in that order.
    pub fn next_runs(&self, schedule: &Schedule, now: DateTime<Utc>) -> Vec<Occurrence> {
        schedule::next_runs(&self.parts, schedule, now)
    }

    /// Makes the catalog again from the manifests in storage.
    pub fn rebuild_catalog(&self, cx: &Context) -> Result<RebuildReport, Fault> {
        rebuild::rebuild(&self.parts, cx)
    }

    /// Makes backups of the existing system ours: reads each archive that no manifest seals.
    pub fn adopt(&self, cx: &Context) -> Result<AdoptReport, Fault> {
        adopt::adopt(&self.parts, cx)
    }

    /// Adopts what was made while the engine was down: the newest of the legacy service's whole dumps,
    /// unless a backup is newer, and what the existing system left meanwhile.
    pub fn adopt_after_fallback(
        &self,
        dumps: &[WholeDump],
        cx: &Context,
    ) -> Result<AdoptReport, Fault> {
        adopt::adopt_after_fallback(&self.parts, dumps, cx)
    }

    /// Removes catalog rows of backups whose objects are gone from storage; never objects.
    pub fn purge_invalid_backups(&self, cx: &Context) -> Result<PurgeReport, Fault> {
        rebuild::purge_invalid(&self.parts, cx)
    }

    /// State of the engine, newest backups, space.
    pub fn status(&self, cx: &Context) -> Result<Status, Fault> {
        status::status(&self.parts, cx)
    }

    /// When the oldest of these was made that nothing has proven to be whole.
    pub fn oldest_unproven(
        &self,
        entries: &[CatalogEntry],
    ) -> Result<Option<DateTime<FixedOffset>>, Fault> {
        status::oldest_unproven(&self.parts, entries)
    }

    /// The name of the backup a selector means.
    pub fn resolve(&self, selector: &Selector, cx: &Context) -> Result<ArchiveName, Fault> {
        resolve(&self.parts, selector, cx)
    }
}
