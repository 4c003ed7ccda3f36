//! What the refusals of S3 mean.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use respaldo_engine::ports::FaultKind;

use super::super::wire::{Meaning, meaning};
use super::super::xml::Refusal;

const CLOCK: &str = "the clock of this machine is wrong, or that of the store: set it by NTP";
const REGION: &str = "the bucket is of another region: correct `region` or `endpoint`";
const DAMAGED: &str = "the bytes were damaged on the way";
const SESSION: &str = "the session token is no longer valid: renew the credentials";

const CODES: &[Meaning] = &[
    (
        "AccessDenied",
        FaultKind::Denied,
        "the account may not do this: its rights, a bucket policy or a lock forbid it",
    ),
    (
        "AllAccessDisabled",
        FaultKind::Denied,
        "the store has closed the bucket",
    ),
    ("ObjectLocked", FaultKind::Denied, "the object is locked"),
    (
        "SignatureDoesNotMatch",
        FaultKind::Denied,
        "`secret_access_key` does not fit `access_key_id`, or a proxy changes the requests",
    ),
    (
        "InvalidAccessKeyId",
        FaultKind::Denied,
        "the store does not know `access_key_id`",
    ),
    ("ExpiredToken", FaultKind::Denied, SESSION),
    ("InvalidToken", FaultKind::Denied, SESSION),
    ("RequestTimeTooSkewed", FaultKind::Denied, CLOCK),
    ("RequestExpired", FaultKind::Denied, CLOCK),
    (
        "NoSuchBucket",
        FaultKind::Invalid,
        "there is no such bucket: make it, or correct `bucket`",
    ),
    ("PermanentRedirect", FaultKind::Invalid, REGION),
    ("TemporaryRedirect", FaultKind::Invalid, REGION),
    ("AuthorizationHeaderMalformed", FaultKind::Invalid, REGION),
    (
        "IllegalLocationConstraintException",
        FaultKind::Invalid,
        REGION,
    ),
    ("NoSuchKey", FaultKind::NotFound, ""),
    ("NoSuchVersion", FaultKind::NotFound, ""),
    ("NoSuchUpload", FaultKind::NotFound, ""),
    ("PreconditionFailed", FaultKind::Exists, ""),
    // Two requests met: who came first is seen the next time.
    ("ConditionalRequestConflict", FaultKind::Unavailable, ""),
    ("OperationAborted", FaultKind::Unavailable, ""),
    ("RequestTimeout", FaultKind::Unavailable, ""),
    (
        "SlowDown",
        FaultKind::Unavailable,
        "the store is overloaded",
    ),
    ("InternalError", FaultKind::Unavailable, ""),
    ("ServiceUnavailable", FaultKind::Unavailable, ""),
    ("BadDigest", FaultKind::Corrupt, DAMAGED),
    ("XAmzContentSHA256Mismatch", FaultKind::Corrupt, DAMAGED),
    ("XAmzContentChecksumMismatch", FaultKind::Corrupt, DAMAGED),
    ("InvalidRange", FaultKind::Corrupt, ""),
    ("QuotaExceeded", FaultKind::Full, "the quota is used up"),
    ("EntityTooLarge", FaultKind::Full, ""),
    (
        "ObjectLockConfigurationNotFoundError",
        FaultKind::Invalid,
        "the bucket was made without object lock",
    ),
    (
        "NotImplemented",
        FaultKind::Invalid,
        "the store cannot do this; see docs/storage.md for those that can",
    ),
];

/// What a refusal means, and its words without the parts that quote our request.
pub(super) fn explain(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> (FaultKind, String) {
    let refusal = Refusal::of(body);
    let region = headers.get("x-amz-bucket-region");
    let code = match (refusal.code.as_str(), region) {
        // An answer to HEAD has no body.
        ("", Some(_)) if status.is_redirection() => "PermanentRedirect",
        (code, _) => code,
    };
    meaning(CODES, status, code, &refusal.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_what_to_do_and_quotes_no_request() {
        let body = b"<Error><Code>SignatureDoesNotMatch</Code><Message>no match</Message>\
                     <StringToSign>AWS4 secret things</StringToSign></Error>";
        let (kind, why) = explain(StatusCode::FORBIDDEN, &HeaderMap::new(), body);
        assert_eq!(kind, FaultKind::Denied);
        assert!(
            why.contains("secret_access_key") && why.contains("no match"),
            "{why}"
        );
        assert!(!why.contains("secret things"), "{why}");
    }

    #[test]
    fn a_code_counts_more_than_its_status() {
        let says = |status, code: &str| {
            let body = format!("<Error><Code>{code}</Code></Error>");
            explain(status, &HeaderMap::new(), body.as_bytes()).0
        };
        let not_found = StatusCode::NOT_FOUND;
        assert_eq!(says(not_found, "NoSuchBucket"), FaultKind::Invalid);
        assert_eq!(says(not_found, "NoSuchKey"), FaultKind::NotFound);
        assert_eq!(
            says(StatusCode::FORBIDDEN, "RequestTimeTooSkewed"),
            FaultKind::Denied
        );
        assert_eq!(
            says(StatusCode::OK, "InternalError"),
            FaultKind::Unavailable
        );
        assert_eq!(says(StatusCode::BAD_REQUEST, "Other"), FaultKind::Invalid);
    }
}
