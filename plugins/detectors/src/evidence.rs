//! What is stored of a table for the next comparison, and how it is spelled.

use chrono::{DateTime, FixedOffset};
use respaldo_domain::readings;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::counters::{Epoch, Vector};

/// A count and an order-independent sum over the rows a snapshot sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Print {
    pub rows: u64,
    /// Sum of 64-bit hashes; as text, because it outgrows every integer.
    pub sum: String,
}

/// The counters as they stood just before the snapshot of the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CounterEvidence {
    pub vector: Vector,
    pub epoch: Epoch,
    /// File under the snapshot: rewriting a table is not counted.
    pub relfilenode: u32,
}

/// Evidence of one table, or of the content of all large objects.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Evidence {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counters: Option<CounterEvidence>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub print: Option<Print>,
    /// When its rows were last looked at; the spot check goes by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<DateTime<FixedOffset>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<LogMark>,
}

/// What ties a table to the decoded log, which knows it by name only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogMark {
    /// Hash of the snapshot that its data is of.
    pub snapshot: String,
    /// The versions of the catalog rows that name it, and its file. As long as they are the same
    /// it had the same name throughout.
    pub name: String,
}

/// Evidence that cannot be read is no evidence.
pub(crate) fn decode<T: DeserializeOwned>(stored: Option<&readings::Evidence>) -> Option<T> {
    stored.and_then(|stored| stored.read().ok())
}

/// Values of ours always have a JSON form; without one there would be no evidence, hence a dump.
pub(crate) fn encode<T: Serialize>(evidence: &T) -> Option<readings::Evidence> {
    readings::Evidence::of(evidence).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_read_back_as_it_was_written() {
        let evidence = Evidence {
            counters: Some(CounterEvidence {
                vector: Vector([1, 2, 3]),
                epoch: Epoch("e".to_owned()),
                relfilenode: 7,
            }),
            print: Some(Print {
                rows: 2,
                sum: "-36893488147419103232".to_owned(),
            }),
            verified_at: DateTime::parse_from_rfc3339("2026-11-24T02:17:46.123456Z").ok(),
            mark: None,
        };
        assert_eq!(decode(encode(&evidence).as_ref()), Some(evidence));
        let of_another_form = encode(&serde_json::json!({"print": 3}));
        assert_eq!(decode::<Evidence>(of_another_form.as_ref()), None);
    }
}
