//! The file of a plugin and what it says of itself.

use respaldo_contract::messages::ErrorCode;
use respaldo_plugin_host::{Description, ENTRY_SYMBOL, Examined};
use serde_json::Value;

use super::{Promise, Section};
use crate::failure::Failure;

/// The plugin that is meant.
pub(super) fn choose(found: &Examined, id: Option<&str>) -> Result<Description, Failure> {
    let fitting: Vec<&Description> = found
        .plugins
        .iter()
        .filter(|plugin| id.is_none_or(|id| plugin.id == id))
        .collect();
    match fitting.as_slice() {
        [one] => Ok((*one).clone()),
        _ => {
            let ids: Vec<&str> = found
                .plugins
                .iter()
                .map(|plugin| plugin.id.as_str())
                .collect();
            let what = format!("--id: one of {}", ids.join(", "));
            Err(Failure::new(ErrorCode::Usage, what))
        }
    }
}

/// What the file and its description promise.
pub(super) fn promises(found: &Examined, description: &Description) -> Vec<Promise> {
    let of = |promise: &str, broken: Option<String>| Promise {
        section: Section::Library,
        text: promise.to_owned(),
        broken,
    };
    vec![
        of("it exports its entry and nothing else", exports(found)),
        of(
            "it names no folders to load libraries from",
            found
                .has_run_path
                .then(|| "it has RPATH or RUNPATH".to_owned()),
        ),
        of(
            "it needs libraries of the system only",
            found.strange_libraries().map(|name| {
                format!("it needs {name}: whoever uses it must name that in allow_libraries")
            }),
        ),
        of("it has a name for people", words(description)),
        of(
            "its version is a semantic one",
            version(&description.version),
        ),
        of(
            "its options have a schema",
            schema(&description.options_schema),
        ),
    ]
}

fn exports(found: &Examined) -> Option<String> {
    let more: Vec<&str> = found
        .exports
        .iter()
        .map(String::as_str)
        .filter(|name| *name != ENTRY_SYMBOL)
        .collect();
    (!more.is_empty()).then(|| {
        let some = more.iter().take(5).copied().collect::<Vec<_>>();
        format!("{} more, such as {}", more.len(), some.join(", "))
    })
}

fn words(description: &Description) -> Option<String> {
    let missing = description.name.is_empty();
    missing.then(|| "its name for people is empty".to_owned())
}

fn version(version: &str) -> Option<String> {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<&str> = core.split('.').collect();
    let good = parts.len() == 3 && parts.iter().all(|part| part.parse::<u32>().is_ok());
    (!good).then(|| format!("{version:?} is not of the form 1.2.3"))
}

fn schema(schema: &str) -> Option<String> {
    match serde_json::from_str::<Value>(schema) {
        Ok(Value::Object(schema)) if schema.get("type") == Some(&Value::from("object")) => None,
        Ok(_) => Some("the schema does not describe an object".to_owned()),
        Err(error) => Some(format!("the schema is not JSON: {error}")),
    }
}
