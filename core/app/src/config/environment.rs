//! The process environment as a value, read once at start so that no flow depends on it later.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Environment variables and the working folder.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    folder: PathBuf,
}

impl Environment {
    /// That of this process. Variables that are not Unicode are passed over.
    pub fn of_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            variables,
            folder: std::env::current_dir().unwrap_or_default(),
        }
    }

    /// One made of values.
    pub fn of(folder: impl Into<PathBuf>, variables: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            variables: variables.iter().map(own).collect(),
            folder: folder.into(),
        }
    }

    /// A variable's value; an empty one counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// All variables that are not empty, in the order of names.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self
            .variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        pairs.filter(|(_, value)| !value.is_empty())
    }

    /// The working folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
