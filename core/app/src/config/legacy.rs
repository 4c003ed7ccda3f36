//! `[legacy]`: the service of whole dumps.

use std::path::PathBuf;
use std::time::Duration;

use figment::value::Value;
use respaldo_legacy::{DEFAULT_DIR, Keep, LegacyConfig, Zone};
use serde::Deserialize;

use super::error::ConfigError;

/// `[legacy]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegacyKeys {
    enabled: bool,
    dir: PathBuf,
    keep_daily: u32,
    keep_weekly: u32,
    keep_monthly: u32,
    keep_manual: u32,
    #[serde(default)]
    sync_dir: Option<PathBuf>,
    timezone: String,
    time_limit_s: u64,
    command: Vec<String>,
}

/// What is configured of the legacy service.
#[derive(Debug, Clone)]
pub struct LegacySettings {
    /// Whether it takes over where the engine cannot start. By hand it works in any case.
    pub enabled: bool,
    /// An existing program that makes the dumps, and its arguments; empty: there is none.
    pub command: Vec<String>,
    /// What the service itself is told. The existing application's own settings are not in it yet.
    pub service: LegacyConfig,
}

impl LegacyKeys {
    /// The values, which must make sense.
    pub fn settings(self, maintenance_user_id: Option<u32>) -> Result<LegacySettings, ConfigError> {
        let keep = self.keep()?;
        let zone = match self.timezone.as_str() {
            "" => Zone::Machine,
            name => Zone::named(name).ok_or_else(|| {
                bad(
                    "timezone",
                    "it names no time zone, such as America/Montevideo",
                )
            })?,
        };
        if self.time_limit_s == 0 {
            return Err(bad("time_limit_s", "nothing can be done in 0 seconds"));
        }
        if self.command.first().is_some_and(String::is_empty) {
            return Err(bad("command", "the first word must be a program"));
        }
        let none = |path: &PathBuf| path.as_os_str().is_empty();
        Ok(LegacySettings {
            enabled: self.enabled,
            command: self.command,
            service: LegacyConfig {
                dir: self.dir,
                keep,
                sync_dir: self.sync_dir.filter(|path| !none(path)),
                zone,
                limit: Duration::from_secs(self.time_limit_s),
                maintenance_user_id,
            },
        })
    }

    fn keep(&self) -> Result<Keep, ConfigError> {
        let keep = Keep {
            daily: self.keep_daily,
            weekly: self.keep_weekly,
            monthly: self.keep_monthly,
            manual: self.keep_manual,
        };
        let counts = [keep.daily, keep.weekly, keep.monthly, keep.manual];
        if counts.contains(&0) {
            return Err(bad(
                "keep_...",
                "at least 1: the newest backup is never removed",
            ));
        }
        Ok(keep)
    }
}

fn bad(key: &str, problem: &str) -> ConfigError {
    ConfigError::BadValue {
        key: format!("legacy.{key}"),
        problem: problem.to_owned(),
    }
}

/// The defaults.
pub fn defaults() -> Vec<(&'static str, Value)> {
    let keep = Keep::default();
    vec![
        ("enabled", Value::from(true)),
        ("dir", Value::from(DEFAULT_DIR)),
        ("keep_daily", Value::from(keep.daily)),
        ("keep_weekly", Value::from(keep.weekly)),
        ("keep_monthly", Value::from(keep.monthly)),
        ("keep_manual", Value::from(keep.manual)),
        ("timezone", Value::from("")),
        (
            "time_limit_s",
            Value::from(LegacyConfig::default().limit.as_secs()),
        ),
        ("command", Value::from(Vec::<Value>::new())),
    ]
}
