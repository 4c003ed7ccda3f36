//! Requests to the API: with a token, and again where trouble passes.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use respaldo_engine::ports::{Fault, FaultKind};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::answer::Trouble;
use super::login::Login;
use super::pace::Pace;

/// Longest wait for the answer to a small request.
pub(super) const REQUEST_LIMIT: Duration = Duration::from_mins(1);
/// What is asked of every file.
pub(super) const FIELDS: &str =
    "id,name,size,createdTime,mimeType,md5Checksum,sha256Checksum,appProperties";
/// Largest answer that is read: a page of a thousand files is a tenth of it.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// The API as one login sees it.
pub(super) struct Api {
    client: Client,
    base: Url,
    login: Login,
}

/// A request that can be sent more than once.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) body: Option<Bytes>,
    pub(super) limit: Option<Duration>,
}

/// An answer that was read whole.
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A file as Drive tells of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct File {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    /// Folders and documents have none.
    #[serde(default, deserialize_with = "decimal")]
    pub(super) size: Option<u64>,
    #[serde(default)]
    pub(super) created_time: String,
    pub(super) md5_checksum: Option<String>,
    pub(super) sha256_checksum: Option<String>,
    #[serde(default)]
    pub(super) app_properties: BTreeMap<String, String>,
}

impl File {
    /// The rule by which one of several files of a key is the object: the earliest, then the
    /// smallest id.
    pub(super) fn rank(&self) -> (&str, &str) {
        (&self.created_time, &self.id)
    }
}

fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let text: Option<String> = Deserialize::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(serde::de::Error::custom))
        .transpose()
}

impl Call {
    pub(super) fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
            body: None,
            limit: Some(REQUEST_LIMIT),
        }
    }

    pub(super) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn json(mut self, json: &Value) -> Self {
        self.body = Some(Bytes::from(json.to_string()));
        self.header(CONTENT_TYPE, "application/json; charset=UTF-8")
    }
}

impl Answer {
    pub(super) fn parse<T: DeserializeOwned>(&self, subject: &str) -> Result<T, Fault> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let why = format!("the answer is not one of Google Drive: {error}");
            Fault::new(FaultKind::Unavailable, subject, why)
        })
    }

    /// The server's time.
    pub(super) fn date(&self) -> Option<DateTime<Utc>> {
        let text = self.headers.get(DATE)?.to_str().ok()?;
        DateTime::parse_from_rfc2822(text).ok().map(Into::into)
    }
}

impl Api {
    pub(super) fn new(client: Client, base: Url, login: Login) -> Self {
        Self {
            client,
            base,
            login,
        }
    }

    pub(super) fn login(&self) -> &Login {
        &self.login
    }

    /// An address of the API. Without `supportsAllDrives` files of shared drives do not exist.
    pub(super) fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
        url.query_pairs_mut()
            .append_pair("supportsAllDrives", "true")
            .extend_pairs(query);
        url
    }

    /// An address of one file.
    pub(super) fn file_url(&self, id: &str, query: &[(&str, &str)]) -> Url {
        self.url(&format!("drive/v3/files/{id}"), query)
    }

    /// Whether an address that the server gave may be given our token: it is where we asked, or
    /// Google's own.
    pub(super) fn trusts(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let google = url.scheme() == "https" && host.ends_with(".googleapis.com");
        google || url.origin() == self.base.origin()
    }

    /// The whole answer to a request, which is sent again while its trouble may pass.
    pub(super) async fn answer(&self, call: &Call, subject: &str) -> Result<Answer, Fault> {
        let mut pace = Pace::default();
        loop {
            match self.answer_once(call, subject).await {
                Ok(answer) => return Ok(answer),
                Err(trouble) => pace.pause(trouble).await?,
            }
        }
    }

    async fn answer_once(&self, call: &Call, subject: &str) -> Result<Answer, Trouble> {
        let response = self.once(call, subject).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = body_of(response, subject).await?;
        match status.is_success() {
            true => Ok(Answer { headers, body }),
            false => Err(Trouble::refused(subject, status, &headers, &body)),
        }
    }

    /// Sends once; a second time with a fresh token, where the first is taken no more.
    pub(super) async fn once(&self, call: &Call, subject: &str) -> Result<Response, Trouble> {
        let token = self.login.token().await.map_err(Trouble::lasting)?;
        let request = self.request(call).bearer_auth(token.expose_secret());
        let failed = |error| Trouble::unanswered(subject, error);
        let response = request.send().await.map_err(failed)?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        self.login.forget(&token).await;
        let token = self.login.token().await.map_err(Trouble::lasting)?;
        let request = self.request(call).bearer_auth(token.expose_secret());
        request.send().await.map_err(failed)
    }

    fn request(&self, call: &Call) -> RequestBuilder {
        let mut request = self.client.request(call.method.clone(), call.url.clone());
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        if let Some(body) = &call.body {
            request = request.body(body.clone());
        }
        match call.limit {
            Some(limit) => request.timeout(limit),
            None => request,
        }
    }
}

/// The body of an answer, which is no longer than any that makes sense.
pub(super) async fn body_of(mut response: Response, subject: &str) -> Result<Bytes, Trouble> {
    let mut body = BytesMut::new();
    let failed = |error| Trouble::unanswered(subject, error);
    while let Some(piece) = response.chunk().await.map_err(failed)? {
        if body.len() + piece.len() > MAX_ANSWER_BYTES {
            let fault = Fault::new(FaultKind::Invalid, subject, "the answer does not end");
            return Err(Trouble::lasting(fault));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}
