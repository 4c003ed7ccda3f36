//! `[notify]`: whom a supervisor tells.

use std::collections::BTreeMap;
use std::time::Duration;

use figment::value::{Dict, Value};
use respaldo_notifiers::{SmtpConfig, SmtpTls};
use secrecy::SecretString;
use serde::Deserialize;

use super::environment::Environment;
use super::error::ConfigError;
use super::layer::Sections;
use super::secret::{self, SecretSetting};
use super::{Sources, keys, merge};

/// How long a backup may be due before that is an alarm: an hour.
const MISSED_AFTER_SECONDS: u32 = 3600;

/// The table within `[notify]` that may be written as one.
const TABLE: &str = "smtp";

/// `[notify]`, secrets aside.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NotifyKeys {
    missed_after: u32,
    smtp_host: String,
    smtp_port: Option<u16>,
    smtp_tls: TlsKey,
    smtp_user: String,
    smtp_from: String,
    smtp_to: Vec<String>,
}

impl Default for NotifyKeys {
    fn default() -> Self {
        Self {
            missed_after: MISSED_AFTER_SECONDS,
            smtp_host: String::new(),
            smtp_port: None,
            smtp_tls: TlsKey::default(),
            smtp_user: String::new(),
            smtp_from: String::new(),
            smtp_to: Vec::new(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Alone {
    notify: NotifyKeys,
}

/// `smtp.tls`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TlsKey {
    Tls,
    #[default]
    Starttls,
    None,
}

/// Whom to tell.
#[derive(Debug, Clone, Default)]
pub struct NotifySettings {
    /// How long a backup may be due before that is an alarm.
    pub missed_after: Duration,
    /// Address that gets alarms as JSON.
    pub webhook: Option<SecretString>,
    /// Address that is pinged at the beginning and the end of each run.
    pub healthcheck: Option<SecretString>,
    /// Mail.
    pub smtp: Option<SmtpConfig>,
}

impl NotifyKeys {
    /// The values, which must make sense, with the secrets that belong to them.
    pub fn settings(
        self,
        secrets: &BTreeMap<String, SecretSetting>,
        environment: &Environment,
    ) -> Result<NotifySettings, ConfigError> {
        let secret = |key: &str| {
            let setting = secrets.get(&format!("notify.{key}"));
            setting.map(|setting| setting.read(environment)).transpose()
        };
        Ok(NotifySettings {
            missed_after: Duration::from_secs(self.missed_after.into()),
            webhook: secret("webhook")?,
            healthcheck: secret("healthcheck_url")?,
            smtp: self.smtp(secret("smtp_password")?)?,
        })
    }

    fn smtp(self, password: Option<SecretString>) -> Result<Option<SmtpConfig>, ConfigError> {
        if self.smtp_host.is_empty() {
            return Ok(None);
        }
        for (key, missing) in [
            ("from", self.smtp_from.is_empty()),
            ("to", self.smtp_to.is_empty()),
        ] {
            if missing {
                return Err(bad(key, "missing: mail has a sender and readers"));
            }
        }
        if self.smtp_user.is_empty() != password.is_none() {
            return Err(bad(
                "user",
                "a user and a password are given together, or neither is",
            ));
        }
        Ok(Some(SmtpConfig {
            host: self.smtp_host,
            port: self.smtp_port,
            tls: match self.smtp_tls {
                TlsKey::Tls => SmtpTls::Tls,
                TlsKey::Starttls => SmtpTls::StartTls,
                TlsKey::None => SmtpTls::Plain,
            },
            user: Some(self.smtp_user).filter(|user| !user.is_empty()),
            password,
            from: self.smtp_from,
            to: self.smtp_to,
        }))
    }
}

fn bad(key: &str, problem: &str) -> ConfigError {
    ConfigError::BadValue {
        key: format!("notify.smtp_{key}"),
        problem: problem.to_owned(),
    }
}

impl NotifySettings {
    /// Reads this section alone: whoever is to be told is told also where the rest makes no sense.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let layers = sources.layers(Sections::Only(&["notify"]))?;
        layers.iter().try_for_each(keys::check)?;
        let alone: Alone = merge::merge(&layers)?.settings;
        let secrets = secret::merge(layers);
        alone.notify.settings(&secrets, &sources.environment)
    }
}

/// `[notify.smtp] host` means `[notify] smtp_host`: the one name by which it is known elsewhere.
pub fn flatten(values: &mut Dict) {
    let Some(Value::Dict(_, notify)) = values.get_mut("notify") else {
        return;
    };
    match notify.remove(TABLE) {
        Some(Value::Dict(_, table)) => {
            let flat = table
                .into_iter()
                .map(|(key, value)| (format!("{TABLE}_{key}"), value));
            notify.extend(flat);
        }
        Some(other) => drop(notify.insert(TABLE.to_owned(), other)),
        None => {}
    }
}

/// The key that a variable such as `RESPALDO_NOTIFY__SMTP__HOST` means.
pub fn flat_key(section: &str, key: &str) -> String {
    match key.strip_prefix("smtp__") {
        Some(rest) if section == "notify" => format!("{TABLE}_{rest}"),
        _ => key.to_owned(),
    }
}
