//! Refusals in the shape of Google's APIs and of OAuth.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::Response;
use serde_json::{Value, json};

/// What a handler gives: an answer, or a refusal as an answer.
pub(super) type Outcome = Result<Response, Response>;

/// An answer in JSON.
pub(super) fn answer(status: u16, json: &Value) -> Response {
    let response = Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/json; charset=UTF-8");
    response.body(Body::from(json.to_string())).unwrap()
}

/// An answer without a body.
pub(super) fn empty(status: u16) -> Response {
    Response::builder()
        .status(status)
        .body(Body::empty())
        .unwrap()
}

/// A refusal of the API.
pub(super) fn refuse(status: u16, reason: &str, message: &str) -> Response {
    let domain = match reason {
        "rateLimitExceeded" | "userRateLimitExceeded" => "usageLimits",
        _ => "global",
    };
    let detail = json!({ "domain": domain, "reason": reason, "message": message });
    let error = json!({ "code": status, "message": message, "errors": [detail] });
    answer(status, &json!({ "error": error }))
}

/// A refusal that asks for a wait.
pub(super) fn refuse_for(status: u16, reason: &str, seconds: Option<u64>) -> Response {
    let words = StatusCode::from_u16(status).unwrap().canonical_reason();
    let mut response = refuse(status, reason, words.unwrap_or("refused"));
    if let Some(seconds) = seconds {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// There is no such file, or it may not be seen.
pub(super) fn not_found(id: &str) -> Response {
    refuse(404, "notFound", &format!("File not found: {id}."))
}

/// Something in the request makes no sense.
pub(super) fn invalid(message: &str) -> Response {
    refuse(400, "badRequest", message)
}

/// A refusal of the token endpoint.
pub(super) fn no_token(status: u16, error: &str, description: &str) -> Response {
    answer(
        status,
        &json!({ "error": error, "error_description": description }),
    )
}
