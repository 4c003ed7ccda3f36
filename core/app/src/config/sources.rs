//! Where a configuration is read from.

use std::path::PathBuf;

use super::environment::Environment;
use super::error::ConfigError;
use super::fleet;
use super::layer::{self, Layer, Sections};

/// The file, the environment, and which of several databases is meant.
#[derive(Clone, Default)]
pub struct Sources {
    /// The file of `--config`, which must exist; `None`: `respaldo.toml` of the working folder, if any.
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: Environment,
    /// A name of `[[databases]]`.
    pub database: Option<String>,
}

impl Sources {
    /// The environment, the file it names or the usual one, and the only database there is.
    pub fn of(environment: Environment) -> Self {
        Self {
            environment,
            ..Self::default()
        }
    }

    /// The same for one of several databases.
    #[must_use]
    pub fn of_database(&self, name: &str) -> Self {
        Self {
            database: Some(name.to_owned()),
            ..self.clone()
        }
    }

    /// The names of `[[databases]]`, in their order; empty where there is one database without a name.
    pub fn databases(&self) -> Result<Vec<String>, ConfigError> {
        let file = layer::file(self.file.as_deref(), &self.environment)?;
        let databases = file.map(fleet::split).transpose()?;
        let names = databases.into_iter().flat_map(|split| split.databases);
        Ok(names.map(|database| database.name).collect())
    }

    /// The layers of what holds for all databases.
    pub(super) fn layers_of_all(&self, sections: Sections) -> Result<Vec<Layer>, ConfigError> {
        let mut layers = vec![layer::defaults(sections)];
        let file = layer::file(self.file.as_deref(), &self.environment)?;
        let shared = file.map(|file| fleet::split(file)?.shared.layer(sections));
        layers.extend(shared.transpose()?);
        layers.extend(layer::environment(&self.environment, sections)?);
        Ok(layers)
    }

    /// The layers below what a caller sets: an entry of `[[databases]]` wins over the environment, which is
    /// that of all of them.
    pub(super) fn layers(&self, sections: Sections) -> Result<Vec<Layer>, ConfigError> {
        let mut layers = vec![layer::defaults(sections)];
        let file = layer::file(self.file.as_deref(), &self.environment)?;
        let mut databases = Vec::new();
        if let Some(file) = file {
            let split = fleet::split(file)?;
            databases = split.databases;
            layers.push(split.shared.layer(sections)?);
        }
        layers.extend(layer::environment(&self.environment, sections)?);
        if let Some(database) = fleet::chosen(databases, self.database.as_deref())? {
            let own = fleet::layer(database, &layers, sections)?;
            layers.push(own);
        }
        Ok(layers)
    }

    /// What the environment alone says, for when the file cannot be read.
    pub(super) fn without_file(&self, sections: Sections) -> Result<Vec<Layer>, ConfigError> {
        // The environment's database is none of several.
        if self.database.is_some() {
            return Err(ConfigError::NoDatabase);
        }
        let mut layers = vec![layer::defaults(sections)];
        layers.extend(layer::environment(&self.environment, sections)?);
        Ok(layers)
    }
}
