//! Settings that the existing system keeps as JSON in `seguridad.config_sistema`.
//!
//! Reading is lenient, because other programs write there too: a stored kind replaces the default
//! of that kind only, an inner key that is missing or out of range has its default, and each such
//! repair is reported. Writing goes through constructors that check ranges.

use respaldo_domain::range::Range;
use serde_json::{Map, Value};

pub mod cloud;
pub mod retention;
pub mod schedules;

pub use respaldo_domain::range::OutOfRange;

/// Key of the schedules.
pub const SCHEDULES_KEY: &str = "backup_schedules";
/// Description stored beside the schedules.
pub const SCHEDULES_DESCRIPTION: &str = "Horarios de backups programados";
/// Key of the cloud settings.
pub const CLOUD_KEY: &str = "backup_cloud_config";
/// Description stored beside the cloud settings.
pub const CLOUD_DESCRIPTION: &str = "Sincronización de backups en la nube";
/// Key of the retention settings.
pub const RETENTION_KEY: &str = "backup_retention";
/// Description stored beside the retention settings.
pub const RETENTION_DESCRIPTION: &str = "Retención de backups";
/// `tipo` of all three; the column's check constraint knows no better one.
pub const STORED_TYPE: &str = "TEXT";

/// Settings as read, and what had to be repaired to read them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lenient<T> {
    /// The settings in force.
    pub value: T,
    /// Stored values that were not usable.
    pub repairs: Vec<Repair>,
}

/// A stored value for which the default was taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} = {found} is not usable: {wanted}")]
pub struct Repair {
    /// Where it stands, for example `FULL.day`.
    pub key: String,
    /// What stands there, as JSON.
    pub found: String,
    /// What would be right.
    pub wanted: String,
}

/// Reads values out of a stored object and remembers what was wrong.
struct Reader {
    object: Map<String, Value>,
    place: String,
    repairs: Vec<Repair>,
}

impl Reader {
    /// The object in a stored text. A text that holds a text that holds the object will do too.
    fn of_text(text: &str, place: &str) -> Self {
        let mut reader = Self::of_object(Map::new(), place);
        match serde_json::from_str::<Value>(text) {
            Ok(value) => reader.object = reader.as_object(value),
            Err(_) if text.trim().is_empty() => {}
            Err(_) => reader.repair(place.to_owned(), text.to_owned(), "a JSON object"),
        }
        reader
    }

    fn of_object(object: Map<String, Value>, place: &str) -> Self {
        Self {
            object,
            place: place.to_owned(),
            repairs: Vec::new(),
        }
    }

    /// A reader of an inner object; its repairs are to be given back with [`Self::absorb`].
    fn inner(&mut self, key: &str) -> Self {
        let value = self.object.remove(key).unwrap_or(Value::Null);
        let mut inner = Self::of_object(Map::new(), key);
        inner.object = inner.as_object(value);
        inner
    }

    fn absorb(&mut self, inner: Self) {
        self.repairs.extend(inner.repairs);
    }

    fn as_object(&mut self, value: Value) -> Map<String, Value> {
        let unwrapped = match &value {
            Value::String(text) => serde_json::from_str(text).unwrap_or(value),
            _ => value,
        };
        match unwrapped {
            Value::Object(object) => object,
            Value::Null => Map::new(),
            other => {
                self.repair(self.place.clone(), other.to_string(), "a JSON object");
                Map::new()
            }
        }
    }

    fn number(&mut self, range: Range, default: u32) -> u32 {
        let Some(value) = self.present(range.key) else {
            return default;
        };
        let number = match &value {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let in_range = number.and_then(|number| u32::try_from(number).ok());
        if let Some(number) = in_range.filter(|number| range.check(*number).is_ok()) {
            return number;
        }
        let wanted = format!("a whole number from {} to {}", range.low, range.high);
        self.repair(self.path(range.key), value.to_string(), &wanted);
        default
    }

    fn text(&mut self, key: &str) -> Option<String> {
        match self.present(key)? {
            Value::String(text) => Some(text),
            other => {
                self.repair(self.path(key), other.to_string(), "a text");
                None
            }
        }
    }

    fn flag(&mut self, key: &str) -> bool {
        match self.present(key) {
            Some(Value::Bool(flag)) => flag,
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => true,
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => false,
            Some(other) => {
                self.repair(self.path(key), other.to_string(), "true or false");
                false
            }
            None => false,
        }
    }

    fn present(&self, key: &str) -> Option<Value> {
        self.object
            .get(key)
            .filter(|value| !value.is_null())
            .cloned()
    }

    fn path(&self, key: &str) -> String {
        format!("{}.{key}", self.place)
    }

    fn repair(&mut self, key: String, found: String, wanted: &str) {
        self.repairs.push(Repair {
            key,
            found,
            wanted: wanted.to_owned(),
        });
    }
}
