//! `[panel]`: where `serve` listens, to whom, and where it keeps its users.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::value::Value;
use respaldo_panel::{Net, TlsFiles};
use serde::Deserialize;

use super::error::ConfigError;
use super::layer::Sections;
use super::settings::RepositorySettings;
use super::{Sources, keys, merge};

const LISTEN: &str = "127.0.0.1:8787";
/// A session ends after it was idle so long.
const SESSION_MINUTES: u32 = 60;
/// Folder of the panel's files in the working folder.
const FOLDER: &str = "panel";

/// `[panel]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelKeys {
    listen: String,
    #[serde(default)]
    tls_cert: Option<PathBuf>,
    #[serde(default)]
    tls_key: Option<PathBuf>,
    base_path: String,
    trusted_proxies: Vec<String>,
    behind_proxy: bool,
    session_minutes: u32,
    #[serde(default)]
    state_dir: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Alone {
    panel: PanelKeys,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Repository {
    repository: RepositorySettings,
}

/// Where `serve` listens, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanelSettings {
    /// The address; `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// Its certificate, where it speaks TLS itself.
    pub tls: Option<TlsFiles>,
    /// What stands before every path: nothing, or `/x`.
    pub base_path: String,
    /// Whose `X-Forwarded-...` count.
    pub trusted_proxies: Vec<Net>,
    /// Another speaks TLS.
    pub behind_proxy: bool,
    /// A session ends after it was idle so long.
    pub session: Duration,
    /// Where its files are; `None`: in the working folder.
    state_dir: Option<PathBuf>,
}

fn bad(key: &str, problem: &str) -> ConfigError {
    ConfigError::BadValue {
        key: format!("panel.{key}"),
        problem: problem.to_owned(),
    }
}

impl PanelKeys {
    /// The values, which must make sense. Passwords go over no network in the clear.
    pub fn settings(&self) -> Result<PanelSettings, ConfigError> {
        let settings = PanelSettings {
            listen: self.address()?,
            tls: self.tls()?,
            base_path: self.base_path()?,
            trusted_proxies: self.proxies()?,
            behind_proxy: self.behind_proxy,
            session: self.session()?,
            state_dir: given(self.state_dir.as_ref()),
        };
        let is_far = settings
            .listen
            .is_some_and(|address| !address.ip().is_loopback());
        if is_far && settings.tls.is_none() && !settings.behind_proxy {
            return Err(bad(
                "listen",
                "others would send passwords in the clear: give tls_cert and tls_key, or say behind_proxy = true where \
                 a proxy speaks TLS, or listen on an address of this machine alone, such as 127.0.0.1:8787",
            ));
        }
        Ok(settings)
    }

    fn address(&self) -> Result<Option<SocketAddr>, ConfigError> {
        if self.listen.is_empty() {
            return Ok(None);
        }
        let what = "an address and a port, such as 127.0.0.1:8787, or nothing";
        self.listen
            .parse()
            .map(Some)
            .map_err(|_| bad("listen", what))
    }

    fn tls(&self) -> Result<Option<TlsFiles>, ConfigError> {
        match (given(self.tls_cert.as_ref()), given(self.tls_key.as_ref())) {
            (None, None) => Ok(None),
            (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert, key })),
            _ => Err(bad("tls_cert, tls_key", "one needs the other")),
        }
    }

    fn base_path(&self) -> Result<String, ConfigError> {
        let path = self.base_path.trim_end_matches('/');
        let is_part = |c: char| c.is_ascii_alphanumeric() || "/-_.".contains(c);
        let is_path = path.is_empty() || path.starts_with('/');
        if !is_path || !path.chars().all(is_part) || path.contains("//") || path.contains("..") {
            return Err(bad("base_path", "a path such as /respaldo, or nothing"));
        }
        Ok(path.to_owned())
    }

    fn proxies(&self) -> Result<Vec<Net>, ConfigError> {
        let what = "addresses or networks, such as 10.0.0.0/8";
        let nets = self.trusted_proxies.iter().map(|text| Net::parse(text));
        nets.collect::<Option<_>>()
            .ok_or_else(|| bad("trusted_proxies", what))
    }

    fn session(&self) -> Result<Duration, ConfigError> {
        match self.session_minutes {
            minutes @ 1..=1440 => Ok(Duration::from_mins(minutes.into())),
            _ => Err(bad("session_minutes", "1 to 1440")),
        }
    }
}

fn given(path: Option<&PathBuf>) -> Option<PathBuf> {
    path.filter(|path| !path.as_os_str().is_empty()).cloned()
}

impl PanelSettings {
    /// Reads this section alone. What cannot be read stops no supervisor: it says so, and does not listen.
    pub fn load(sources: &Sources) -> Self {
        Self::read(sources).unwrap_or_else(|error| {
            tracing::warn!(%error, "[panel] cannot be read: nobody is listened to");
            Self {
                listen: None,
                tls: None,
                base_path: String::new(),
                trusted_proxies: Vec::new(),
                behind_proxy: false,
                session: Duration::from_mins(SESSION_MINUTES.into()),
                state_dir: None,
            }
        })
    }

    /// Reads this section alone.
    pub fn read(sources: &Sources) -> Result<Self, ConfigError> {
        let layers = sources.layers_of_all(Sections::Only(&["panel"]))?;
        layers.iter().try_for_each(keys::check)?;
        let alone: Alone = merge::merge(&layers)?.settings;
        alone.panel.settings()
    }

    /// Where the panel's files are, for the database that has this working folder.
    pub fn folder_in(&self, work_dir: &Path) -> PathBuf {
        let named = self.state_dir.clone();
        named.unwrap_or_else(|| work_dir.join(FOLDER))
    }

    /// Where the panel's files are: named, or in the working folder of the first database. It needs nothing of a
    /// database to be known.
    pub fn folder(&self, sources: &Sources) -> Result<PathBuf, ConfigError> {
        if let Some(folder) = &self.state_dir {
            return Ok(folder.clone());
        }
        let first = match &sources.database {
            Some(name) => Some(name.clone()),
            None => sources.databases()?.into_iter().next(),
        };
        let sources = match first {
            Some(name) => sources.of_database(&name),
            None => sources.clone(),
        };
        let layers = sources.layers(Sections::Only(&["repository"]))?;
        let repository: Repository = merge::merge(&layers)?.settings;
        let dir = repository.repository.dir;
        let dir = std::path::absolute(&dir).unwrap_or(dir);
        Ok(self.folder_in(&dir.join(".respaldo")))
    }
}

/// The defaults.
pub fn defaults() -> Vec<(&'static str, Value)> {
    vec![
        ("listen", Value::from(LISTEN)),
        ("base_path", Value::from("")),
        ("trusted_proxies", Value::from(Vec::<Value>::new())),
        ("behind_proxy", Value::from(false)),
        ("session_minutes", Value::from(SESSION_MINUTES)),
    ]
}
