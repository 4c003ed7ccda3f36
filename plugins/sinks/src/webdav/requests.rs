//! The requests that are made, and what their answers mean.

use std::path::Path;
use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use respaldo_engine::ports::{Fault, FaultKind};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::account::{Account, Login};
use super::multistatus::{self, Entry};
use crate::{Problem, owner, remote};

/// Longest answer that is read whole: the listing of a folder with some 100,000 files.
const ANSWER_BYTES: usize = 64 * 1024 * 1024;
const DEPTH: &str = "Depth";
/// How often a request is made that the server refuses for the moment.
pub(super) const TRIES: u32 = 6;
/// The pause before the second of them; each is twice the one before.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Asks for what is looked at, and for no more.
const WANTED: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/><quota-available-bytes/></prop></propfind>"#;

/// Makes requests to one folder of a server.
pub(super) struct Requests {
    account: Account,
    client: Client,
    uploads: Client,
}

/// What is in a folder, and what time it is there.
pub(super) struct Listing {
    pub(super) entries: Vec<Entry>,
    pub(super) server_time: Option<SystemTime>,
}

impl Requests {
    pub(super) fn new(account: Account, ca_file: Option<&Path>) -> Result<Self, Problem> {
        Ok(Self {
            account,
            client: remote::client(ca_file)?,
            uploads: remote::patient_client(ca_file)?,
        })
    }

    /// The folder of the sink.
    pub(super) fn root(&self) -> Url {
        self.account.root.clone()
    }

    /// An address below it.
    pub(super) fn below(&self, path: &str) -> Url {
        let mut url = self.root();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        url
    }

    /// The address of a staging file.
    pub(super) fn staging(&self, name: &str) -> Url {
        self.below(&format!("{}/{name}", owner::FOLDER))
    }

    /// A request with what proves who we are.
    pub(super) fn request(&self, method: Method, url: &Url) -> RequestBuilder {
        self.signed(self.client.request(method, url.clone()))
    }

    /// A PUT, whose body may take as long as it needs.
    pub(super) fn upload(&self, url: &Url) -> RequestBuilder {
        self.signed(self.uploads.put(url.clone()))
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.account.login {
            Login::Nobody => request,
            Login::User(user, password) => {
                let password = password.as_ref().map(SecretString::expose_secret);
                request.basic_auth(user, password)
            }
            Login::Token(token) => request.bearer_auth(token.expose_secret()),
        }
    }

    /// What is under an address; `None` where nothing is.
    pub(super) async fn look(&self, url: &Url) -> Result<Option<Entry>, Fault> {
        let listing = self.properties(url, "0").await?;
        Ok(listing.and_then(|listing| listing.entries.into_iter().next()))
    }

    /// What is in a folder, without itself; `None` where it is not there.
    pub(super) async fn list(&self, folder: &Url) -> Result<Option<Listing>, Fault> {
        let mut folder = folder.clone();
        if !folder.path().ends_with('/') {
            folder.set_path(&format!("{}/", folder.path()));
        }
        let Some(mut listing) = self.properties(&folder, "1").await? else {
            return Ok(None);
        };
        let all = listing.entries.len();
        listing.entries.retain(|entry| !entry.is_at(&folder));
        // Names of somewhere else would pass as foreign files, and the folder as empty.
        if listing.entries.len() == all {
            let subject = format!("list {folder}");
            let why = "its answer does not name the folder that was asked for: a proxy before it \
                       may change paths";
            return Err(Fault::new(FaultKind::Invalid, subject, why));
        }
        Ok(Some(listing))
    }

    async fn properties(&self, url: &Url, depth: &str) -> Result<Option<Listing>, Fault> {
        let request = self
            .request(method(b"PROPFIND"), url)
            .header(DEPTH, depth)
            .header(reqwest::header::CONTENT_TYPE, "application/xml")
            .body(WANTED);
        let answer = send(url, request).await?;
        match answer.status() {
            StatusCode::MULTI_STATUS => {}
            // Below a file there is nothing, which servers say in several ways.
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::CONFLICT => return Ok(None),
            _ => return Err(refusal(url, answer).await),
        }
        let server_time = date_of(&answer);
        let text = text_of(url, answer).await?;
        let entries = multistatus::parse(&text)
            .map_err(|why| Fault::new(FaultKind::Invalid, format!("look at {url}"), why))?;
        Ok(Some(Listing {
            entries,
            server_time,
        }))
    }

    /// Makes a folder; `false` where the one above it is missing.
    pub(super) async fn make_folder(&self, folder: &Url) -> Result<bool, Fault> {
        let mut url = folder.clone();
        url.set_path(&format!("{}/", folder.path().trim_end_matches('/')));
        let answer = patiently(&url, || self.request(method(b"MKCOL"), &url)).await?;
        match answer.status() {
            status if status.is_success() => Ok(true),
            StatusCode::CONFLICT | StatusCode::NOT_FOUND => Ok(false),
            _ => match self.look(&url).await? {
                Some(found) if found.is_folder => Ok(true),
                Some(_) => {
                    let subject = format!("{url} must be a folder, and is a file");
                    Err(Fault::bare(FaultKind::Denied, subject))
                }
                None => Err(refusal(&url, answer).await),
            },
        }
    }

    /// Removes a file; whether there was one.
    pub(super) async fn delete(&self, url: &Url) -> Result<bool, Fault> {
        let answer = patiently(url, || self.request(Method::DELETE, url)).await?;
        match answer.status() {
            status if status.is_success() => Ok(true),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(false),
            _ => Err(refusal(url, answer).await),
        }
    }

    /// Moves a file to where nothing is.
    pub(super) async fn rename(&self, from: &Url, to: &Url) -> Result<Response, Fault> {
        let request = self
            .request(method(b"MOVE"), from)
            .header("Destination", to.as_str())
            .header("Overwrite", "F");
        send(to, request).await
    }
}

/// One of WebDAV's own.
fn method(name: &'static [u8]) -> Method {
    // None of the three names is malformed.
    Method::from_bytes(name).unwrap_or_default()
}

/// Sends a request; any answer is one.
pub(super) async fn send(url: &Url, request: RequestBuilder) -> Result<Response, Fault> {
    let answer = request.send().await;
    answer.map_err(|error| remote::unanswered(format!("reach {url}"), error))
}

/// Sends a request that can be made again, a few times while the server says "not now": some lock
/// a folder for as long as something in it is made or moved.
async fn patiently(url: &Url, request: impl Fn() -> RequestBuilder) -> Result<Response, Fault> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        let answer = send(url, request()).await?;
        if !is_for_now(answer.status()) {
            return Ok(answer);
        }
        tokio::time::sleep(asked_pause(&answer).unwrap_or(pause)).await;
        pause *= 2;
    }
    send(url, request()).await
}

/// Whether the same request may be granted in a moment.
pub(super) fn is_for_now(status: StatusCode) -> bool {
    [
        StatusCode::LOCKED,
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::SERVICE_UNAVAILABLE,
    ]
    .contains(&status)
}

/// The fault of an answer that was not hoped for.
pub(super) async fn refusal(url: &Url, answer: Response) -> Fault {
    let status = answer.status();
    let words = text_of(url, answer).await.unwrap_or_default();
    let words = if words.trim_start().starts_with('<') {
        multistatus::message(&words)
    } else {
        words
    };
    let mut fault = remote::refused(url.as_str(), status, &words);
    fault.kind = kind_of(status);
    if let Some(hint) = hint_of(status) {
        fault.subject = format!("{url}: {hint}");
    }
    fault
}

/// What a status means in WebDAV, where some mean other things than elsewhere.
fn kind_of(status: StatusCode) -> FaultKind {
    match status {
        // The folder above is missing: we make it, so somebody has just removed it.
        StatusCode::CONFLICT => FaultKind::Unavailable,
        StatusCode::METHOD_NOT_ALLOWED => FaultKind::Invalid,
        other => remote::kind_of(other),
    }
}

fn hint_of(status: StatusCode) -> Option<&'static str> {
    match status {
        StatusCode::UNAUTHORIZED => Some(
            "the server does not accept user and password or token (only Basic and Bearer are \
             spoken; many want an app password)",
        ),
        StatusCode::FORBIDDEN => Some("the account may not do that there"),
        StatusCode::METHOD_NOT_ALLOWED => {
            Some("no WebDAV is spoken there: look at the path of url")
        }
        status if status.is_redirection() => {
            Some("the server points to another address, which is not followed: put it into url")
        }
        _ => None,
    }
}

/// The text of an answer, which is not longer than a limit.
async fn text_of(url: &Url, mut answer: Response) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    loop {
        let chunk = answer.chunk().await;
        let chunk = chunk
            .map_err(|error| remote::unanswered(format!("read the answer of {url}"), error))?;
        match chunk {
            None => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Some(chunk) if bytes.len() + chunk.len() > ANSWER_BYTES => {
                let subject = format!("the answer of {url} is longer than {ANSWER_BYTES} bytes");
                return Err(Fault::bare(FaultKind::Invalid, subject));
            }
            Some(chunk) => bytes.extend_from_slice(&chunk),
        }
    }
}

fn date_of(answer: &Response) -> Option<SystemTime> {
    let text = answer.headers().get(DATE)?.to_str().ok()?;
    httpdate::parse_http_date(text).ok()
}

/// How long the server asks to wait, not longer than a limit.
pub(super) fn asked_pause(answer: &Response) -> Option<Duration> {
    const LONGEST: u64 = 60;
    let text = answer.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let seconds: u64 = text.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(LONGEST)))
}
