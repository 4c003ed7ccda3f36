//! What the refusals of Google mean.

use reqwest::StatusCode;
use respaldo_engine::ports::FaultKind;
use serde::Deserialize;

use super::super::wire::{Meaning, meaning};

const RIGHTS: &str = "the account may not do this: give it the role Storage Object User on the \
                      bucket (docs/storage.md), or a retention policy forbids it";
const WHO: &str = "the store does not accept `service_account`: is the key still valid, and the \
                   clock of this machine right?";
const SLOW: &str = "the store is overloaded, or this machine asks too much of it";

const REASONS: &[Meaning] = &[
    ("forbidden", FaultKind::Denied, RIGHTS),
    ("insufficientPermissions", FaultKind::Denied, RIGHTS),
    (
        "retentionPolicyNotMet",
        FaultKind::Denied,
        "the bucket's retention policy keeps the object",
    ),
    (
        "objectUnderActiveHold",
        FaultKind::Denied,
        "the object is on hold",
    ),
    ("required", FaultKind::Denied, WHO),
    ("authError", FaultKind::Denied, WHO),
    (
        "accountDisabled",
        FaultKind::Denied,
        "the account or its billing is switched off",
    ),
    ("conditionNotMet", FaultKind::Exists, ""),
    ("conflict", FaultKind::Unavailable, ""),
    ("rateLimitExceeded", FaultKind::Unavailable, SLOW),
    ("userRateLimitExceeded", FaultKind::Unavailable, SLOW),
    ("backendError", FaultKind::Unavailable, ""),
    ("internalError", FaultKind::Unavailable, ""),
    ("quotaExceeded", FaultKind::Full, "the quota is used up"),
];

#[derive(Debug, Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    error: Words,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Words {
    message: String,
    errors: Vec<Reason>,
}

#[derive(Debug, Deserialize)]
struct Reason {
    #[serde(default)]
    reason: String,
}

/// What a refusal means, and its words.
pub(super) fn explain(status: StatusCode, body: &[u8]) -> (FaultKind, String) {
    let Refusal { error } = serde_json::from_slice(body).unwrap_or_default();
    let reason = error.errors.first().map_or("", |reason| &reason.reason);
    // The same reason is given for a bucket and an object that are not there.
    if status == StatusCode::NOT_FOUND && error.message.contains("bucket does not exist") {
        let why = "there is no such bucket: make it, or correct `bucket`";
        return (FaultKind::Invalid, why.to_owned());
    }
    meaning(REASONS, status, reason, &error.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_counts_more_than_its_status() {
        let says = |status, body: &str| explain(status, body.as_bytes()).0;
        let limited = r#"{"error":{"errors":[{"reason":"rateLimitExceeded"}],"message":"slow"}}"#;
        assert_eq!(says(StatusCode::FORBIDDEN, limited), FaultKind::Unavailable);
        let bucket = r#"{"error":{"message":"The specified bucket does not exist."}}"#;
        assert_eq!(says(StatusCode::NOT_FOUND, bucket), FaultKind::Invalid);
        assert_eq!(says(StatusCode::NOT_FOUND, "no json"), FaultKind::NotFound);
        assert_eq!(says(StatusCode::PRECONDITION_FAILED, ""), FaultKind::Exists);
    }
}
