//! Configuration: defaults, then `respaldo.toml`, then the environment, then what a caller sets.
//!
//! Secrets never pass through the merging of layers: each layer hands them over apart, they are
//! read into memory that is wiped, and no error or listing shows one. Unknown keys are errors,
//! and so are sections whose feature this version does not have: silence would be a promise.

mod connection;
mod environment;
mod error;
mod keys;
mod layer;
mod merge;
mod passfile;
mod provenance;
mod secret;
mod settings;
mod template;

use std::path::{Path, PathBuf};

use respaldo_domain::retention::PolicyOverrides;
use respaldo_domain::table::TableName;
use respaldo_postgres::ConnInfo;

pub use environment::Environment;
pub use error::ConfigError;
pub use layer::{Layer, Origin};
pub use provenance::{Provenance, Shown};
pub use settings::{SinkSettings, StrategySettings, ValidatorSettings};
pub use template::template;

pub use connection::from_url as connection_from_url;

/// Name of the configuration file looked for in the working folder.
pub const FILE_NAME: &str = "respaldo.toml";

/// Everything that was configured, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The database to back up; holds the secret.
    pub source: ConnInfo,
    /// Folder of pg_dump and its siblings; `None`: search the usual places.
    pub pg_bin_path: Option<PathBuf>,
    /// Schemas left out altogether.
    pub exclude_schemas: Vec<String>,
    /// Tables whose rows are left out.
    pub exclude_tables: Vec<TableName>,
    /// `app.user_id` of restores, where set.
    pub maintenance_user_id: Option<u32>,
    /// Where the catalog lives; `None`: there is none.
    pub catalog: Option<ConnInfo>,
    /// The repository folder on this machine, for the spool and the default sink.
    pub repository: PathBuf,
    /// The change detector.
    pub detector: StrategySettings,
    /// The dumper.
    pub dumper: StrategySettings,
    /// Where backups are stored, the one read from first.
    pub sinks: Vec<SinkSettings>,
    /// Validators run after a backup.
    pub validators: Vec<ValidatorSettings>,
    /// Retention, where it is configured.
    pub retention: PolicyOverrides,
    /// Whether retention is applied after each backup that succeeded.
    pub expire_after_backup: bool,
    /// Where each value came from.
    pub provenance: Provenance,
}

impl Config {
    /// Reads every layer: `file` is the one of `--config`; `set` holds a caller's own settings,
    /// which win over all others.
    pub fn load(
        file: Option<&Path>,
        environment: &Environment,
        set: Vec<Layer>,
    ) -> Result<Self, ConfigError> {
        let mut layers = vec![layer::defaults()];
        layers.extend(layer::file(file, environment)?);
        layers.extend(layer::environment(environment)?);
        layers.extend(set);
        layers.iter().try_for_each(keys::check)?;
        let merged = merge::merge(&layers)?;
        let secrets = secret::merge(layers);
        let source = connection::source(&secrets, environment)?;
        let catalog = connection::catalog(&secrets, environment)?;
        let provenance = provenance::of(&merged.figment, &source, catalog.as_ref());
        let settings = merged.settings;
        Ok(Self {
            pg_bin_path: settings.database.pg_bin_path(),
            exclude_tables: settings.database.exclude_tables()?,
            exclude_schemas: settings.database.exclude_schemas,
            maintenance_user_id: Some(settings.database.maintenance_user_id).filter(|id| *id > 0),
            catalog: settings
                .catalog
                .enabled
                .then(|| catalog.unwrap_or(source.clone()).info),
            source: source.info,
            sinks: settings::sinks(settings.sink, &settings.repository.dir)?,
            validators: settings::validators(settings.validator)?,
            retention: settings.retention.overrides()?,
            expire_after_backup: settings.retention.purge == settings::Purge::Auto,
            repository: settings.repository.dir,
            detector: settings.detector,
            dumper: settings.dumper,
            provenance,
        })
    }
}

#[cfg(test)]
mod tests;
