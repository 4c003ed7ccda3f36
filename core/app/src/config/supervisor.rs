//! `[supervisor]`: how patient the supervisor is.

use std::time::Duration;

use chrono::TimeDelta;
use figment::value::Value;
use respaldo_domain::supervision::Waits;
use respaldo_engine::supervisor::Times;
use serde::Deserialize;

use super::error::ConfigError;
use super::layer::Sections;
use super::{Sources, keys, merge};

/// Its name.
const SECTION: [&str; 1] = ["supervisor"];

/// `[supervisor]`, in seconds.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupervisorKeys {
    retry_primary_after: u32,
    health_interval: u32,
    retry_run_after: u32,
    stop_within: u32,
    beat_interval: u32,
    parallel_runs: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Alone {
    supervisor: SupervisorKeys,
}

/// How patient the supervisor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SupervisorSettings {
    /// After the first failure to start the engine; doubled from then on.
    pub retry_primary_after: Duration,
    /// Between looks at an engine that is up.
    pub health_interval: Duration,
    /// After the first failure of a run; doubled from then on.
    pub retry_run_after: Duration,
    /// What a run under way gets to end when the service is stopped.
    pub stop_within: Duration,
    /// Between beats.
    pub beat_interval: Duration,
    /// Runs at work at once, over all databases.
    pub parallel_runs: usize,
}

impl Default for SupervisorSettings {
    fn default() -> Self {
        Self {
            retry_primary_after: Duration::from_secs(30),
            health_interval: Duration::from_mins(1),
            retry_run_after: Duration::from_mins(1),
            stop_within: Duration::from_mins(1),
            beat_interval: Duration::from_secs(15),
            parallel_runs: 2,
        }
    }
}

impl SupervisorKeys {
    /// The values, which must make sense.
    pub fn settings(self) -> Result<SupervisorSettings, ConfigError> {
        let seconds = |s: u32| Duration::from_secs(s.into());
        if !(1..=30).contains(&self.beat_interval) || 60 % self.beat_interval != 0 {
            return Err(bad("beat_interval", "a divisor of 60, 1 to 30"));
        }
        if self.retry_primary_after == 0 || self.retry_run_after == 0 || self.health_interval == 0 {
            return Err(bad("retry_..., health_interval", "at least 1 second"));
        }
        if self.parallel_runs == 0 {
            return Err(bad("parallel_runs", "at least 1"));
        }
        Ok(SupervisorSettings {
            retry_primary_after: seconds(self.retry_primary_after),
            health_interval: seconds(self.health_interval),
            retry_run_after: seconds(self.retry_run_after),
            stop_within: seconds(self.stop_within),
            beat_interval: seconds(self.beat_interval),
            parallel_runs: usize::try_from(self.parallel_runs).unwrap_or(usize::MAX),
        })
    }
}

fn bad(key: &str, problem: &str) -> ConfigError {
    ConfigError::BadValue {
        key: format!("supervisor.{key}"),
        problem: problem.to_owned(),
    }
}

impl SupervisorSettings {
    /// Reads this section alone. What cannot be read stops no supervisor: it says so, and takes the defaults.
    pub fn load(sources: &Sources) -> Self {
        let read = || -> Result<Self, ConfigError> {
            let layers = sources.layers_of_all(Sections::Only(&SECTION))?;
            layers.iter().try_for_each(keys::check)?;
            let alone: Alone = merge::merge(&layers)?.settings;
            alone.supervisor.settings()
        };
        read().unwrap_or_else(|error| {
            tracing::warn!(%error, "[supervisor] cannot be read: defaults are taken");
            Self::default()
        })
    }

    /// For the supervisor.
    pub fn times(self) -> Times {
        let times = Times::default();
        let delta = |duration: Duration| TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
        let waits = |first: Duration, longest: TimeDelta| Waits {
            first: delta(first),
            longest: longest.max(delta(first)),
        };
        Times {
            primary: waits(self.retry_primary_after, times.primary.longest),
            run: waits(self.retry_run_after, times.run.longest),
            health: delta(self.health_interval),
        }
    }
}

/// The defaults.
pub fn defaults() -> Vec<(&'static str, Value)> {
    let settings = SupervisorSettings::default();
    [
        ("retry_primary_after", settings.retry_primary_after),
        ("health_interval", settings.health_interval),
        ("retry_run_after", settings.retry_run_after),
        ("stop_within", settings.stop_within),
        ("beat_interval", settings.beat_interval),
    ]
    .map(|(key, value)| (key, Value::from(value.as_secs())))
    .into_iter()
    .chain([("parallel_runs", Value::from(settings.parallel_runs as u64))])
    .collect()
}
