//! Documents of the host as values. An error names the place and what is wrong with it, but never the value:
//! options and connections hold secrets.

use std::ops::Range;

use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::abi;
use crate::error::{Error, Result, Status};

/// A document as a value; `what` names it where it is none.
pub(crate) fn parsed<T: DeserializeOwned>(what: &str, json: &str) -> Result<T> {
    let json = if json.is_empty() { "{}" } else { json };
    let mut text = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut text).map_err(|error| {
        let path = match error.path().to_string().as_str() {
            "." => what.to_owned(),
            _ if !error.inner().is_data() => what.to_owned(),
            path => format!("{what}.{path}"),
        };
        let reason = without_values(error.inner());
        Error::new(Status::Invalid, format!("{path}: {reason}"))
    })
}

/// What serde says, without what it quotes of the document.
fn without_values(error: &serde_json::Error) -> String {
    if !error.is_data() {
        return "not JSON".to_owned();
    }
    let message = error.to_string();
    let message = message
        .rsplit_once(" at line ")
        .map_or(message.as_str(), |(words, _)| words);
    let of_names = ["missing field `", "unknown field `", "duplicate field `"];
    if of_names.iter().any(|begin| message.starts_with(begin)) {
        return message.to_owned();
    }
    let expected = message.rsplit_once(", expected ");
    expected.map_or_else(
        || "not a value that is allowed here".to_owned(),
        |(_, expected)| format!("expected {expected}"),
    )
}

/// The JSON Schema of a plugin's options. What it does not know is refused: a misspelt option must not pass
/// as an absent one.
pub(crate) fn schema<T: JsonSchema>() -> String {
    let mut schema = SchemaGenerator::default().into_root_schema_for::<T>();
    if let Some(object) = schema.as_object_mut() {
        let settled = [
            "additionalProperties",
            "unevaluatedProperties",
            "$ref",
            "anyOf",
            "oneOf",
        ];
        let open = settled.iter().all(|word| !object.contains_key(*word));
        if open && object.get("type").is_some_and(|kind| kind == "object") {
            object.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
    }
    schema.to_value().to_string()
}

/// A key that is safe to append to a folder: the host promises as much, and a mistake there must not become a
/// way out of the store.
pub(crate) fn key(key: &str) -> Result<&str> {
    let whole = !key.is_empty() && key.split('/').all(|part| !part.is_empty());
    if whole && prefix(key).is_ok() {
        return Ok(key);
    }
    Err(Error::new(Status::Invalid, format!("{key:?} is no key")))
}

/// The beginning of a key; may be empty.
pub(crate) fn prefix(prefix: &str) -> Result<&str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let hidden = prefix.split('/').any(|part| part.starts_with('.'));
    if prefix.len() <= 512 && !hidden && prefix.chars().all(allowed) && !prefix.starts_with('/') {
        return Ok(prefix);
    }
    let message = format!("{prefix:?} is not the beginning of a key");
    Err(Error::new(Status::Invalid, message))
}

/// The bytes that a `get` asks for, `None` for all of them.
pub(crate) fn range(
    offset: u64,
    len: u64,
    size: impl FnOnce() -> Result<u64>,
) -> Result<Option<Range<u64>>> {
    match (offset, len) {
        (0, abi::TO_THE_END) => Ok(None),
        (offset, abi::TO_THE_END) => match size()? {
            size if size >= offset => Ok(Some(offset..size)),
            size => Err(Error::new(
                Status::Corrupt,
                format!("the object ends at {size}, before {offset}"),
            )),
        },
        (offset, len) => offset
            .checked_add(len)
            .map(|end| Some(offset..end))
            .ok_or_else(|| Error::new(Status::Invalid, "a range beyond all numbers")),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    struct Options {
        dir: String,
        #[serde(default)]
        server: Option<Server>,
    }

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Server {
        port: u16,
        mode: Mode,
    }

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case")]
    enum Mode {
        Active,
        Passive,
    }

    #[test]
    fn an_error_of_the_options_names_the_place_and_no_value() {
        for (json, message) in [
            ("{", "options: not JSON"),
            ("", "options: missing field `dir`"),
            (r#"{"dir": 7654321}"#, "options.dir: expected a string"),
            (
                r#"{"dir": "d", "server": {"port": "s3cret, expected s3cret", "mode": "active"}}"#,
                "options.server.port: expected u16",
            ),
            (
                r#"{"dir": "d", "server": {"port": 1, "mode": "s3cret"}}"#,
                "options.server.mode: expected `active` or `passive`",
            ),
            (
                r#"{"dir": "d", "server": {"port": 1, "mode": "active", "prot": 2}}"#,
                "options.server.prot: unknown field `prot`, expected `port` or `mode`",
            ),
        ] {
            let error = parsed::<Options>("options", json).unwrap_err();
            assert_eq!(
                (error.status, error.message.as_str()),
                (Status::Invalid, message)
            );
        }
        assert_eq!(
            parsed::<Options>("options", r#"{"dir": "d"}"#).unwrap().dir,
            "d"
        );
    }

    #[test]
    fn a_schema_refuses_what_it_does_not_know() {
        let schema: Value = serde_json::from_str(&schema::<Options>()).unwrap();
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["required"], serde_json::json!(["dir"]));
    }

    #[test]
    fn only_a_key_passes_as_one() {
        let long = "k".repeat(513);
        for bad in [
            "", "/a", "a/", "a//b", "../a", "a/../b", ".a", "a/.b", "a b", "ä", "a\\b", &long,
        ] {
            assert_eq!(key(bad).unwrap_err().status, Status::Invalid, "{bad}");
        }
        for good in ["a", "a/b", "a..b", "-a", "_", "full/2026.backup"] {
            assert_eq!(key(good), Ok(good));
        }
        for begin in ["", "a/", "fu", "a/b"] {
            assert_eq!(prefix(begin), Ok(begin));
        }
        assert!(prefix("../").is_err() && prefix("/").is_err());
    }

    #[test]
    fn ranges_are_those_of_the_object() {
        let size = || Ok(10);
        assert_eq!(range(0, abi::TO_THE_END, size), Ok(None));
        assert_eq!(range(4, abi::TO_THE_END, size), Ok(Some(4..10)));
        assert_eq!(range(4, 3, size), Ok(Some(4..7)));
        assert_eq!(
            range(11, abi::TO_THE_END, size).unwrap_err().status,
            Status::Corrupt
        );
        assert_eq!(
            range(u64::MAX, 2, size).unwrap_err().status,
            Status::Invalid
        );
    }
}
