//! The layers a configuration is made of, each with its name for people.

use std::fmt;
use std::path::{Path, PathBuf};

use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};

use super::environment::Environment;
use super::error::ConfigError;
use super::keys::{self, KeyKind};
use super::secret::{self, SecretSetting};
use super::sinks;
use super::{FILE_NAME, notify, settings};

/// Prefix of variables that set a key: `RESPALDO_<SECTION>__<KEY>`.
const PREFIX: &str = "RESPALDO_";

/// Where a setting was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: what holds without a word.
    Default,
    /// A configuration file.
    File(PathBuf),
    /// An entry of `[[databases]]` in it.
    Database {
        /// The file.
        path: PathBuf,
        /// The entry's name.
        name: String,
    },
    /// An environment variable.
    Variable(String),
    /// The program that uses this library, or a flag.
    Caller,
    /// libpq's own variables and defaults.
    Libpq,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the defaults"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Database { path, name } => {
                write!(f, "{}, database {name}", path.display())
            }
            Self::Variable(name) => write!(f, "the environment variable {name}"),
            Self::Caller => f.write_str("the command line"),
            Self::Libpq => f.write_str("libpq's variables and defaults"),
        }
    }
}

/// Settings of one origin; the secrets among them apart.
pub struct Layer {
    /// Where they were given.
    pub origin: Origin,
    pub(super) values: Dict,
    pub(super) secrets: Vec<SecretSetting>,
}

impl Layer {
    /// A layer of the caller with one text, number or switch, for example `repository.dir`.
    pub fn set(key: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        let values = match key.split_once('.') {
            Some((section, key)) => table(section, table(key, value).into()),
            None => table(key, value),
        };
        Self {
            origin: Origin::Caller,
            values,
            secrets: Vec::new(),
        }
    }

    /// A layer of the caller with a secret, for example `database.url`.
    pub fn set_secret(key: &str, value: secrecy::SecretString) -> Self {
        let setting = SecretSetting::plain(key, Origin::Caller, value);
        Self {
            origin: Origin::Caller,
            values: Dict::new(),
            secrets: vec![setting],
        }
    }
}

impl Provider for &Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.to_string())
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

/// Which sections are read: a mistake in another one is nobody's business.
#[derive(Debug, Clone, Copy)]
pub enum Sections {
    /// All of them.
    All,
    /// Only those of these names.
    Only(&'static [&'static str]),
}

impl Sections {
    pub fn has(self, section: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(&section),
        }
    }
}

/// What holds where nothing else is said.
pub fn defaults(sections: Sections) -> Layer {
    let mut values = settings::defaults();
    values.retain(|section, _| sections.has(section));
    Layer {
        origin: Origin::Default,
        values,
        secrets: Vec::new(),
    }
}

/// The configuration file: the one asked for, which must exist, else `respaldo.toml` in the
/// working folder, which may be missing.
pub fn file(
    asked: Option<&Path>,
    environment: &Environment,
) -> Result<Option<FileValues>, ConfigError> {
    let asked = asked.or_else(|| environment.get("RESPALDO_CONFIG").map(Path::new));
    let path = environment
        .folder()
        .join(asked.unwrap_or(Path::new(FILE_NAME)));
    match std::fs::read_to_string(&path) {
        Ok(text) => from_text(&path, &text).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => match asked {
            Some(_) => Err(ConfigError::FileMissing(path)),
            None => Ok(None),
        },
        Err(source) => Err(ConfigError::FileUnreadable { path, source }),
    }
}

/// What a file, or a part of it, says.
pub struct FileValues {
    /// The file.
    pub path: PathBuf,
    /// The file, or the part of it.
    pub origin: Origin,
    /// All of it.
    pub values: Dict,
}

impl FileValues {
    /// Some of it as a layer.
    pub fn layer(self, sections: Sections) -> Result<Layer, ConfigError> {
        let Self {
            path,
            origin,
            mut values,
        } = self;
        values.retain(|section, _| sections.has(section));
        notify::flatten(&mut values);
        let folder = path.parent().unwrap_or(Path::new(""));
        let secrets = secret::take(&mut values, &origin, folder)?;
        anchor_paths(&mut values, folder);
        Ok(Layer {
            origin,
            values,
            secrets,
        })
    }
}

fn from_text(path: &Path, text: &str) -> Result<FileValues, ConfigError> {
    let values: Dict = Toml::from_str(text).map_err(|error| {
        // The parser's own display quotes the line, which may hold a password.
        let before = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = text[..before].matches('\n').count() + 1;
        ConfigError::Syntax {
            path: path.to_owned(),
            line,
            message: error.message().to_owned(),
        }
    })?;
    Ok(FileValues {
        origin: Origin::File(path.to_owned()),
        path: path.to_owned(),
        values,
    })
}

/// Relative paths in a file are relative to the file, wherever the program is started.
fn anchor_paths(values: &mut Dict, folder: &Path) {
    let anchor = |value: &mut Value| {
        if let Value::String(_, text) = value {
            *text = folder.join(&*text).to_string_lossy().into_owned();
        }
    };
    for (section, key, _) in keys::KEYS
        .iter()
        .filter(|(_, _, kind)| *kind == KeyKind::Path)
    {
        if let Some(Value::Dict(_, table)) = values.get_mut(*section) {
            table.get_mut(*key).into_iter().for_each(anchor);
        }
    }
    if let Some(Value::Array(_, sinks)) = values.get_mut("sink") {
        for sink in sinks {
            if let Value::Dict(_, table) = sink {
                for option in sinks::files_of(table) {
                    table.get_mut(*option).into_iter().for_each(anchor);
                }
            }
        }
    }
}

/// The environment: variables of the existing system first, ours win over them. One layer each,
/// so that every value names its variable.
pub fn environment(
    environment: &Environment,
    sections: Sections,
) -> Result<Vec<Layer>, ConfigError> {
    let mut layers = Vec::new();
    for (name, section, key) in [
        ("PG_BIN_PATH", "database", "pg_bin_path"),
        ("DB_MAINTENANCE_USER_ID", "database", "maintenance_user_id"),
        ("DATABASE_URL", "database", "url"),
    ] {
        if let Some(text) = environment.get(name).filter(|_| sections.has(section)) {
            layers.push(from_variable(name, section, key, text)?);
        }
    }
    for (name, text) in environment.all() {
        let set = key_of_variable(name)?;
        if let Some((section, key)) = set.filter(|(section, _)| sections.has(section)) {
            layers.push(from_variable(name, &section, &key, text)?);
        }
    }
    Ok(layers)
}

/// The section and key a variable of ours sets. Variables without `__` set none, but one that
/// was meant to is pointed out.
fn key_of_variable(name: &str) -> Result<Option<(String, String)>, ConfigError> {
    let Some(rest) = name.strip_prefix(PREFIX) else {
        return Ok(None);
    };
    if let Some((section, key)) = rest.split_once("__") {
        let section = section.to_lowercase();
        let key = notify::flat_key(&section, &key.to_lowercase());
        return Ok(Some((section, key)));
    }
    let flat = |(section, key, _): &(&str, &str, KeyKind)| format!("{section}_{key}");
    match keys::KEYS
        .iter()
        .find(|key| flat(key) == rest.to_lowercase())
    {
        Some((section, key, _)) => Err(ConfigError::UnknownKey {
            key: name.to_owned(),
            origin: "the environment".to_owned(),
            suggestion: Some(format!("{PREFIX}{section}__{key}").to_uppercase()),
        }),
        None => Ok(None),
    }
}

fn from_variable(name: &str, section: &str, key: &str, text: &str) -> Result<Layer, ConfigError> {
    let origin = Origin::Variable(name.to_owned());
    let (key, part) = key.split_once("__").unwrap_or((key, ""));
    let kind = keys::kind_of(section, key);
    if kind == Some(KeyKind::Secret) {
        let setting = SecretSetting::of_variable(&format!("{section}.{key}"), part, origin, text)?;
        let origin = Origin::Variable(name.to_owned());
        return Ok(Layer {
            origin,
            values: Dict::new(),
            secrets: vec![setting],
        });
    }
    let value = match kind {
        // An unknown key is refused by its name; its text is never looked at.
        None => Value::from(""),
        Some(kind) => typed(kind, text).ok_or_else(|| ConfigError::WrongType {
            key: format!("{section}.{key}"),
            origin: origin.to_string(),
            found: "a text",
            expected: expected(kind).to_owned(),
        })?,
    };
    Ok(Layer {
        origin,
        values: table(section, table(key, value).into()),
        secrets: Vec::new(),
    })
}

fn typed(kind: KeyKind, text: &str) -> Option<Value> {
    match kind {
        KeyKind::Text | KeyKind::Path | KeyKind::Secret => Some(Value::from(text)),
        KeyKind::Number => text.trim().parse::<u64>().ok().map(Value::from),
        KeyKind::Decimal => text.trim().parse::<f64>().ok().map(Value::from),
        KeyKind::Switch => text.trim().parse::<bool>().ok().map(Value::from),
        KeyKind::List => {
            let words = text
                .split(',')
                .map(str::trim)
                .filter(|word| !word.is_empty());
            Some(Value::from(words.map(Value::from).collect::<Vec<_>>()))
        }
    }
}

fn expected(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Number => "a whole number",
        KeyKind::Decimal => "a number",
        KeyKind::Switch => "true or false",
        KeyKind::List => "a list",
        KeyKind::Text | KeyKind::Path | KeyKind::Secret => "a text",
    }
}

fn table(key: &str, value: Value) -> Dict {
    Dict::from([(key.to_owned(), value)])
}
