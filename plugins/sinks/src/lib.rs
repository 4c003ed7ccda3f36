//! Storage sinks, chosen by name in the configuration, and the suite that each of them passes.

pub mod conformance;
#[cfg(feature = "local")]
pub mod local;
pub mod memory;

use std::sync::Arc;

use respaldo_engine::ports::StorageSink;

/// Names of the sinks that can be configured.
pub const NAMES: &[&str] = &[
    #[cfg(feature = "local")]
    local::KIND,
];

/// Why a configured sink cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SinkConfigError {
    /// No such sink.
    #[error("there is no sink {0:?}; known are: {known}", known = NAMES.join(", "))]
    Unknown(String),
    /// Options missing, misspelt or of another type.
    #[error("the options of sink {name:?} are not understood")]
    Options {
        /// The sink's own name.
        name: String,
        /// What is wrong with them.
        source: serde_json::Error,
    },
}

/// Makes the sink `kind` under the name it has in the configuration.
#[cfg_attr(
    not(feature = "local"),
    expect(unused_variables, reason = "there is no sink that could use them")
)]
pub fn by_name(
    kind: &str,
    name: &str,
    options: serde_json::Value,
) -> Result<Arc<dyn StorageSink>, SinkConfigError> {
    #[cfg(feature = "local")]
    let bad = |source| SinkConfigError::Options {
        name: name.to_owned(),
        source,
    };
    match kind {
        #[cfg(feature = "local")]
        local::KIND => {
            let options: local::Options = serde_json::from_value(options).map_err(bad)?;
            Ok(Arc::new(local::LocalSink::new(name, &options)))
        }
        other => Err(SinkConfigError::Unknown(other.to_owned())),
    }
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
