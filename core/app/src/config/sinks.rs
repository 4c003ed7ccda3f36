//! `[[sink]]`: where backups are stored, each with the options of its kind.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use figment::value::{Dict, Value as Figure};
use respaldo_sinks::{KINDS, Kind};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::environment::Environment;
use super::error::ConfigError;
use super::plugins::read_secrets;

/// Keys that every `[[sink]]` may have.
pub const COMMON_KEYS: &[&str] = &[
    "name",
    "use",
    "required",
    "tries",
    "max_rate",
    "max_parallel",
    "verify",
    "follows_panel",
];

/// One `[[sink]]`.
#[derive(Clone, PartialEq, Deserialize)]
pub struct SinkSettings {
    /// Its own name.
    pub name: String,
    /// The strategy's name.
    #[serde(rename = "use")]
    pub strategy: String,
    /// Whether a backup fails when this sink does.
    #[serde(default = "yes")]
    pub required: bool,
    /// How often a call is tried that fails for a reason which may pass.
    pub tries: Option<u32>,
    /// Most bytes per second, or a text such as "20MiB".
    pub max_rate: Option<super::plugins::Amount>,
    /// Most calls at the same time.
    pub max_parallel: Option<u32>,
    /// Whether what was put is read back and compared.
    #[serde(default)]
    pub verify: bool,
    /// Whether it is used only while the existing panel asks for copies to what it is.
    #[serde(default)]
    pub follows_panel: bool,
    /// What is left are options of its kind. They may be secrets.
    #[serde(flatten)]
    pub options: Map<String, Value>,
}

impl fmt::Debug for SinkSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options: Vec<&String> = self.options.keys().collect();
        f.debug_struct("SinkSettings")
            .field("name", &self.name)
            .field("strategy", &self.strategy)
            .field("required", &self.required)
            .field("options", &options)
            .finish_non_exhaustive()
    }
}

fn yes() -> bool {
    true
}

impl SinkSettings {
    /// A required folder of this machine.
    pub fn local(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            strategy: "local".to_owned(),
            required: true,
            tries: None,
            max_rate: None,
            max_parallel: None,
            verify: false,
            follows_panel: false,
            options: Map::new(),
        }
    }

    /// Whether it is a folder of this machine.
    pub fn is_local(&self) -> bool {
        self.strategy == "local"
    }

    /// Most bytes per second.
    pub fn max_rate_bytes(&self) -> Result<Option<u64>, ConfigError> {
        let bytes = |amount: &super::plugins::Amount| {
            amount.bytes().ok_or_else(|| ConfigError::BadValue {
                key: "sink.max_rate".to_owned(),
                problem: "is not a size: bytes per second, or a text such as \"20MiB\"".to_owned(),
            })
        };
        self.max_rate.as_ref().map(bytes).transpose()
    }

    /// The options by which two sinks of a kind are two places.
    fn place(&self) -> BTreeMap<&String, &Value> {
        let secrets = kind(&self.strategy).map_or(&[][..], |kind| kind.secrets);
        let open = self.options.iter();
        open.filter(|(key, _)| !secrets.contains(&key.as_str()))
            .collect()
    }
}

fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

fn kind_of(table: &Dict) -> Option<&'static Kind> {
    kind(table.get("use")?.as_str()?)
}

/// The keys that a `[[sink]]` may have; `None` where its kind is not known here. The kind is what is
/// complained about then, and a plugin's options belong to the plugin.
pub fn keys_of(table: &Dict) -> Option<Vec<&'static str>> {
    let own = kind_of(table)?.options.iter().copied();
    Some(COMMON_KEYS.iter().copied().chain(own).collect())
}

/// The option of a `[[sink]]` that names the folder where its objects lie.
pub fn folder_option(table: &Dict) -> Option<&'static str> {
    kind_of(table)?.folder
}

/// The options of a `[[sink]]` that are paths on this machine.
pub fn files_of(table: &Dict) -> &'static [&'static str] {
    kind_of(table).map_or(&[], |kind| kind.files)
}

/// Whether a `[[sink]]` is a folder of this machine.
pub fn is_local(table: &Dict) -> bool {
    table.get("use").and_then(Figure::as_str) == Some("local")
}

/// A `[[sink]]` as it may be shown: of secrets, and of what is not known to be none, the name only.
pub fn shown(table: &Dict) -> String {
    let known = kind_of(table);
    let is_open = |key: &str| {
        COMMON_KEYS.contains(&key)
            || known.is_some_and(|kind| kind.options.contains(&key) && !kind.secrets.contains(&key))
    };
    let text = |(key, value): (&String, &Figure)| match is_open(key) {
        true => format!("{key} = {}", super::provenance::text_of(value)),
        false => format!("{key} = (set)"),
    };
    table.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// The sinks of a run: those configured, else the repository folder alone. Secrets are read.
pub fn sinks(
    mut configured: Vec<SinkSettings>,
    repository: &Path,
    environment: &Environment,
) -> Result<Vec<SinkSettings>, ConfigError> {
    if configured.is_empty() {
        configured.push(SinkSettings::local("local"));
    }
    for sink in &mut configured {
        if sink.is_local() {
            let folder = || Value::from(repository.to_string_lossy());
            sink.options.entry("dir").or_insert_with(folder);
        }
        let mut options = Value::Object(std::mem::take(&mut sink.options));
        // One level down: the table itself stands for no secret.
        for (name, value) in options.as_object_mut().into_iter().flatten() {
            read_secrets(value, &format!("sink {:?}: {name}", sink.name), environment)?;
        }
        if let Value::Object(options) = options {
            sink.options = options;
        }
    }
    let follows = |sink: &&SinkSettings| sink.follows_panel && sink.required;
    let problem = repeated(&configured)
        .or_else(|| (!configured[0].required).then(|| "the first sink must be required".to_owned()))
        .or_else(|| {
            let sink = configured.iter().find(follows)?;
            Some(format!(
                "{:?} follows the panel, so no backup can depend on it: add required = false",
                sink.name
            ))
        });
    match problem {
        Some(problem) => Err(ConfigError::BadValue {
            key: "sink".to_owned(),
            problem,
        }),
        None => Ok(configured),
    }
}

fn repeated(sinks: &[SinkSettings]) -> Option<String> {
    sinks.iter().enumerate().find_map(|(at, sink)| {
        let earlier = &sinks[..at];
        let same_place = |other: &SinkSettings| {
            other.strategy == sink.strategy
                && !sink.options.is_empty()
                && other.place() == sink.place()
        };
        if earlier.iter().any(|other| other.name == sink.name) {
            Some(format!("two sinks are named {:?}", sink.name))
        } else if earlier.iter().any(same_place) {
            Some(format!(
                "{:?} stores into the folder of another sink",
                sink.name
            ))
        } else {
            None
        }
    })
}
