//! Who handles a request, and what was planned to go wrong with it.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_RANGE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method};
use axum::response::Response;

use super::plan::{Mishap, Operation};
use super::refusal::{Outcome, refuse, refuse_for};
use super::state::{Entry, Token};
use super::{Shared, body, files, oauth, uploads};

const UPLOADS: &str = "/upload/drive/v3/files";
const FILES: &str = "/drive/v3/files";

/// A request, read as far as its body.
pub(super) struct Asked {
    pub(super) operation: Operation,
    pub(super) id: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) headers: HeaderMap,
    pub(super) mishap: Option<Mishap>,
}

impl Asked {
    fn read(parts: &Parts) -> Option<Self> {
        let text = parts.uri.query().unwrap_or_default().as_bytes();
        let query: BTreeMap<_, _> = url::form_urlencoded::parse(text).into_owned().collect();
        let path = parts.uri.path();
        let id = path
            .strip_prefix(FILES)
            .and_then(|rest| rest.strip_prefix('/'));
        let operation = match (&parts.method, path, id) {
            (&Method::POST, "/token", _) => Operation::Token,
            (&Method::GET, "/drive/v3/about", _) => Operation::About,
            (&Method::GET, FILES, _) => Operation::List,
            (&Method::POST, FILES, _) => Operation::Create,
            (&Method::GET, _, Some(_)) if query.get("alt").is_some_and(|alt| alt == "media") => {
                Operation::Media
            }
            (&Method::GET, _, Some(_)) => Operation::Get,
            (&Method::PATCH, _, Some(_)) => Operation::Patch,
            (&Method::DELETE, _, Some(_)) => Operation::Delete,
            (&Method::POST, UPLOADS, _) => Operation::Begin,
            (&Method::DELETE, UPLOADS, _) => Operation::GiveUp,
            (&Method::PUT, UPLOADS, _) if is_status(&parts.headers) => Operation::Status,
            (&Method::PUT, UPLOADS, _) => Operation::Piece,
            _ => return None,
        };
        Some(Self {
            operation,
            id: id.unwrap_or_default().to_owned(),
            query,
            headers: parts.headers.clone(),
            mishap: None,
        })
    }

    /// A parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// Whether a parameter is `true`.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.parameter(name) == Some("true")
    }

    /// A header.
    pub(super) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether a file exists for whoever asks: those of shared drives only for who knows of them.
    pub(super) fn may_see(&self, entry: &Entry) -> bool {
        entry.drive_id.is_none() || self.is_set("supportsAllDrives")
    }
}

fn is_status(headers: &HeaderMap) -> bool {
    let range = headers
        .get(CONTENT_RANGE)
        .and_then(|range| range.to_str().ok());
    range.is_some_and(|range| range.starts_with("bytes */"))
}

/// Handles any request.
pub(super) async fn any(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(mut asked) = Asked::read(&parts) else {
        return refuse(404, "notFound", "Not Found");
    };
    asked.mishap = shared.plans().begin(asked.operation);
    match asked.mishap {
        Some(Mishap::Refused {
            status,
            reason,
            retry_after,
        }) => {
            // Read to its end, as a client expects that is still sending.
            let mut stream = body.into_data_stream();
            while let Some(Ok(_)) = body::next(&mut stream).await {}
            return refuse_for(status, reason, retry_after);
        }
        Some(Mishap::Silence) => std::future::pending::<()>().await,
        Some(Mishap::RequestCut(_)) if asked.operation != Operation::Piece => cut(),
        _ => {}
    }
    let outcome = handle(&shared, &asked, body).await;
    match asked.mishap {
        Some(Mishap::AnswerLost) => cut(),
        Some(Mishap::ClaimsPublished) => publish(&shared, ".respaldo-claim."),
        Some(Mishap::ParkedPublished) => publish(&shared, ".respaldo-parked."),
        _ => {}
    }
    outcome.unwrap_or_else(|refusal| refusal)
}

/// What other machines may do between a list and what is done about it.
fn publish(shared: &Shared, prefix: &str) {
    for entry in shared.drive().files.values_mut() {
        if let Some(key) = entry.name.strip_prefix(prefix) {
            entry.name = key.to_owned();
        }
    }
}

/// Breaks the connection: its task ends, and with it the socket.
pub(super) fn cut() -> ! {
    resume_unwind(Box::new("a planned cut"))
}

async fn handle(shared: &Shared, asked: &Asked, body: Body) -> Outcome {
    if asked.operation == Operation::Token {
        return Ok(oauth::token(shared, &body::whole(body).await));
    }
    let token = authorized(shared, asked)?;
    match asked.operation {
        Operation::Begin => uploads::begin(shared, asked, &token, &body::whole(body).await),
        Operation::Piece => uploads::piece(shared, asked, body).await,
        Operation::Status => uploads::status(shared, asked),
        Operation::GiveUp => uploads::give_up(shared, asked),
        Operation::About => files::about(shared, asked, &token),
        Operation::List => files::list(shared, asked),
        Operation::Get => files::get(shared, asked),
        Operation::Media => files::media(shared, asked),
        Operation::Create => files::create(shared, asked, &body::whole(body).await),
        Operation::Patch => files::patch(shared, asked, &body::whole(body).await),
        Operation::Delete | Operation::Token => files::delete(shared, asked),
    }
}

fn authorized(shared: &Shared, asked: &Asked) -> Result<Token, Response> {
    let text = asked
        .header(AUTHORIZATION)
        .and_then(|text| text.strip_prefix("Bearer "));
    let drive = shared.drive();
    let token = text.and_then(|text| drive.tokens.get(text));
    let good = token.filter(|token| Instant::now() < token.ends);
    good.cloned()
        .ok_or_else(|| refuse(401, "authError", "Invalid Credentials"))
}
