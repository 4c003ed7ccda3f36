//! A call as data, so that it means the same in this process and in another.

use respaldo_sdk::abi;
use serde::{Deserialize, Serialize};

/// A call to an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "kebab-case")]
pub(crate) enum Request {
    SinkProbe,
    Put { key: String, size_bytes: u64 },
    Get { key: String, offset: u64, len: u64 },
    Head { key: String },
    List { prefix: String },
    Remove { key: String },
    Sweep,
    Baseline { request: String },
    Verdicts { request: String },
    DumperProbe { request: String },
    Dump { request: String },
    Validate { request: String },
}

impl Request {
    /// For messages: the call and what it concerns.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::SinkProbe | Self::DumperProbe { .. } => "probe".to_owned(),
            Self::Put { key, .. } => format!("put {key}"),
            Self::Get { key, .. } => format!("get {key}"),
            Self::Head { key } => format!("head {key}"),
            Self::List { prefix } => format!("list {prefix}"),
            Self::Remove { key } => format!("remove {key}"),
            Self::Sweep => "sweep".to_owned(),
            Self::Baseline { .. } => "baseline".to_owned(),
            Self::Verdicts { .. } => "verdicts".to_owned(),
            Self::Dump { .. } => "dump".to_owned(),
            Self::Validate { .. } => "validate".to_owned(),
        }
    }

    /// Id of the interface that it belongs to.
    pub(crate) fn interface(&self) -> &'static str {
        match self {
            Self::SinkProbe
            | Self::Put { .. }
            | Self::Get { .. }
            | Self::Head { .. }
            | Self::List { .. }
            | Self::Remove { .. }
            | Self::Sweep => abi::STORAGE_ID,
            Self::Baseline { .. } | Self::Verdicts { .. } => abi::DETECTOR_ID,
            Self::DumperProbe { .. } | Self::Dump { .. } => abi::DUMPER_ID,
            Self::Validate { .. } => abi::VALIDATOR_ID,
        }
    }
}
