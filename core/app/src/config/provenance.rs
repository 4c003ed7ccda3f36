//! Where each effective value came from, secrets masked.

use std::collections::BTreeMap;

use figment::Figment;
use figment::value::Value;

use super::connection::Located;
use super::keys::{KEYS, KeyKind};
use super::secret::SecretSetting;

/// Every effective setting, in the order of sections.
#[derive(Debug, Clone, Default)]
pub struct Provenance(Vec<Shown>);

/// One effective setting as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its key.
    pub key: String,
    /// Its value; of a URL everything but the password.
    pub value: String,
    /// Where it came from.
    pub origin: String,
}

impl Provenance {
    /// All settings.
    pub fn all(&self) -> &[Shown] {
        &self.0
    }
}

/// Lists what holds.
pub fn of(
    figment: &Figment,
    source: &Located,
    catalog: Option<&Located>,
    secrets: &BTreeMap<String, SecretSetting>,
) -> Provenance {
    let address = |key: &str, at: &Located, origin: String| Shown {
        key: key.to_owned(),
        value: masked(at),
        origin,
    };
    let mut shown = vec![address("database.url", source, source.described.clone())];
    shown.push(match catalog {
        Some(at) => address("catalog.url", at, at.described.clone()),
        None => address(
            "catalog.url",
            source,
            "the defaults (database.url)".to_owned(),
        ),
    });
    let hidden = secrets.iter().filter(|(key, _)| key.starts_with("notify."));
    shown.extend(hidden.map(|(key, secret)| Shown {
        key: key.clone(),
        value: "(set)".to_owned(),
        origin: secret.described(),
    }));
    let open = KEYS.iter().filter(|(_, _, kind)| *kind != KeyKind::Secret);
    let keys = open.map(|(section, key, _)| format!("{section}.{key}"));
    shown.extend(keys.chain(["validator".to_owned()]).filter_map(|key| {
        let value = figment.find_value(&key).ok()?;
        let origin = figment
            .get_metadata(value.tag())
            .map(|metadata| metadata.name.to_string());
        Some(Shown {
            key,
            value: text_of(&value),
            origin: origin.unwrap_or_default(),
        })
    }));
    shown.extend(sinks(figment));
    shown.extend(plugins(figment));
    shown.sort_by_key(|setting| {
        let section = setting.key.split('.').next().unwrap_or_default().to_owned();
        KEYS.iter()
            .position(|(name, _, _)| *name == section)
            .unwrap_or(usize::MAX)
    });
    Provenance(shown)
}

/// Sinks by name.
fn sinks(figment: &Figment) -> Vec<Shown> {
    let found = figment.find_value("sink").ok();
    let origin = found
        .as_ref()
        .and_then(|value| figment.get_metadata(value.tag()))
        .map(|metadata| metadata.name.to_string());
    let tables = found.and_then(Value::into_array).unwrap_or_default();
    let shown = |table: Value| Shown {
        key: "sink".to_owned(),
        value: super::sinks::shown(&table.into_dict().unwrap_or_default()),
        origin: origin.clone().unwrap_or_default(),
    };
    tables.into_iter().map(shown).collect()
}

/// Plugins by name; of their options the names only, any of them may be a secret.
fn plugins(figment: &Figment) -> Vec<Shown> {
    let Ok(Value::Dict(_, plugins)) = figment.find_value("plugins") else {
        return Vec::new();
    };
    let shown = |(name, plugin): (String, Value)| {
        let metadata = figment.get_metadata(plugin.tag());
        let origin = metadata.map(|metadata| metadata.name.to_string());
        let table = plugin.into_dict().unwrap_or_default();
        let keys = table.iter().map(|(key, value)| match value {
            Value::Dict(_, options) if key == "options" => {
                let names: Vec<&str> = options.keys().map(String::as_str).collect();
                format!("options = {{ {} }}", names.join(", "))
            }
            value => format!("{key} = {}", text_of(value)),
        });
        Shown {
            key: format!("plugins.{name}"),
            value: keys.collect::<Vec<_>>().join(", "),
            origin: origin.unwrap_or_default(),
        }
    };
    plugins.into_iter().map(shown).collect()
}

fn masked(at: &Located) -> String {
    let password = if at.info.password().is_some() {
        " (password set)"
    } else {
        ""
    };
    format!("{}{password}", at.info.display_url())
}

/// A value as TOML spells it, near enough for people.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::String(_, text) => format!("{text:?}"),
        Value::Char(_, letter) => format!("{:?}", letter.to_string()),
        Value::Bool(_, on) => on.to_string(),
        Value::Num(_, number) => match (number.to_i128(), number.to_u128_lossy()) {
            (Some(whole), _) => whole.to_string(),
            (None, Some(whole)) => whole.to_string(),
            (None, None) => number.to_f64().unwrap_or_default().to_string(),
        },
        Value::Empty(_, _) => String::new(),
        Value::Array(_, items) => {
            format!(
                "[{}]",
                items.iter().map(text_of).collect::<Vec<_>>().join(", ")
            )
        }
        Value::Dict(_, table) => {
            let pairs = table
                .iter()
                .map(|(key, value)| format!("{key} = {}", text_of(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}
