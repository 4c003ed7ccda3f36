//! Configuration: defaults, then `respaldo.toml`, then the environment, then what a caller sets.
//!
//! Secrets never pass through the merging of layers: each layer hands them over apart, they are
//! read into memory that is wiped, and no error or listing shows one. Unknown keys are errors.

mod connection;
mod encryption;
mod environment;
mod error;
mod fleet;
mod keys;
mod layer;
mod legacy;
mod merge;
mod notify;
mod panel;
mod passfile;
mod plugins;
mod provenance;
mod schedule;
mod secret;
mod settings;
mod sinks;
mod sources;
mod supervisor;
mod template;

use std::collections::BTreeMap;
use std::path::PathBuf;

use respaldo_domain::retention::PolicyOverrides;
use respaldo_domain::table::TableName;
use respaldo_engine::schedule::ScheduleSettings;
use respaldo_plugin_host::PluginConfig;
use respaldo_postgres::ConnInfo;

pub use encryption::EncryptionSettings;
pub use environment::Environment;
pub use error::ConfigError;
pub use layer::{Layer, Origin};
pub use legacy::LegacySettings;
pub use notify::NotifySettings;
pub use panel::PanelSettings;
pub use provenance::{Provenance, Shown};
pub use settings::{LogFormat, StrategySettings, ValidatorSettings, ValidatorTime};
pub use sinks::SinkSettings;
pub use sources::Sources;
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
    /// Validators, and when they run.
    pub validators: Vec<ValidatorSettings>,
    /// Libraries of others, by the name that the strategies above use.
    pub plugins: BTreeMap<String, PluginConfig>,
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
    /// Where the service listens.
    pub panel: PanelSettings,
    /// Whom to tell.
    pub notify: NotifySettings,
    /// For whom backups are encrypted, and what opens them.
    pub encryption: EncryptionSettings,
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
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let layers = sources.layers(Sections::Only(&settings::FEW))?;
        Self::of(layers, &sources.environment)
    }

    /// What the environment alone says, for when the file cannot be read.
    pub fn without_file(sources: &Sources) -> Result<Self, ConfigError> {
        let layers = sources.without_file(Sections::Only(&settings::FEW))?;
        Self::of(layers, &sources.environment)
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
pub fn log_format(sources: &Sources) -> LogFormat {
    let layers = sources.layers_of_all(Sections::Only(&["log"]));
    merge::merge::<settings::LogOnly>(&layers.unwrap_or_default())
        .map(|merged| merged.settings.log.format)
        .unwrap_or_default()
}

impl Config {
    /// Reads every layer; `set` holds a caller's own settings, which win over all others.
    pub fn load(sources: &Sources, set: Vec<Layer>) -> Result<Self, ConfigError> {
        let environment = &sources.environment;
        let mut layers = sources.layers(Sections::All)?;
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
            panel: settings.panel.settings()?,
            notify: settings.notify.settings(&secrets, environment)?,
            encryption: settings.encryption.settings(&secrets, environment)?,
            catalog: settings
                .catalog
                .enabled
                .then(|| catalog.unwrap_or(source.clone()).info),
            source: source.info,
            sinks: sinks::sinks(settings.sink, &settings.repository.dir, environment)?,
            validators: settings.validator,
            plugins: plugins(settings.plugins, environment)?,
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

fn plugins(
    written: BTreeMap<String, plugins::PluginKeys>,
    environment: &Environment,
) -> Result<BTreeMap<String, PluginConfig>, ConfigError> {
    let config = |(name, keys): (String, plugins::PluginKeys)| {
        let config = keys.config(&name, environment)?;
        Ok((name, config))
    };
    written.into_iter().map(config).collect()
}

#[cfg(test)]
mod tests;
