//! Secrets: taken out of each layer before layers are merged, read only when needed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use figment::value::{Dict, Value};
use secrecy::SecretString;

use super::environment::Environment;
use super::error::ConfigError;
use super::keys::{KEYS, KeyKind};
use super::layer::{Layer, Origin};

/// A secret as one layer gives it.
#[derive(Debug, Clone)]
pub struct SecretSetting {
    /// Its key, such as `database.url`.
    pub key: String,
    /// Where it was given.
    pub origin: Origin,
    source: SecretSource,
}

#[derive(Debug, Clone)]
enum SecretSource {
    Plain(SecretString),
    File(PathBuf),
    Variable(String),
}

impl SecretSetting {
    /// A secret given as it is.
    pub fn plain(key: &str, origin: Origin, value: SecretString) -> Self {
        Self {
            key: key.to_owned(),
            origin,
            source: SecretSource::Plain(value),
        }
    }

    /// A secret in a variable of its own, or (`part` "file" or "env") the place where it is.
    pub fn of_variable(
        key: &str,
        part: &str,
        origin: Origin,
        text: &str,
    ) -> Result<Self, ConfigError> {
        let source = match part {
            "" => SecretSource::Plain(text.into()),
            "file" => SecretSource::File(text.into()),
            "env" => SecretSource::Variable(text.to_owned()),
            _ => {
                let (key, origin) = (format!("{key}.{part}"), origin.to_string());
                return Err(ConfigError::UnknownKey {
                    key,
                    origin,
                    suggestion: None,
                });
            }
        };
        Ok(Self {
            key: key.to_owned(),
            origin,
            source,
        })
    }

    /// The secret itself.
    pub fn read(&self, environment: &Environment) -> Result<SecretString, ConfigError> {
        match &self.source {
            SecretSource::Plain(value) => Ok(value.clone()),
            SecretSource::Variable(name) => {
                environment
                    .get(name)
                    .map(Into::into)
                    .ok_or_else(|| ConfigError::SecretMissing {
                        key: self.key.clone(),
                        variable: name.clone(),
                    })
            }
            SecretSource::File(path) => std::fs::read_to_string(path)
                .map(|text| text.trim_end_matches(['\r', '\n']).into())
                .map_err(|source| ConfigError::SecretUnreadable {
                    key: self.key.clone(),
                    path: path.clone(),
                    source,
                }),
        }
    }

    /// The file that it is in, where it is in one.
    pub fn file(&self) -> Option<&Path> {
        match &self.source {
            SecretSource::File(path) => Some(path),
            SecretSource::Plain(_) | SecretSource::Variable(_) => None,
        }
    }

    /// Where it was given and where it is kept, for people.
    pub fn described(&self) -> String {
        match &self.source {
            SecretSource::Plain(_) => self.origin.to_string(),
            SecretSource::File(path) => format!("{} (file {})", self.origin, path.display()),
            SecretSource::Variable(name) => format!("{} (variable {name})", self.origin),
        }
    }
}

/// Takes every secret out of a file's values. Paths of secret files are relative to `folder`.
pub fn take(
    values: &mut Dict,
    origin: &Origin,
    folder: &Path,
) -> Result<Vec<SecretSetting>, ConfigError> {
    let mut taken = Vec::new();
    for (section, name, _) in KEYS.iter().filter(|(_, _, kind)| *kind == KeyKind::Secret) {
        let Some(Value::Dict(_, table)) = values.get_mut(*section) else {
            continue;
        };
        let Some(value) = table.remove(*name) else {
            continue;
        };
        let key = format!("{section}.{name}");
        let source = source_of(&value, folder).ok_or_else(|| ConfigError::WrongType {
            key: key.clone(),
            origin: origin.to_string(),
            found: "something else",
            expected: "a text, { file = \"...\" } or { env = \"...\" }".to_owned(),
        })?;
        taken.push(SecretSetting {
            key,
            origin: origin.clone(),
            source,
        });
    }
    Ok(taken)
}

fn source_of(value: &Value, folder: &Path) -> Option<SecretSource> {
    if let Some(text) = value.as_str() {
        return Some(SecretSource::Plain(text.into()));
    }
    let table = value.as_dict().filter(|table| table.len() == 1)?;
    let (part, text) = table.iter().next()?;
    match (part.as_str(), text.as_str()?) {
        ("file", path) => Some(SecretSource::File(folder.join(path))),
        ("env", name) => Some(SecretSource::Variable(name.to_owned())),
        _ => None,
    }
}

/// The secret of each key that the last layer to give one gives.
pub fn merge(layers: Vec<Layer>) -> BTreeMap<String, SecretSetting> {
    let all = layers.into_iter().flat_map(|layer| layer.secrets);
    all.map(|secret| (secret.key.clone(), secret)).collect()
}
