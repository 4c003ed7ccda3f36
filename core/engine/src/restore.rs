//! The restore flow.
//!
//! Everything that can be known to fail is found before anything is made. Then a scratch database
//! is built beside the target, verified against the manifest, and takes the target's name as the
//! last step, in one transaction: a restore that fails or is killed at any point leaves the old
//! database as it was, open and in use, and at worst a scratch database of a known name, which
//! the next run drops. Only where the role may not make databases is an empty target filled
//! directly, after every block was checked.

mod analyze;
mod carry;
mod crowd;
mod error;
mod fill;
mod into_schema;
mod load;
mod makings;
mod occupants;
mod preflight;
mod request;
mod roles;
mod schedule;
mod schema;
mod scratch;
mod swap;
mod verify;

use std::time::Instant;

use respaldo_domain::backup::ArchiveName;
use respaldo_domain::report::{RestoreReport, Verification, Warning, WarningCode};
use respaldo_domain::restore_plan::{self, RestorePlan};
use respaldo_postgres::ConnInfo;

use crate::backup::chain;
use crate::faults::step;
use crate::intent::WorkDir;
use crate::lease::Lease;
use crate::parts::Parts;
use crate::ports::{Context, EventLevel, Fault, FaultKind, LeaseWork};
use crate::reading::Reading;
use crate::rebuild;
use crate::selector::{Selector, resolve};

pub use self::error::RestoreError;
pub(crate) use self::load::archive_compression;
pub use self::request::{IntoSchema, Placement, RestoreOptions, RestoreRequest, RestoreTarget};
pub(crate) use self::schema::SchemaFiles;
pub(crate) use self::verify::fingerprint;

/// A restore under way.
pub(crate) struct Restore<'a> {
    parts: &'a Parts,
    request: &'a RestoreRequest,
    cx: &'a Context,
    work: WorkDir,
    /// Keeps retention away from what is read.
    reading: Option<Reading>,
    warnings: Vec<Warning>,
}

impl Restore<'_> {
    /// Enters a step: told to the watcher, and a place where tests break the run.
    fn enter(&self, name: &'static str) -> Result<(), Fault> {
        self.cx.progress().step(name, None);
        self.cx.check()?;
        step(name)
    }

    fn warn(&mut self, code: WarningCode, subject: impl Into<String>) {
        self.warnings.push(Warning {
            code,
            subject: subject.into(),
        });
    }

    /// What was damaged in one sink and came from another.
    fn warn_of_damaged_copies(&mut self) {
        for (key, sink) in self.parts.store.found_damaged() {
            self.warn(WarningCode::DamagedCopy, format!("{sink}: {key}"));
        }
    }

    /// The target server, connected to some database of it.
    fn server(&self) -> ConnInfo {
        let server = self
            .request
            .target
            .server
            .as_ref()
            .unwrap_or(&self.parts.source);
        server.with_option("application_name", "respaldo restore")
    }

    fn jobs(&self) -> usize {
        self.request
            .options
            .jobs
            .unwrap_or(self.parts.settings.jobs)
            .max(1)
    }

    /// Small tables are a matter of waiting for the network (a COPY's end waits for the answer to
    /// its data, 40 ms on many systems), so more are loaded at once unless a number was given.
    fn jobs_for_small_tables(&self) -> usize {
        const AT_ONCE: usize = 16;
        match self.request.options.jobs {
            Some(jobs) => jobs.max(1),
            None => self.jobs().max(AT_ONCE),
        }
    }

    /// Whether the target is the database that is backed up.
    fn is_in_place(&self) -> bool {
        self.request.target.server.is_none()
            && self.request.target.database == self.parts.source.database()
    }
}

/// Restores a backup: all of it, or nothing.
pub fn restore(
    parts: &Parts,
    request: &RestoreRequest,
    cx: &Context,
) -> Result<RestoreReport, RestoreError> {
    let started = Instant::now();
    let work = WorkDir::open(&parts.settings.work_dir).map_err(RestoreError::Backup)?;
    let mut restore = Restore {
        parts,
        request,
        cx,
        work,
        reading: None,
        warnings: Vec::new(),
    };
    let plan = plan(&restore)?;
    let archive = plan.manifest.archive.clone();
    let done = match &request.options.into_schema {
        Some(into) => into_schema::restore(&mut restore, plan, into),
        None => whole(&mut restore, plan),
    };
    restore.warn_of_damaged_copies();
    record(parts, &archive, &done);
    let done = done.map_err(|error| {
        if cx.interrupt().is_set() {
            RestoreError::Interrupted
        } else {
            error
        }
    })?;
    Ok(RestoreReport {
        plan: done.plan,
        target: request.target.database.clone(),
        previous_kept_as: done.previous_kept_as,
        verification: done.verification,
        seconds: started.elapsed().as_secs_f64(),
        warnings: restore.warnings,
    })
}

/// Restores a backup into a scratch database of `server`, compares every table, and drops it
/// again: everything a restore does but the last step.
pub fn rehearse(
    parts: &Parts,
    selector: Selector,
    server: Option<ConnInfo>,
    cx: &Context,
) -> Result<RestoreReport, RestoreError> {
    let started = Instant::now();
    let mut target = RestoreTarget::new_database("respaldo_drill");
    target.server = server;
    let request = RestoreRequest::new(selector, target);
    let work = WorkDir::open(&parts.settings.work_dir).map_err(RestoreError::Backup)?;
    let mut restore = Restore {
        parts,
        request: &request,
        cx,
        work,
        reading: None,
        warnings: Vec::new(),
    };
    let plan = plan(&restore)?;
    let site = preflight::inspect(&mut restore, &plan)?;
    scratch::drop_abandoned(&restore, &site);
    let plan = preflight::check_objects(&mut restore, plan, &site)?;
    let files = schema::fetch(&restore, &plan)?;
    preflight::check_target(&mut restore, &plan, &files, &site)?;
    let database = scratch::make(&restore, &plan, &site)?;
    let built = build(&mut restore, &plan, &files, &database);
    database.discard(&restore);
    restore.warn_of_damaged_copies();
    Ok(RestoreReport {
        plan,
        target: database.conninfo.database().to_owned(),
        previous_kept_as: None,
        verification: built?,
        seconds: started.elapsed().as_secs_f64(),
        warnings: restore.warnings,
    })
}

/// What a restore came to.
pub(crate) struct Done {
    plan: RestorePlan,
    previous_kept_as: Option<String>,
    verification: Verification,
}

fn plan(restore: &Restore<'_>) -> Result<RestorePlan, RestoreError> {
    restore
        .enter("restore.plan")
        .map_err(RestoreError::Backup)?;
    let (parts, request, cx) = (restore.parts, restore.request, restore.cx);
    let name = resolve(parts, &request.selector, cx).map_err(|fault| match fault.kind {
        FaultKind::NotFound => RestoreError::NothingToRestore(fault),
        _ => RestoreError::Backup(fault),
    })?;
    let manifest = parts
        .store
        .manifest(&name, &*parts.codec, cx)
        .map_err(RestoreError::Backup)?;
    let only = request
        .options
        .into_schema
        .as_ref()
        .map_or(&[][..], |into| &into.tables);
    Ok(restore_plan::plan(manifest, only)?)
}

/// The whole restore point, into a database of its own.
fn whole(restore: &mut Restore<'_>, plan: RestorePlan) -> Result<Done, RestoreError> {
    let site = preflight::inspect(restore, &plan)?;
    let lease = take_lease(restore, &site)?;
    scratch::drop_abandoned(restore, &site);
    let plan = preflight::check_objects(restore, plan, &site)?;
    let files = schema::fetch(restore, &plan)?;
    preflight::check_target(restore, &plan, &files, &site)?;

    let database = scratch::make(restore, &plan, &site)?;
    let built = build(restore, &plan, &files, &database);
    let verification = match built {
        Ok(verification) => verification,
        Err(error) => {
            database.discard(restore);
            return Err(error);
        }
    };
    let previous_kept_as = swap::take_place(restore, &plan, &database, &site, lease)?;
    Ok(Done {
        plan,
        previous_kept_as,
        verification,
    })
}

/// Definitions, rows, what follows the rows, and the comparison with the manifest.
fn build(
    restore: &mut Restore<'_>,
    plan: &RestorePlan,
    files: &SchemaFiles,
    database: &scratch::Database,
) -> Result<Verification, RestoreError> {
    schema::before_rows(restore, plan, files, &database.conninfo)?;
    fill::fill(restore, plan, files, &database.conninfo)?;
    schema::after_rows(restore, plan, files, &database.conninfo)?;
    analyze::analyze(restore, &database.conninfo)?;
    analyze::make_durable(&database.conninfo)?;
    let verification = verify::compare(restore, plan, &database.conninfo)?;
    verify::accept(restore, verification)
}

/// A restore in place keeps backups from running; elsewhere nobody is in the way.
fn take_lease(
    restore: &Restore<'_>,
    site: &preflight::Site,
) -> Result<Option<Lease>, RestoreError> {
    if !restore.is_in_place() || !site.exists {
        return Ok(None);
    }
    restore
        .enter("restore.lease")
        .map_err(RestoreError::Lease)?;
    Lease::acquire_for(restore.parts, &restore.parts.source, LeaseWork::Restore)
        .map(Some)
        .map_err(RestoreError::Lease)
}

/// Tells the catalog. It never decides about the outcome.
fn record(parts: &Parts, archive: &ArchiveName, done: &Result<Done, RestoreError>) {
    let Some(catalog) = &parts.catalog else {
        return;
    };
    let told = match done {
        Ok(done) => {
            let detail = serde_json::json!({ "tables": done.verification.tables });
            catalog.event(
                EventLevel::Info,
                "restore-completed",
                Some(archive),
                &detail,
            )
        }
        Err(error) => {
            let detail = serde_json::json!({ "message": chain(error) });
            catalog.event(EventLevel::Error, "restore-failed", Some(archive), &detail)
        }
    };
    if let Err(fault) = told {
        tracing::debug!(%fault, "the restore could not be recorded");
    }
}

/// After a restore in place: the catalog as it was, and up to date with storage.
fn refresh_catalog(restore: &Restore<'_>) -> Result<(), Fault> {
    let Some(catalog) = &restore.parts.catalog else {
        return Ok(());
    };
    catalog.migrate()?;
    rebuild::reconcile(restore.parts, restore.cx)
}
