//! The panel as a whole: what all requests share, and the way from a path to an answer.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, LOCATION, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use tokio::sync::Semaphore;

use crate::Settings;
use crate::api;
use crate::cache::Cache;
use crate::files;
use crate::jobs::Jobs;
use crate::journal::Journal;
use crate::origin::{Connection, Origin};
use crate::people::People;
use crate::ports::{Lang, Ports, Stop};
use crate::problem::Refusal;
use crate::secrets;
use crate::sessions::Sessions;
use crate::tickets::Tickets;

/// Questions at once: people who look must not slow down a backup.
const READERS: usize = 3;
/// Passwords that are hashed at once, each in 19 MiB.
const HASHERS: usize = 2;
/// Streams of events at once.
const STREAMS: usize = 300;
/// Longest wait for one's turn.
const TURN: Duration = Duration::from_secs(20);

/// What a page may do: load what is ours, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'self'";

/// What all requests share.
pub struct Site {
    /// The program around.
    pub ports: Ports,
    /// How it is set.
    pub settings: Settings,
    /// Users and tokens.
    pub people: People,
    /// Who is logged in.
    pub sessions: Sessions,
    /// Long works.
    pub jobs: Arc<Jobs>,
    /// Planned restores.
    pub tickets: Tickets,
    /// Who did what.
    pub journal: Journal,
    /// Answers of the last moments.
    pub cache: Arc<Cache>,
    /// Held while a job is begun, so that one key begins one.
    pub starting: tokio::sync::Mutex<()>,
    setup: Mutex<Option<String>>,
    readers: Arc<Semaphore>,
    hashers: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// Questions.
    Readers,
    /// Passwords.
    Hashers,
}

impl Site {
    /// Made from its parts; the token of the first start, where nobody is there yet.
    pub fn open(settings: Settings, ports: Ports) -> io::Result<(Arc<Self>, Option<String>)> {
        let people = People::of(&settings.folder);
        let is_set_up = people.is_set_up().map_err(io::Error::other)?;
        let token = match is_set_up {
            true => None,
            false => Some(secrets::random().map_err(io::Error::other)?),
        };
        let cache = Arc::default();
        let site = Self {
            jobs: Arc::new(Jobs::open(
                &settings.folder,
                &ports,
                settings.parallel_jobs,
                &cache,
            )?),
            journal: Journal::begin(&settings.folder, Arc::clone(&ports.ledger))?,
            sessions: Sessions::new(settings.session),
            people,
            tickets: Tickets::default(),
            cache,
            starting: tokio::sync::Mutex::default(),
            setup: Mutex::new(token.as_deref().map(secrets::hash)),
            readers: Arc::new(Semaphore::new(READERS)),
            hashers: Arc::new(Semaphore::new(HASHERS)),
            streams: Arc::new(Semaphore::new(STREAMS)),
            ports,
            settings,
        };
        Ok((Arc::new(site), token))
    }

    /// Whether this is the token of the first start.
    pub fn is_setup_token(&self, token: &str) -> bool {
        let setup = self.setup.lock().unwrap_or_else(PoisonError::into_inner);
        setup.as_deref() == Some(secrets::hash(token).as_str())
    }

    /// It counts no more.
    pub fn end_setup(&self) {
        *self.setup.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A place for a stream of events, until it is dropped.
    pub fn stream_place(&self) -> Result<tokio::sync::OwnedSemaphorePermit, Refusal> {
        let place = Arc::clone(&self.streams).try_acquire_owned();
        place.map_err(|_| Refusal::busy())
    }

    /// Does on a thread that may wait what takes a while, when it is its turn; told to stop, and left to itself, when it
    /// takes longer than `limit`.
    pub async fn wait_for<T: Send + 'static>(
        &self,
        line: Line,
        limit: Duration,
        stop: &Stop,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let turns = match line {
            Line::Readers => &self.readers,
            Line::Hashers => &self.hashers,
        };
        let turn = tokio::time::timeout(TURN, Arc::clone(turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(Refusal::busy());
        };
        let task = tokio::task::spawn_blocking(move || {
            let value = work();
            drop(turn);
            value
        });
        match tokio::time::timeout(limit, task).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Refusal::new(500, "internal", panic_of(&error))),
            Err(_) => {
                stop.set();
                let seconds = limit.as_secs();
                Err(Refusal::new(504, "panel-time-out", format!("{seconds} s")))
            }
        }
    }

    /// Does what is soon done but may touch a disk.
    pub async fn soon<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Arc<Self>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let site = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || work(&site)).await;
        done.unwrap_or_else(|error| Err(Refusal::new(500, "internal", panic_of(&error))))
    }

    /// The answer to a request, whatever it is.
    pub async fn respond(self: Arc<Self>, request: Request, connection: Connection) -> Response {
        let trusted = &self.settings.trusted_proxies;
        let origin = Origin::of(connection, request.headers(), trusted);
        let is_secure = origin.secure;
        let mut response = self.route(request, origin).await;
        protect(response.headers_mut(), is_secure);
        response
    }

    async fn route(self: &Arc<Self>, request: Request, origin: Origin) -> Response {
        let lang = lang_of(request.headers(), request.uri().query(), self.settings.lang);
        let path = request.uri().path().to_owned();
        match path.as_str() {
            "/healthz" => return self.health(),
            "/metrics" => return self.metrics(&request, &origin, lang),
            _ => {}
        }
        let prefix = &self.settings.base_path;
        let Some(rest) = path.strip_prefix(prefix.as_str()) else {
            return self.refuse(Refusal::new(404, "not-found", path), lang);
        };
        if rest.is_empty() && !prefix.is_empty() {
            return to(&format!("{prefix}/"));
        }
        if !rest.starts_with('/') {
            return self.refuse(Refusal::new(404, "not-found", path), lang);
        }
        match rest {
            "/healthz" => return self.health(),
            "/metrics" => return self.metrics(&request, &origin, lang),
            "/events" => return api::answer(self, request, origin, lang, "/events").await,
            _ => {}
        }
        if let Some(below) = rest.strip_prefix("/api/v1/") {
            let below = format!("/{below}");
            return api::answer(self, request, origin, lang, &below).await;
        }
        if rest == "/api" || rest.starts_with("/api/") {
            return self.refuse(Refusal::new(404, "not-found", path), lang);
        }
        self.page(rest, &request, lang)
    }

    fn page(&self, path: &str, request: &Request, lang: Lang) -> Response {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let mut response = self.refuse(
                Refusal::new(405, "method-not-allowed", path.to_owned()),
                lang,
            );
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        let found = files::answer(path, &self.settings.base_path, request.headers());
        let mut response = found
            .unwrap_or_else(|| self.refuse(Refusal::new(404, "not-found", path.to_owned()), lang));
        if request.method() == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
        response
    }

    /// As a problem.
    pub fn refuse(&self, refusal: Refusal, lang: Lang) -> Response {
        refusal.response(&*self.ports.phrases, lang)
    }

    /// 503 where no backups are being made: a probe that knows nothing but the code understands.
    fn health(&self) -> Response {
        let (text, is_well) = self.ports.pages.health();
        let mut response = Response::new(Body::from(text));
        if !is_well {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        let kind = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }

    /// Figures name databases: programs of this machine may have them, others show who they are.
    fn metrics(&self, request: &Request, origin: &Origin, lang: Lang) -> Response {
        let is_here = origin.address.is_loopback() && !origin.proxied;
        if !is_here && api::caller(self, request.headers()).is_err() {
            return self.refuse(Refusal::login_needed(), lang);
        }
        let (text, kind) = self.ports.pages.metrics();
        let mut response = Response::new(Body::from(text));
        let kind = HeaderValue::from_static(kind);
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }
}

fn panic_of(error: &tokio::task::JoinError) -> String {
    // The hook has told of it; words of a panic are nobody's business.
    tracing::error!(%error, "a request panicked");
    String::new()
}

fn to(address: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    if let Ok(address) = HeaderValue::from_str(address) {
        response.headers_mut().insert(LOCATION, address);
    }
    response
}

fn protect(headers: &mut HeaderMap, is_secure: bool) {
    let mut set = |name: &'static str, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set("content-security-policy", POLICY);
    set("referrer-policy", "no-referrer");
    set("cross-origin-opener-policy", "same-origin");
    set("cross-origin-resource-policy", "same-origin");
    set(
        "permissions-policy",
        "camera=(), microphone=(), geolocation=()",
    );
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    if is_secure {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(STRICT_TRANSPORT_SECURITY, year);
    }
    let never = HeaderValue::from_static("no-store");
    headers.entry(CACHE_CONTROL).or_insert(never);
}

/// The language of a request: what it asks for, else what the browser prefers of the two, else the service's.
fn lang_of(headers: &HeaderMap, query: Option<&str>, otherwise: Lang) -> Lang {
    let known = |text: &str| match text.trim().get(..2)?.to_ascii_lowercase().as_str() {
        "en" => Some(Lang::En),
        "es" => Some(Lang::Es),
        _ => None,
    };
    let asked = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .find(|(name, _)| name == "lang")
        .and_then(|(_, value)| known(&value));
    let header = headers.get(axum::http::header::ACCEPT_LANGUAGE);
    let preferred = || header?.to_str().ok()?.split(',').find_map(known);
    asked.or_else(preferred).unwrap_or(otherwise)
}
