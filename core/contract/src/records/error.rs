//! Every failure in JSON.

use serde::Serialize;

use crate::labels::Label;
use crate::messages::{ErrorCode, Lang};

/// A command that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorRecord {
    /// Never.
    pub exitoso: bool,
    /// One sentence.
    pub mensaje: String,
    /// For programs and for the person who mends it.
    pub error: ErrorDetailRecord,
}

/// The particulars of a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorDetailRecord {
    /// Stable code.
    pub codigo: &'static str,
    /// What was being done, to what, and why it failed.
    pub detalle: String,
    /// What to do about it.
    pub sugerencia: &'static str,
}

impl ErrorRecord {
    /// The record of an error whose cause chain is `detail`; where that is empty, the general
    /// explanation stands for it.
    ///
    /// ```
    /// use respaldo_contract::messages::{ErrorCode, Lang};
    /// use respaldo_contract::records::ErrorRecord;
    ///
    /// let record = ErrorRecord::of(ErrorCode::SinkFull, "storing in nas: no space", Lang::En);
    /// let json = serde_json::to_value(record).unwrap();
    /// assert_eq!(json["exitoso"], false);
    /// assert_eq!(json["error"]["codigo"], "sink-full");
    /// assert_eq!(json["error"]["detalle"], "storing in nas: no space");
    /// ```
    pub fn of(code: ErrorCode, detail: impl Into<String>, lang: Lang) -> Self {
        let text = code.text(lang);
        let detail = detail.into();
        Self {
            exitoso: false,
            mensaje: text.title.to_owned(),
            error: ErrorDetailRecord {
                codigo: code.label(),
                detalle: if detail.is_empty() {
                    text.explanation.to_owned()
                } else {
                    detail
                },
                sugerencia: text.hint,
            },
        }
    }
}
