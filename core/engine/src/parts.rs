//! What the engine is built from: its strategies and its settings.

use std::path::PathBuf;
use std::sync::Arc;

use respaldo_domain::retention::PolicyOverrides;
use respaldo_domain::second_place::Provider;
use respaldo_domain::table::TableName;
use respaldo_postgres::{ConnInfo, LazyTools};

use crate::ports::{Catalog, ChangeDetector, Codec, Dumper, Validator};
use crate::schedule::ScheduleSettings;
use crate::store::Store;
use crate::validate::Deeper;

/// What the engine is built from. Strategies are chosen by configuration; the engine never asks
/// where they came from.
#[derive(Clone)]
pub struct Parts {
    /// The database that is backed up.
    pub source: ConnInfo,
    /// Stock tools that can read the server.
    pub tools: LazyTools,
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
    /// Relations from which on definitions are taken over from an older backup where they are
    /// proven to be the same.
    pub take_over_from: usize,
    /// How often a dump gives way to a session that waits for its locks.
    pub yields: u32,
    /// Levels looked at right after a backup.
    pub validate_after: Vec<respaldo_domain::validation::ValidationLevel>,
    /// How deep the newest backup is looked into when the schedule asks for a validation.
    pub validate_on_schedule: Deeper,
    /// Sessions that load tables at once.
    pub jobs: usize,
    /// Retention as configured; what is not comes from the catalog's database.
    pub retention: PolicyOverrides,
    /// Whether retention is applied after each backup that succeeded.
    pub expire_after_backup: bool,
    /// When backups are due, as configured.
    pub schedule: ScheduleSettings,
    /// `app.user_id` for restores, as the existing application's policies ask for.
    pub maintenance_user_id: Option<u32>,
    /// The sinks that are second places, by name, the most telling first.
    pub second_places: Vec<(String, Provider)>,
    /// What the panel asks for and is done in another way, or not at all.
    pub second_place_note: Option<String>,
    /// Libraries of others that are in use, for manifests.
    pub plugins: Vec<respaldo_domain::manifest::PluginUse>,
    /// Version of the program, for manifests.
    pub version: String,
}
