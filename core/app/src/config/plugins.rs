//! `[plugins.NAME]`: libraries of others that may be used.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use respaldo_domain::object::Sha256;
use respaldo_plugin_host::{Isolation, Limits, PluginConfig};
use serde::Deserialize;
use serde_json::Value;

use super::environment::Environment;
use super::error::ConfigError;

/// Its keys.
pub const PLUGIN_KEYS: &[&str] = &[
    "path",
    "sha256",
    "id",
    "isolation",
    "trusted",
    "options",
    "env",
    "allow_libraries",
    "load_timeout",
    "stall_timeout",
    "cancel_grace",
    "max_restarts",
    "memory_limit",
];

/// One `[plugins.NAME]` as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginKeys {
    path: PathBuf,
    sha256: String,
    id: Option<String>,
    #[serde(default)]
    isolation: Place,
    #[serde(default)]
    trusted: bool,
    #[serde(default)]
    options: BTreeMap<String, Value>,
    #[serde(default)]
    env: Vec<String>,
    #[serde(default)]
    allow_libraries: Vec<String>,
    load_timeout: Option<Amount>,
    stall_timeout: Option<Amount>,
    cancel_grace: Option<Amount>,
    max_restarts: Option<u32>,
    memory_limit: Option<Amount>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Place {
    #[default]
    Process,
    InProcess,
}

/// A number, or a text with a unit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Amount {
    Number(u64),
    Text(String),
}

/// Seconds, or a text such as "500ms", "10s", "2m".
const TIMES: &[(&str, u64)] = &[("ms", 1), ("s", 1000), ("m", 60_000)];
/// Bytes, or a text such as "512MiB", "2GiB".
const SIZES: &[(&str, u64)] = &[("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

impl PluginKeys {
    /// The plugin of that name; secrets of its options are read.
    pub fn config(
        self,
        name: &str,
        environment: &Environment,
    ) -> Result<PluginConfig, ConfigError> {
        let key = |key: &str| format!("plugins.{name}.{key}");
        let bad = |of: &str, problem: &str| ConfigError::BadValue {
            key: key(of),
            problem: problem.to_owned(),
        };
        let sha256 = Sha256::try_from(self.sha256.to_lowercase());
        let sha256 = sha256.map_err(|_| {
            bad(
                "sha256",
                "is not a SHA-256 of 64 hexadecimal digits; `respaldo plugin pin PATH` prints it",
            )
        })?;
        if !self.path.is_absolute() {
            return Err(bad(
                "path",
                "must be absolute: a plugin is not searched for",
            ));
        }
        let isolation = match self.isolation {
            Place::Process => Isolation::Process,
            Place::InProcess if self.trusted => Isolation::InProcess,
            Place::InProcess => {
                let problem = "in-process lets the plugin take respaldo down with it; add `trusted = true` if that is meant";
                return Err(bad("isolation", problem));
            }
        };
        let usual = Limits::default();
        let time = |of: &str, amount: Option<Amount>, usual: Duration| match amount {
            None => Ok(usual),
            Some(amount) => amount
                .times(TIMES, 1000)
                .filter(|ms| *ms > 0)
                .map(Duration::from_millis)
                .ok_or_else(|| {
                    bad(
                        of,
                        "is not a time: seconds, or a text such as \"10s\" or \"2m\"",
                    )
                }),
        };
        let limits = Limits {
            load: time("load_timeout", self.load_timeout, usual.load)?,
            stall: time("stall_timeout", self.stall_timeout, usual.stall)?,
            grace: time("cancel_grace", self.cancel_grace, usual.grace)?,
            max_restarts: self.max_restarts.unwrap_or(usual.max_restarts),
            memory_bytes: self
                .memory_limit
                .map(|amount| {
                    amount.bytes().ok_or_else(|| {
                        bad(
                            "memory_limit",
                            "is not a size: bytes, or a text such as \"512MiB\"",
                        )
                    })
                })
                .transpose()?,
        };
        let mut options = Value::Object(self.options.into_iter().collect());
        read_secrets(&mut options, &key("options"), environment)?;
        Ok(PluginConfig {
            name: name.to_owned(),
            path: self.path,
            id: self.id,
            sha256,
            isolation,
            options,
            env: self.env,
            allow_libraries: self.allow_libraries,
            limits,
            program: PluginConfig::own_program(),
        })
    }
}

impl Amount {
    /// Bytes, where it is a number of them above zero.
    pub fn bytes(&self) -> Option<u64> {
        self.times(SIZES, 1).filter(|bytes| *bytes > 0)
    }

    fn times(&self, units: &[(&str, u64)], plain: u64) -> Option<u64> {
        match self {
            Self::Number(number) => number.checked_mul(plain),
            Self::Text(text) => units.iter().find_map(|(unit, factor)| {
                let number = text.trim().strip_suffix(unit)?.trim_end();
                number.parse::<u64>().ok()?.checked_mul(*factor)
            }),
        }
    }
}

/// A table of the one key `env` or `file` stands for the secret that it names, at any depth.
pub fn read_secrets(
    value: &mut Value,
    key: &str,
    environment: &Environment,
) -> Result<(), ConfigError> {
    let inner = |name: &str| format!("{key}.{name}");
    match value {
        Value::Object(table) => {
            let source = (table.len() == 1)
                .then(|| table.iter().next())
                .flatten()
                .and_then(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
            match source {
                Some((name, variable)) if name == "env" => {
                    let found = environment.get(&variable);
                    let secret = found.ok_or_else(|| ConfigError::SecretMissing {
                        key: key.to_owned(),
                        variable: variable.clone(),
                    })?;
                    *value = Value::from(secret);
                }
                Some((name, path)) if name == "file" => {
                    let path = environment.folder().join(Path::new(&path));
                    let text = std::fs::read_to_string(&path);
                    let text = text.map_err(|source| ConfigError::SecretUnreadable {
                        key: key.to_owned(),
                        path: path.clone(),
                        source,
                    })?;
                    *value = Value::from(text.trim_end_matches(['\r', '\n']));
                }
                _ => {
                    for (name, value) in table.iter_mut() {
                        read_secrets(value, &inner(name), environment)?;
                    }
                }
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter_mut().enumerate() {
                read_secrets(item, &inner(&number.to_string()), environment)?;
            }
        }
        _ => {}
    }
    Ok(())
}
