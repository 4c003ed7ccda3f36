//! Answers in XML.

use bytes::Bytes;
use respaldo_engine::ports::{Fault, FaultKind};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A refusal, as S3 and Azure spell it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) message: String,
}

impl Refusal {
    /// Empty where the body is none.
    pub(super) fn of(body: &[u8]) -> Self {
        read(body).unwrap_or_default()
    }
}

/// An answer of the shape that was hoped for.
pub(super) fn answer<T: DeserializeOwned>(subject: &str, body: &Bytes) -> Result<T, Fault> {
    read(body).ok_or_else(|| {
        let why = "the answer is not what such a store answers: is `endpoint` right?";
        Fault::new(FaultKind::Invalid, subject, why)
    })
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    let text = std::str::from_utf8(body).ok()?;
    let text = text.trim_start_matches('\u{feff}');
    quick_xml::de::from_str(text).ok()
}

/// A text between tags.
pub(super) fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}
