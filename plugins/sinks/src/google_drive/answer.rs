//! Google's refusals, put into our words from one table.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use respaldo_engine::ports::{Fault, FaultKind};
use serde::Deserialize;

use crate::remote;

/// Why something did not go, and whether the same may be tried again at once.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) fault: Fault,
    pub(super) again: Again,
}

/// Whether trying again makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// It would end the same way.
    Never,
    /// After a while; after that of the server where it named one.
    After(Option<Duration>),
}

impl Trouble {
    /// One that trying again does not end.
    pub(super) fn lasting(fault: Fault) -> Self {
        Self {
            fault,
            again: Again::Never,
        }
    }

    /// One that may pass.
    pub(super) fn passing(fault: Fault) -> Self {
        Self {
            fault,
            again: Again::After(None),
        }
    }

    /// A request without an answer.
    pub(super) fn unanswered(subject: &str, error: reqwest::Error) -> Self {
        Self::passing(remote::unanswered(subject, error))
    }

    /// An answer that is none of those hoped for.
    pub(super) fn refused(
        subject: &str,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Self {
        let Some(told) = Told::read(body) else {
            let words = String::from_utf8_lossy(body);
            let fault = remote::refused(subject, status, &words);
            return Self::from_parts(fault, asked_to_wait(headers));
        };
        let (kind, hint) = meaning(status, &told.reason);
        let why = format!("{} ({status}, {}){hint}", told.message, told.reason);
        Self::from_parts(Fault::new(kind, subject, why), asked_to_wait(headers))
    }

    fn from_parts(fault: Fault, wait: Option<Duration>) -> Self {
        match fault.kind {
            FaultKind::Unavailable => Self {
                fault,
                again: Again::After(wait),
            },
            _ => Self::lasting(fault),
        }
    }
}

fn asked_to_wait(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// What a refusal says.
struct Told {
    reason: String,
    message: String,
}

#[derive(Deserialize)]
struct Body {
    error: Inner,
}

#[derive(Deserialize)]
struct Inner {
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Vec<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(default)]
    reason: String,
}

impl Told {
    fn read(body: &[u8]) -> Option<Self> {
        let Body { error } = serde_json::from_slice(body).ok()?;
        let reason = error.errors.into_iter().next()?.reason;
        let message = error.message.chars().take(300).collect();
        Some(Self { reason, message })
    }
}

/// What a reason means, and what a person can do about it.
fn meaning(status: StatusCode, reason: &str) -> (FaultKind, &'static str) {
    match reason {
        "rateLimitExceeded"
        | "userRateLimitExceeded"
        | "sharingRateLimitExceeded"
        | "backendError"
        | "transientError"
        | "internalError" => (FaultKind::Unavailable, ""),
        "dailyLimitExceeded" | "quotaExceeded" | "dailyLimitExceededUnreg" => (
            FaultKind::Unavailable,
            "; the project's quota of the day is used up: wait, or raise it in Google's console",
        ),
        "storageQuotaExceeded"
        | "teamDriveFileLimitExceeded"
        | "uploadTooLarge"
        | "numChildrenInNonRootLimitExceeded"
        | "activeItemCreationLimitExceeded" => (
            FaultKind::Full,
            "; make room, or buy storage. A service account has none of its own: let the folder be \
             in a shared drive of which it is a member, or set subject",
        ),
        "appNotAuthorizedToFile" | "appNotAuthorizedToChild" => (
            FaultKind::Denied,
            "; the refresh token must be given for the scope https://www.googleapis.com/auth/drive",
        ),
        "insufficientFilePermissions"
        | "insufficientParentPermissions"
        | "teamDrivesFolderMoveInNotSupported"
        | "forbidden" => (
            FaultKind::Denied,
            "; share the folder with the account as an editor, or in a shared drive as a manager: \
             only managers delete for good",
        ),
        "insufficientPermissions" | "insufficientScopes" => (
            FaultKind::Denied,
            "; log in for the scope https://www.googleapis.com/auth/drive",
        ),
        "accessNotConfigured" => (
            FaultKind::Denied,
            "; enable the Google Drive API in the project of the key",
        ),
        "authError" => (FaultKind::Denied, "; the token is not taken"),
        _ => (remote::kind_of(status), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(status: u16, reason: &str) -> Trouble {
        let body = serde_json::json!({ "error": {
            "code": status, "message": "words", "errors": [{ "reason": reason }]
        }});
        let status = StatusCode::from_u16(status).unwrap();
        Trouble::refused(
            "do it",
            status,
            &HeaderMap::new(),
            body.to_string().as_bytes(),
        )
    }

    #[test]
    fn the_reason_decides_where_the_status_leaves_it_open() {
        for (status, reason, kind) in [
            (403, "userRateLimitExceeded", FaultKind::Unavailable),
            (403, "storageQuotaExceeded", FaultKind::Full),
            (403, "insufficientFilePermissions", FaultKind::Denied),
            (403, "unheard", FaultKind::Denied),
            (404, "notFound", FaultKind::NotFound),
            (500, "unheard", FaultKind::Unavailable),
            (429, "unheard", FaultKind::Unavailable),
        ] {
            let trouble = trouble(status, reason);
            assert_eq!(trouble.fault.kind, kind, "{reason}");
            let passes = trouble.again != Again::Never;
            assert_eq!(passes, kind == FaultKind::Unavailable, "{reason}");
        }
    }

    #[test]
    fn an_answer_of_something_in_between_is_told_by_its_status() {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, "7".parse().unwrap())]);
        let body = b"<html>busy</html>";
        let trouble = Trouble::refused("do it", StatusCode::BAD_GATEWAY, &headers, body);
        assert_eq!(trouble.again, Again::After(Some(Duration::from_secs(7))));
    }
}
