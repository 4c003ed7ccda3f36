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
mod legacy;
mod merge;
mod notify;
mod passfile;
mod provenance;
mod schedule;
mod secret;
mod settings;
mod supervisor;
mod template;

use std::path::{Path, PathBuf};

use respaldo_domain::retention::PolicyOverrides;
use respaldo_domain::table::TableName;
use respaldo_engine::schedule::ScheduleSettings;
use respaldo_postgres::ConnInfo;

pub use environment::Environment;
pub use error::ConfigError;
pub use layer::{Layer, Origin};
pub use legacy::LegacySettings;
pub use notify::NotifySettings;
pub use provenance::{Provenance, Shown};
pub use settings::{LogFormat, SinkSettings, StrategySettings, ValidatorSettings};
pub use supervisor::SupervisorSettings;
pub use template::template;

use layer::Sections;
use settings::{FewSettings, Settings};

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
    /// When backups are due, where nothing is stored beside the catalog.
    pub schedule: ScheduleSettings,
    /// The legacy service.
    pub legacy: LegacySettings,
    /// The supervisor.
    pub supervisor: SupervisorSettings,
    /// Whom to tell.
    pub notify: NotifySettings,
    /// Where each value came from.
    pub provenance: Provenance,
}

/// What the legacy service needs of the configuration, and nothing else.
#[derive(Debug, Clone)]
pub struct LegacySetup {
    /// The database to back up; holds the secret.
    pub source: ConnInfo,
    /// Folder of pg_dump and its siblings; `None`: search the usual places.
    pub pg_bin_path: Option<PathBuf>,
    /// The service.
    pub legacy: LegacySettings,
}

impl LegacySetup {
    /// Reads the sections `[database]` and `[legacy]` of every layer. What is wrong with the others
    /// stops no legacy backup.
    pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Self, ConfigError> {
        let sections = Sections::Only(&settings::FEW);
        Self::of(layers(file, environment, sections)?, environment)
    }

    /// What the environment alone says, for when the file cannot be read.
    pub fn of_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let sections = Sections::Only(&settings::FEW);
        let defaults = layer::defaults(sections);
        let variables = layer::environment(environment, sections)?;
        Self::of(
            [defaults].into_iter().chain(variables).collect(),
            environment,
        )
    }

    fn of(layers: Vec<Layer>, environment: &Environment) -> Result<Self, ConfigError> {
        layers.iter().try_for_each(keys::check)?;
        let settings: FewSettings = merge::merge(&layers)?.settings;
        let source = connection::source(&secret::merge(layers), environment)?;
        Ok(Self {
            source: source.info,
            pg_bin_path: settings.database.pg_bin_path(),
            legacy: settings.legacy.settings(settings.database.user_id())?,
        })
    }
}

/// What section `[log]` asks for, before anything else is read. A mistake anywhere is told by whoever reads
/// all of it.
pub fn log_format(file: Option<&Path>, environment: &Environment) -> LogFormat {
    let sections = Sections::Only(&["log"]);
    let layers = layers(file, environment, sections).unwrap_or_default();
    merge::merge::<settings::LogOnly>(&layers)
        .map(|merged| merged.settings.log.format)
        .unwrap_or_default()
}

/// The layers below what a caller sets.
fn layers(
    file: Option<&Path>,
    environment: &Environment,
    sections: Sections,
) -> Result<Vec<Layer>, ConfigError> {
    let mut layers = vec![layer::defaults(sections)];
    layers.extend(layer::file(file, environment, sections)?);
    layers.extend(layer::environment(environment, sections)?);
    Ok(layers)
}

impl Config {
    /// Reads every layer: `file` is the one of `--config`; `set` holds a caller's own settings,
    /// which win over all others.
    pub fn load(
        file: Option<&Path>,
        environment: &Environment,
        set: Vec<Layer>,
    ) -> Result<Self, ConfigError> {
        let mut layers = layers(file, environment, Sections::All)?;
        layers.extend(set);
        layers.iter().try_for_each(keys::check)?;
        let merged = merge::merge(&layers)?;
        let secrets = secret::merge(layers);
        let source = connection::source(&secrets, environment)?;
        let catalog = connection::catalog(&secrets, environment)?;
        let provenance = provenance::of(&merged.figment, &source, catalog.as_ref(), &secrets);
        let settings: Settings = merged.settings;
        let user_id = settings.database.user_id();
        Ok(Self {
            pg_bin_path: settings.database.pg_bin_path(),
            exclude_tables: settings.database.exclude_tables()?,
            exclude_schemas: settings.database.exclude_schemas,
            maintenance_user_id: user_id,
            legacy: settings.legacy.settings(user_id)?,
            supervisor: settings.supervisor.settings()?,
            notify: settings.notify.settings(&secrets, environment)?,
            catalog: settings
                .catalog
                .enabled
                .then(|| catalog.unwrap_or(source.clone()).info),
            source: source.info,
            sinks: settings::sinks(settings.sink, &settings.repository.dir)?,
            validators: settings::validators(settings.validator)?,
            retention: settings.retention.overrides()?,
            expire_after_backup: settings.retention.purge == settings::Purge::Auto,
            schedule: settings.schedule.settings(environment)?,
            repository: settings.repository.dir,
            detector: settings.detector,
            dumper: settings.dumper,
            provenance,
        })
    }
}

#[cfg(test)]
mod tests;
