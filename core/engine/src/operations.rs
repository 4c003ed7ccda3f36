//! Everything respaldo can be asked, as one façade for the command line, the panel and other
//! programs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use respaldo_domain::backup::{ArchiveName, BackupId, Trigger};
use respaldo_domain::manifest::Manifest;
use respaldo_domain::report::{BackupReport, PreviewReport, RestoreReport, Validation};
use respaldo_domain::table::TableName;
use respaldo_postgres::{ConnInfo, Tools};

use crate::adopt::{self, AdoptReport};
use crate::backup::{self, BackupError, BackupRequest};
use crate::consolidate::{self, ConsolidateError};
use crate::escape_kit::{self, EscapeKitReport, EscapeKitRequest};
use crate::export::{self, Existing, ExportError, ExportReport};
use crate::history::History;
use crate::intent::WorkDir;
use crate::ports::{
    Catalog, CatalogEntry, CatalogFilter, ChangeDetector, Codec, Context, Dumper, Fault, FaultKind,
    Validator,
};
use crate::preview::{self, PreviewRequest};
use crate::rebuild::{self, PurgeReport, RebuildReport};
use crate::remove::{self, RemoveError, Removed};
use crate::restore::{self, RestoreError, RestoreRequest, RestoreTarget};
use crate::status::{self, Status};
use crate::store::Store;
use crate::validate::{self, ValidateError, ValidateRequest};

/// What the engine is built from. Strategies are chosen by configuration; the engine never asks
/// where they came from.
#[derive(Clone)]
pub struct Parts {
    /// The database that is backed up.
    pub source: ConnInfo,
    /// Stock tools that can read the server.
    pub tools: Tools,
    /// Finds out what changed.
    pub detector: Arc<dyn ChangeDetector>,
    /// Writes archives.
    pub dumper: Arc<dyn Dumper>,
    /// Keeps objects.
    pub store: Arc<Store>,
    /// Looks at sealed sets: all levels.
    pub validators: Vec<Arc<dyn Validator>>,
    /// The catalog; `None` where the role may only read and no other database is configured.
    pub catalog: Option<Arc<dyn Catalog>>,
    /// Spells manifests and readings.
    pub codec: Arc<dyn Codec>,
    /// Limits and choices.
    pub settings: Settings,
}

/// Limits and choices of the engine.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Folder for intents, spools and the index of manifests.
    pub work_dir: PathBuf,
    /// Our own operational tables: dumped without rows.
    pub operational: Vec<TableName>,
    /// Schemas left out of backups.
    pub exclude_schemas: Vec<String>,
    /// Tables whose rows are left out of backups.
    pub exclude_tables: Vec<TableName>,
    /// Milliseconds to wait for a lock.
    pub lock_timeout_ms: u64,
    /// How often a new snapshot is taken when DDL overtook the last one.
    pub snapshot_attempts: u32,
    /// How often a dump gives way to a session that waits for its locks.
    pub yields: u32,
    /// Levels looked at right after a backup.
    pub validate_after: Vec<respaldo_domain::validation::ValidationLevel>,
    /// Sessions that load tables at once.
    pub jobs: usize,
    /// `app.user_id` for restores, as the existing application's policies ask for.
    pub maintenance_user_id: Option<u32>,
    /// Version of the program, for manifests.
    pub version: String,
}

/// Which backup is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The newest.
    Latest,
    /// The newest whose snapshot is not later.
    At(DateTime<FixedOffset>),
    /// By its number in the catalog.
    Id(BackupId),
    /// By its name.
    Name(ArchiveName),
}

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

    /// Makes a full from the newest restore point, without reading the database.
    pub fn consolidate(
        &self,
        label: Option<String>,
        trigger: Trigger,
        cx: &Context,
    ) -> Result<BackupReport, ConsolidateError> {
        consolidate::consolidate(&self.parts, label, trigger, cx)
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
        cx: &Context,
    ) -> Result<ExportReport, ExportError> {
        export::export_to_file(&self.parts, selector, path, existing, cx)
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

    /// Looks at one backup and everything a restore of it would read.
    pub fn validate_backup_chain(
        &self,
        id: BackupId,
        cx: &Context,
    ) -> Result<Vec<Validation>, ValidateError> {
        self.validate(&ValidateRequest::chain_of(Selector::Id(id)), cx)
    }

    /// Catalogued backups, newest first. Manifests the catalog does not know are brought in first.
    pub fn list(&self, filter: &CatalogFilter, cx: &Context) -> Result<Vec<CatalogEntry>, Fault> {
        let catalog = self.catalog()?;
        match rebuild::reconcile(&self.parts, cx) {
            // The catalog went with the server: storage brings it back.
            Err(fault) if fault.kind == FaultKind::NotFound => {
                catalog.migrate()?;
                rebuild::reconcile(&self.parts, cx)?;
            }
            reconciled => reconciled?,
        }
        catalog.list(filter)
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

    /// Removes a backup and its objects.
    pub fn delete(
        &self,
        selector: &Selector,
        with_dependents: bool,
        cx: &Context,
    ) -> Result<Removed, RemoveError> {
        remove::remove(&self.parts, selector, with_dependents, cx)
    }

    /// Makes the catalog again from the manifests in storage.
    pub fn rebuild_catalog(&self, cx: &Context) -> Result<RebuildReport, Fault> {
        rebuild::rebuild(&self.parts, cx)
    }

    /// Makes backups of the existing system ours: reads each archive that no manifest seals.
    pub fn adopt(&self, cx: &Context) -> Result<AdoptReport, Fault> {
        adopt::adopt(&self.parts, cx)
    }

    /// Removes catalog rows of backups whose objects are gone from storage; never objects.
    pub fn purge_invalid_backups(&self, cx: &Context) -> Result<PurgeReport, Fault> {
        rebuild::purge_invalid(&self.parts, cx)
    }

    /// State of the engine, newest backups, space.
    pub fn status(&self, cx: &Context) -> Result<Status, Fault> {
        status::status(&self.parts, cx)
    }

    /// The name of the backup a selector means.
    pub fn resolve(&self, selector: &Selector, cx: &Context) -> Result<ArchiveName, Fault> {
        resolve(&self.parts, selector, cx)
    }

    fn catalog(&self) -> Result<&Arc<dyn Catalog>, Fault> {
        self.parts.catalog.as_ref().ok_or_else(|| {
            Fault::new(
                FaultKind::Unavailable,
                "there is no catalog",
                "configure [catalog] url, or let the role create the schema of the catalog",
            )
        })
    }
}

/// The name of the backup a selector means; [`FaultKind::NotFound`] where there is none.
pub(crate) fn resolve(
    parts: &Parts,
    selector: &Selector,
    cx: &Context,
) -> Result<ArchiveName, Fault> {
    let nothing = |what: String| Fault::bare(FaultKind::NotFound, what);
    let work = WorkDir::open(&parts.settings.work_dir)?;
    let point = |at| {
        let history = History::load(&parts.store, &*parts.codec, &work, cx)?;
        Ok::<_, Fault>(history.restore_point(at))
    };
    match selector {
        Selector::Latest => {
            point(None)?.ok_or_else(|| nothing("there is no backup in storage".to_owned()))
        }
        Selector::At(at) => {
            point(Some(*at))?.ok_or_else(|| nothing(format!("no backup is as old as {at}")))
        }
        Selector::Name(name) if parts.store.is_sealed(name, cx)? => Ok(name.clone()),
        Selector::Name(name) => Err(nothing(format!("there is no backup {name} in storage"))),
        Selector::Id(id) => by_id(parts, *id)?.ok_or_else(|| {
            nothing(format!(
                "the catalog has no backup of respaldo with id {id}"
            ))
        }),
    }
}

fn by_id(parts: &Parts, id: BackupId) -> Result<Option<ArchiveName>, Fault> {
    let Some(catalog) = &parts.catalog else {
        let hint = "name the backup by its archive, or configure [catalog] url";
        return Err(Fault::new(
            FaultKind::Invalid,
            "without a catalog there are no ids",
            hint,
        ));
    };
    let entry = catalog.get(id)?.filter(|entry| entry.ours);
    Ok(entry.and_then(|entry| entry.archive.parse().ok()))
}
