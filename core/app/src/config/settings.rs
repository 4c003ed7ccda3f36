//! The sections of the configuration file as typed values.

use std::collections::BTreeMap;
use std::path::PathBuf;

use figment::value::{Dict, Value};
use respaldo_contract::settings::retention;
use respaldo_domain::retention::{Policy, PolicyOverrides};
use respaldo_domain::table::TableName;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::encryption::EncryptionKeys;
use super::error::ConfigError;
use super::legacy::{self, LegacyKeys};
use super::notify::NotifyKeys;
use super::panel::{self, PanelKeys};
use super::plugins::PluginKeys;
use super::schedule::{self, ScheduleKeys};
use super::sinks::SinkSettings;
use super::supervisor::{self, SupervisorKeys};

/// All sections, secrets aside.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub database: DatabaseSettings,
    pub catalog: CatalogSettings,
    pub repository: RepositorySettings,
    pub detector: StrategySettings,
    pub dumper: StrategySettings,
    #[serde(default)]
    pub sink: Vec<SinkSettings>,
    pub validator: Vec<ValidatorSettings>,
    #[serde(default)]
    pub plugins: BTreeMap<String, PluginKeys>,
    pub retention: RetentionKeys,
    pub legacy: LegacyKeys,
    pub schedule: ScheduleKeys,
    pub supervisor: SupervisorKeys,
    pub panel: PanelKeys,
    #[serde(default)]
    pub notify: NotifyKeys,
    #[serde(default)]
    pub encryption: EncryptionKeys,
    #[expect(dead_code, reason = "read before the others, and checked with them")]
    log: LogKeys,
}

/// `[log]` alone; what the environment sets in other sections is passed over.
#[derive(Debug, Deserialize)]
pub struct LogOnly {
    pub log: LogKeys,
}

/// `[log]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogKeys {
    /// How a line looks.
    pub format: LogFormat,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON document per line, for programs.
    Json,
}

/// The sections that the legacy service needs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FewSettings {
    pub database: DatabaseSettings,
    pub legacy: LegacyKeys,
}

/// Their names.
pub const FEW: [&str; 2] = ["database", "legacy"];

/// `[retention]`: what is given here wins over what the database stores.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionKeys {
    full_months: Option<u32>,
    dif_weeks: Option<u32>,
    inc_days: Option<u32>,
    min_chains: Option<u32>,
    /// When it is applied.
    pub purge: Purge,
}

/// When retention is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purge {
    /// After each backup that succeeded.
    Auto,
    /// When somebody asks for it.
    Manual,
}

impl RetentionKeys {
    /// The values given, which must make sense.
    pub fn overrides(&self) -> Result<PolicyOverrides, ConfigError> {
        let overrides = PolicyOverrides {
            full_months: self.full_months,
            dif_weeks: self.dif_weeks,
            inc_days: self.inc_days,
            min_chains: self.min_chains,
        };
        let policy = overrides.over(Policy::default());
        retention::check(&policy).map_err(|error| ConfigError::BadValue {
            key: "retention".to_owned(),
            problem: error.to_string(),
        })?;
        Ok(overrides)
    }
}

/// `[database]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    #[serde(default)]
    pg_bin_path: Option<PathBuf>,
    pub exclude_schemas: Vec<String>,
    exclude_tables: Vec<String>,
    maintenance_user_id: u32,
}

impl DatabaseSettings {
    /// `app.user_id` of restores, where set.
    pub fn user_id(&self) -> Option<u32> {
        Some(self.maintenance_user_id).filter(|id| *id > 0)
    }

    /// Folder of the tools; an empty text means none.
    pub fn pg_bin_path(&self) -> Option<PathBuf> {
        self.pg_bin_path
            .clone()
            .filter(|path| !path.as_os_str().is_empty())
    }

    /// Tables by name.
    pub fn exclude_tables(&self) -> Result<Vec<TableName>, ConfigError> {
        let parse = |text: &String| {
            TableName::parse(text).ok_or_else(|| ConfigError::BadValue {
                key: "database.exclude_tables".to_owned(),
                problem: format!("{text:?} is not of the form schema.table"),
            })
        };
        self.exclude_tables.iter().map(parse).collect()
    }
}

/// `[catalog]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogSettings {
    pub enabled: bool,
}

/// `[repository]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepositorySettings {
    pub dir: PathBuf,
}

/// A strategy by its name: `[detector]`, `[dumper]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StrategySettings {
    /// Its name.
    #[serde(rename = "use")]
    pub name: String,
    /// Its own options, of those that exist.
    #[serde(flatten)]
    pub options: BTreeMap<String, serde_json::Value>,
}

impl StrategySettings {
    /// The options as the strategy's own type.
    pub fn options<T: DeserializeOwned>(&self, section: &str) -> Result<T, ConfigError> {
        let options = self.options.clone().into_iter().collect();
        // The parser's words quote the value; what it expects is in the documentation.
        serde_json::from_value(serde_json::Value::Object(options)).map_err(|_| {
            ConfigError::BadValue {
                key: section.to_owned(),
                problem: format!(
                    "an option has a value of the wrong type or sign; the options are {}",
                    self.options.keys().cloned().collect::<Vec<_>>().join(", ")
                ),
            }
        })
    }
}

/// One `[[validator]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidatorSettings {
    /// The strategy's name.
    #[serde(rename = "use")]
    pub strategy: String,
    /// When it runs.
    #[serde(default)]
    pub when: ValidatorTime,
}

/// When a configured validator runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValidatorTime {
    /// Right after each backup.
    #[default]
    AfterBackup,
    /// Once a day, by the scheduler.
    Daily,
    /// Once a week, by the scheduler.
    Weekly,
}

/// The defaults of every key that has one.
pub fn defaults() -> Dict {
    let empty = || Value::from(Vec::<Value>::new());
    let table = |pairs: Vec<(&str, Value)>| {
        Value::from(
            pairs
                .into_iter()
                .map(|(key, v)| (key.to_owned(), v))
                .collect::<Dict>(),
        )
    };
    let sections = vec![
        (
            "database",
            table(vec![
                ("exclude_schemas", empty()),
                ("exclude_tables", empty()),
                ("maintenance_user_id", Value::from(0_u64)),
            ]),
        ),
        ("catalog", table(vec![("enabled", Value::from(true))])),
        (
            "repository",
            table(vec![("dir", Value::from("backups_incrementales"))]),
        ),
        ("detector", table(vec![("use", Value::from("pg-stat"))])),
        ("dumper", table(vec![("use", Value::from(usual_dumper()))])),
        ("validator", empty()),
        ("retention", table(vec![("purge", Value::from("manual"))])),
        ("legacy", table(legacy::defaults())),
        ("schedule", table(schedule::defaults())),
        ("supervisor", table(supervisor::defaults())),
        ("panel", table(panel::defaults())),
        ("log", table(vec![("format", Value::from("text"))])),
    ];
    sections
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The first of those that were built in: a build may have `pg-dump` alone.
fn usual_dumper() -> &'static str {
    respaldo_dumpers::NAMES
        .first()
        .copied()
        .unwrap_or("parallel")
}
