//! `[panel]`: where `serve` listens.

use std::net::SocketAddr;

use figment::value::Value;
use serde::Deserialize;

use super::error::ConfigError;
use super::layer::Sections;
use super::{Sources, keys, merge};

const LISTEN: &str = "127.0.0.1:8787";

/// `[panel]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelKeys {
    listen: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Alone {
    panel: PanelKeys,
}

/// Where `serve` listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PanelSettings {
    /// The address; `None`: nowhere.
    pub listen: Option<SocketAddr>,
}

impl PanelKeys {
    /// The values, which must make sense. Without logins only this machine may ask.
    pub fn settings(&self) -> Result<PanelSettings, ConfigError> {
        let bad = |problem: &str| ConfigError::BadValue {
            key: "panel.listen".to_owned(),
            problem: problem.to_owned(),
        };
        if self.listen.is_empty() {
            return Ok(PanelSettings { listen: None });
        }
        let address: SocketAddr = self
            .listen
            .parse()
            .map_err(|_| bad("an address and a port, such as 127.0.0.1:8787, or nothing"))?;
        if !address.ip().is_loopback() {
            return Err(bad(
                "an address of this machine alone, such as 127.0.0.1:8787: others would need logins, which \
                 are not in this version",
            ));
        }
        Ok(PanelSettings {
            listen: Some(address),
        })
    }
}

impl PanelSettings {
    /// Reads this section alone. What cannot be read stops no supervisor: it says so, and does not listen.
    pub fn load(sources: &Sources) -> Self {
        let read = || -> Result<Self, ConfigError> {
            let layers = sources.layers_of_all(Sections::Only(&["panel"]))?;
            layers.iter().try_for_each(keys::check)?;
            let alone: Alone = merge::merge(&layers)?.settings;
            alone.panel.settings()
        };
        read().unwrap_or_else(|error| {
            tracing::warn!(%error, "[panel] cannot be read: nobody is listened to");
            Self { listen: None }
        })
    }
}

/// The defaults.
pub fn defaults() -> Vec<(&'static str, Value)> {
    vec![("listen", Value::from(LISTEN))]
}
