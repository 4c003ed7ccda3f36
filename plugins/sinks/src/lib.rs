//! Storage sinks, chosen by name in the configuration, and the suite that each of them passes.

pub mod conformance;
#[cfg(feature = "google-drive")]
pub mod google_drive;
#[cfg(feature = "local")]
pub mod local;
pub mod memory;
#[cfg(feature = "remote")]
mod remote;

use std::sync::Arc;

use respaldo_engine::ports::StorageSink;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A kind of sink that can be configured.
pub struct Kind {
    /// What `use` calls it.
    pub name: &'static str,
    /// The names of its options.
    pub options: &'static [&'static str],
    /// Those of its options that are never shown.
    pub secrets: &'static [&'static str],
    make: Make,
}

type Make = fn(name: &str, options: Value) -> Result<Arc<dyn StorageSink>, Problem>;

/// The sinks that can be configured.
pub const KINDS: &[Kind] = &[
    #[cfg(feature = "local")]
    local::DECLARED,
    #[cfg(feature = "google-drive")]
    google_drive::DECLARED,
];

/// Names of the sinks that can be configured.
pub fn names() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.name).collect()
}

/// What is wrong with the options of a sink. Never quotes a secret.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Missing, misspelt or of another type.
    #[error(transparent)]
    Shape(#[from] serde_json::Error),
    /// Well-formed, but no use: which option, and what it should be.
    #[error("{option}: {why}")]
    Value {
        /// The option's name.
        option: &'static str,
        /// What is wrong and what to do.
        why: String,
    },
}

/// Why a configured sink cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SinkConfigError {
    /// No such sink.
    #[error("there is no sink {0:?}; known are: {known}", known = names().join(", "))]
    Unknown(String),
    /// Its options are of no use.
    #[error("the options of sink {name:?} are not understood")]
    Options {
        /// The sink's own name.
        name: String,
        /// What is wrong with them.
        source: Problem,
    },
}

/// Makes the sink `kind` under the name it has in the configuration. Reaches nothing.
pub fn by_name(
    kind: &str,
    name: &str,
    options: Value,
) -> Result<Arc<dyn StorageSink>, SinkConfigError> {
    let declared = KINDS.iter().find(|declared| declared.name == kind);
    let declared = declared.ok_or_else(|| SinkConfigError::Unknown(kind.to_owned()))?;
    (declared.make)(name, options).map_err(|source| SinkConfigError::Options {
        name: name.to_owned(),
        source,
    })
}

/// The options of a sink out of their values. What does not fit is told by its place, not by its value.
#[cfg(any(feature = "local", feature = "remote"))]
fn options<T: DeserializeOwned>(values: Value) -> Result<T, Problem> {
    Ok(serde_json::from_value(values)?)
}

#[cfg(all(test, feature = "local"))]
mod tests {
    use super::*;

    #[test]
    fn a_sink_is_made_by_name_and_mistakes_name_the_choices() {
        let sink = by_name("local", "disk", serde_json::json!({ "dir": "/tmp/x" })).unwrap();
        assert_eq!(sink.name(), "disk");
        let unknown = by_name("ftp", "x", serde_json::json!({})).err().unwrap();
        assert!(unknown.to_string().contains("local"), "{unknown}");
        for bad in [
            serde_json::json!({}),
            serde_json::json!({ "dir": "/x", "dirr": 1 }),
        ] {
            assert!(matches!(
                by_name("local", "x", bad),
                Err(SinkConfigError::Options { .. })
            ));
        }
    }
}
