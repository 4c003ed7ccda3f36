//! What the refusals of Azure mean.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use respaldo_engine::ports::FaultKind;

use super::super::wire::{Meaning, meaning};
use super::super::xml::Refusal;

const RIGHTS: &str = "the key or the token does not allow this: docs/storage.md lists the rights";
const KEPT: &str = "an immutability policy or a lease keeps the object";

const CODES: &[Meaning] = &[
    (
        "AuthenticationFailed",
        FaultKind::Denied,
        "`access_key` or `sas_token` is wrong or expired, or the clock of this machine is",
    ),
    ("InvalidAuthenticationInfo", FaultKind::Denied, RIGHTS),
    ("NoAuthenticationInformation", FaultKind::Denied, RIGHTS),
    ("AuthorizationFailure", FaultKind::Denied, RIGHTS),
    ("AuthorizationPermissionMismatch", FaultKind::Denied, RIGHTS),
    (
        "AuthorizationResourceTypeMismatch",
        FaultKind::Denied,
        RIGHTS,
    ),
    ("AuthorizationServiceMismatch", FaultKind::Denied, RIGHTS),
    ("AuthorizationProtocolMismatch", FaultKind::Denied, RIGHTS),
    ("AuthorizationSourceIPMismatch", FaultKind::Denied, RIGHTS),
    ("InsufficientAccountPermissions", FaultKind::Denied, RIGHTS),
    (
        "AccountIsDisabled",
        FaultKind::Denied,
        "the account is switched off",
    ),
    ("BlobImmutableDueToPolicy", FaultKind::Denied, KEPT),
    ("LeaseIdMissing", FaultKind::Denied, KEPT),
    (
        "ContainerNotFound",
        FaultKind::Invalid,
        "there is no such container: make it, or correct `container`",
    ),
    ("ContainerBeingDeleted", FaultKind::Unavailable, ""),
    ("BlobNotFound", FaultKind::NotFound, ""),
    // The list of another put under the key dropped the blocks of this one.
    ("InvalidBlockList", FaultKind::NotFound, ""),
    ("BlobAlreadyExists", FaultKind::Exists, ""),
    ("ConditionNotMet", FaultKind::Exists, ""),
    (
        "Md5Mismatch",
        FaultKind::Corrupt,
        "the bytes were damaged on the way",
    ),
    ("InvalidRange", FaultKind::Corrupt, ""),
    (
        "ServerBusy",
        FaultKind::Unavailable,
        "the store is overloaded",
    ),
    ("OperationTimedOut", FaultKind::Unavailable, ""),
    ("InternalError", FaultKind::Unavailable, ""),
];

/// What a refusal means. The details, which quote our request, are left out.
pub(super) fn explain(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> (FaultKind, String) {
    let refusal = Refusal::of(body);
    let code = headers.get("x-ms-error-code");
    let code = code.and_then(|code| code.to_str().ok());
    let message = refusal.message.lines().next().unwrap_or_default();
    meaning(CODES, status, code.unwrap_or(&refusal.code), message)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn a_code_is_found_where_there_is_no_body() {
        let mut headers = HeaderMap::new();
        let says = |headers: &HeaderMap, body: &[u8]| explain(StatusCode::NOT_FOUND, headers, body);
        headers.insert(
            "x-ms-error-code",
            HeaderValue::from_static("ContainerNotFound"),
        );
        assert_eq!(says(&headers, b"").0, FaultKind::Invalid);
        let body =
            b"<?xml version=\"1.0\"?><Error><Code>BlobNotFound</Code><Message>no\nid</Message>\
                     </Error>";
        let (kind, why) = says(&HeaderMap::new(), body);
        assert_eq!(kind, FaultKind::NotFound);
        assert!(why.contains("no") && !why.contains("id"), "{why}");
    }
}
