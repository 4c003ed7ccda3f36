//! What is sent: JSON, of no more than a mebibyte, and soon.

use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::Asked;
use crate::problem::Refusal;
use crate::routes::Route;

/// Bytes of a body.
pub const MOST: usize = 1024 * 1024;
/// A body is there in that time.
const WITHIN: Duration = Duration::from_secs(15);

/// Reads it.
pub async fn read(sent: Body, headers: &HeaderMap, route: &Route) -> Result<Vec<u8>, Refusal> {
    let told = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok());
    let told = told.and_then(|length| length.parse::<u64>().ok());
    let too_large = || Refusal::new(413, "too-large", format!("{MOST}"));
    if told.is_some_and(|length| length > MOST as u64) {
        return Err(too_large());
    }
    let gathered = tokio::time::timeout(WITHIN, Limited::new(sent, MOST).collect()).await;
    let gathered = gathered.map_err(|_| Refusal::new(408, "too-slow", ""))?;
    let body = match gathered {
        Ok(gathered) => gathered.to_bytes().to_vec(),
        Err(error) if error.is::<LengthLimitError>() => return Err(too_large()),
        Err(error) => return Err(Refusal::new(400, "invalid-request", error.to_string())),
    };
    if route.body.is_some() {
        let kind = headers
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let kind = kind
            .and_then(|kind| kind.split(';').next())
            .unwrap_or_default();
        // A form of another site can send anything but this.
        if !kind.trim().eq_ignore_ascii_case("application/json") {
            return Err(Refusal::new(
                415,
                "invalid-request",
                "Content-Type: application/json",
            ));
        }
    }
    Ok(body)
}

/// The body as its type.
pub fn parse<T: DeserializeOwned>(asked: &Asked) -> Result<T, Refusal> {
    let text = std::str::from_utf8(&asked.body)
        .map_err(|_| Refusal::new(400, "invalid-request", "UTF-8"))?;
    if text.contains("\\u0000") {
        return Err(Refusal::unfit("NUL"));
    }
    serde_json::from_str(text).map_err(|error| {
        let status = if error.is_data() { 422 } else { 400 };
        Refusal::new(status, "invalid-request", error.to_string())
    })
}
