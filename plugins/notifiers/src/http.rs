//! One HTTP request whose address is a secret.

use std::time::Duration;

use reqwest::blocking::{Client, RequestBuilder};
use reqwest::redirect::Policy;
use reqwest::{Error, StatusCode};
use respaldo_engine::ports::{Fault, FaultKind};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// An address of http or https.
pub(crate) fn address(what: &str, address: &SecretString) -> Result<Url, Fault> {
    let url = Url::parse(address.expose_secret()).ok();
    url.filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host())
        .ok_or_else(|| {
            let why = format!("the address of the {what} is no URL of http or https");
            Fault::bare(FaultKind::Invalid, why)
        })
}

/// A client that waits no longer than `limit` and follows no redirect: the next address is none that
/// anybody chose to trust with what is told.
pub(crate) fn client(limit: Duration) -> Result<Client, Fault> {
    // A second call keeps the first provider, which is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .timeout(limit)
        .connect_timeout(limit)
        .redirect(Policy::none())
        .user_agent(concat!("respaldo/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| Fault::new(FaultKind::Internal, "making an HTTP client", hide(error)))
}

/// Sends; anything but a success is a fault.
pub(crate) fn send(what: &str, request: RequestBuilder) -> Result<(), Fault> {
    let subject = || format!("telling the {what}");
    let answer = request
        .send()
        .map_err(|error| Fault::new(FaultKind::Unavailable, subject(), hide(error)))?;
    let status = answer.status();
    match status.is_success() {
        true => Ok(()),
        false => {
            let why = format!("it answered {status}");
            Err(Fault::new(kind_of(status), subject(), why))
        }
    }
}

fn kind_of(status: StatusCode) -> FaultKind {
    match status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => FaultKind::Unavailable,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => FaultKind::Denied,
        StatusCode::NOT_FOUND | StatusCode::GONE => FaultKind::NotFound,
        status if status.is_server_error() => FaultKind::Unavailable,
        _ => FaultKind::Invalid,
    }
}

/// The driver's words name the address.
fn hide(error: Error) -> Error {
    error.without_url()
}
