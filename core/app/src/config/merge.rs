//! Layers merged by figment, and its errors translated without the values they quote.

use figment::Figment;
use figment::error::{Actual, Kind};
use serde::de::DeserializeOwned;

use super::error::ConfigError;
use super::layer::Layer;

/// Merged layers, as values and with the memory of where each came from.
pub struct Merged<T> {
    pub settings: T,
    pub figment: Figment,
}

/// Merges layers, later ones winning.
pub fn merge<T: DeserializeOwned>(layers: &[Layer]) -> Result<Merged<T>, ConfigError> {
    let figment = layers.iter().fold(Figment::new(), Figment::merge);
    let settings = figment.extract().map_err(translate)?;
    Ok(Merged { settings, figment })
}

/// figment prints the value found, which may be a secret in the wrong place; its type will do.
fn translate(error: figment::Error) -> ConfigError {
    let key = error.path.join(".");
    let origin = error
        .metadata
        .as_ref()
        .map_or("the configuration".into(), |m| m.name.to_string());
    match error.kind {
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
            ConfigError::WrongType {
                key,
                origin,
                found: type_of(&found),
                expected,
            }
        }
        Kind::UnknownVariant(_, choices) => ConfigError::BadValue {
            key,
            problem: format!("must be one of {}", choices.join(", ")),
        },
        Kind::UnknownField(name, _) => ConfigError::UnknownKey {
            key: format!("{key}.{name}"),
            origin,
            suggestion: None,
        },
        Kind::MissingField(name) => ConfigError::BadValue {
            key,
            problem: format!("{name} is missing"),
        },
        _ => ConfigError::BadValue {
            key,
            problem: "its value cannot be used".to_owned(),
        },
    }
}

fn type_of(actual: &Actual) -> &'static str {
    match actual {
        Actual::Bool(_) => "true or false",
        Actual::Unsigned(_) | Actual::Signed(_) | Actual::Float(_) => "a number",
        Actual::Str(_) | Actual::Char(_) => "a text",
        Actual::Seq => "a list",
        Actual::Map => "a table",
        _ => "something else",
    }
}
