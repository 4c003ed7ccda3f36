//! Storage sinks, chosen by name in the configuration, and the suite that each of them passes.

pub mod conformance;
#[cfg(feature = "google-drive")]
pub mod google_drive;
#[cfg(feature = "local")]
pub mod local;
pub mod memory;
#[cfg(any(feature = "google-drive", feature = "object-store"))]
mod notes;
#[cfg(feature = "object-store")]
pub mod object_store;
#[cfg(any(
    feature = "google-drive",
    feature = "local",
    feature = "sftp",
    feature = "webdav"
))]
mod owner;
#[cfg(feature = "remote")]
mod remote;
#[cfg(feature = "sftp")]
mod sftp;
#[cfg(feature = "webdav")]
mod webdav;
pub mod wrappers;

use std::path::Path;
use std::sync::Arc;

use respaldo_domain::second_place::Provider;
use respaldo_engine::ports::StorageSink;
#[cfg(any(feature = "local", feature = "remote"))]
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
    /// Those of its options that are paths on this machine.
    pub files: &'static [&'static str],
    /// The option that names the folder below which its objects lie.
    pub folder: Option<&'static str>,
    /// What the existing system calls the place.
    pub provider: Provider,
    make: fn(Wanted<'_>) -> Result<Arc<dyn StorageSink>, Problem>,
}

/// A sink that is wanted.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// Its name in the configuration.
    pub name: &'a str,
    /// Its options.
    pub options: Value,
    /// The folder of this machine in which it may note what it has under way, for whoever comes after
    /// its death. It is made when it is needed.
    pub notes: Option<&'a Path>,
}

/// The sinks that can be configured.
pub const KINDS: &[Kind] = &[
    #[cfg(feature = "local")]
    local::DECLARED,
    #[cfg(feature = "s3")]
    object_store::s3::DECLARED,
    #[cfg(feature = "gcs")]
    object_store::gcs::DECLARED,
    #[cfg(feature = "azure")]
    object_store::azure::DECLARED,
    #[cfg(feature = "sftp")]
    sftp::DECLARED,
    #[cfg(feature = "webdav")]
    webdav::DECLARED,
    #[cfg(feature = "google-drive")]
    google_drive::DECLARED,
];

/// Names of the sinks that can be configured.
pub fn names() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.name).collect()
}

/// What is wrong with the options of a sink. Never quotes a value that may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Missing or misspelt.
    #[error("{0}")]
    Shape(String),
    /// Of no use: which option, and what it should be.
    #[error("{option}: {why}")]
    Value {
        /// The option's name.
        option: String,
        /// What is wrong and what to do.
        why: String,
    },
}

impl Problem {
    /// Something is wrong with an option.
    pub fn value(option: &str, why: impl Into<String>) -> Self {
        Self::Value {
            option: option.to_owned(),
            why: why.into(),
        }
    }
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

/// The kind of sink that `use` calls so.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// Makes the sink `kind` under the name it has in the configuration, without notes. Reaches nothing.
pub fn by_name(
    kind: &str,
    name: &str,
    options: Value,
) -> Result<Arc<dyn StorageSink>, SinkConfigError> {
    let notes = None;
    let wanted = Wanted {
        name,
        options,
        notes,
    };
    make(kind, wanted)
}

/// Makes a sink of a kind. Reaches nothing.
pub fn make(kind: &str, wanted: Wanted<'_>) -> Result<Arc<dyn StorageSink>, SinkConfigError> {
    let declared = self::kind(kind).ok_or_else(|| SinkConfigError::Unknown(kind.to_owned()))?;
    let name = wanted.name;
    (declared.make)(wanted).map_err(|source| SinkConfigError::Options {
        name: name.to_owned(),
        source,
    })
}

/// The options of a sink out of their values.
#[cfg(any(feature = "local", feature = "remote"))]
fn options<T: DeserializeOwned>(values: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(values).map_err(|error| {
        let option = error.path().to_string();
        match option.as_str() {
            // Of the table itself names are told; the words about a value may quote it.
            "." => Problem::Shape(error.inner().to_string()),
            _ => Problem::value(&option, "has a value that cannot be used"),
        }
    })
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
