//! `[encryption]`: for whom backups are encrypted, and the key that opens them.

use std::collections::BTreeMap;
use std::sync::Arc;

use respaldo_encryption::{Age, IdentitySource, Key};
use serde::Deserialize;

use super::environment::Environment;
use super::error::ConfigError;
use super::secret::SecretSetting;

/// `[encryption]`, secrets aside.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EncryptionKeys {
    recipients: Vec<String>,
}

/// For whom backups are encrypted, and what opens them.
#[derive(Debug, Clone, Default)]
pub struct EncryptionSettings {
    /// Recipients (`age1...`) of new backups; none: they are not encrypted.
    pub recipients: Vec<String>,
    /// Whether a key is configured.
    pub has_key: bool,
    /// The encryption, where anything is configured.
    pub age: Option<Arc<Age>>,
}

impl EncryptionKeys {
    /// The values, which must make sense. A file with a key is read when it is first needed: a backup
    /// needs none.
    pub fn settings(
        self,
        secrets: &BTreeMap<String, SecretSetting>,
        environment: &Environment,
    ) -> Result<EncryptionSettings, ConfigError> {
        let secret = |key: &str| secrets.get(&format!("encryption.{key}"));
        let source = secret("identity").map(|identity| {
            let key = match identity.file() {
                Some(path) => Key::File(path.to_owned()),
                None => Key::Text(identity.read(environment)?),
            };
            let passphrase = secret("passphrase").map(|secret| secret.read(environment));
            Ok(IdentitySource {
                key,
                passphrase: passphrase.transpose()?,
            })
        });
        let source = source.transpose()?;
        let has_key = source.is_some();
        let age = Age::new(&self.recipients, source).map_err(|error| ConfigError::BadValue {
            key: "encryption.recipients".to_owned(),
            problem: error.to_string(),
        })?;
        let is_configured = has_key || !self.recipients.is_empty();
        Ok(EncryptionSettings {
            age: is_configured.then(|| Arc::new(age)),
            recipients: self.recipients,
            has_key,
        })
    }
}
