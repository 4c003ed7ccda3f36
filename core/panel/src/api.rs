//! A request to the API: the route, who asks, whether they may, what they sent; then the answer, and a line in the journal
//! for what changes something.

mod body;
mod caller;
mod own;
mod query;
mod read;
mod start;
mod streams;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use chrono::Utc;
use serde_json::{Value, json};

use crate::origin::Origin;
use crate::ports::{Call, Entry, Lang, Stop};
use crate::problem::Refusal;
use crate::routes::{Access, Endpoint, Found, Method, Route, find};
use crate::site::Site;

pub use caller::{Caller, caller};
pub use query::Query;

/// A question takes no longer.
const QUESTION: Duration = Duration::from_secs(45);
/// Nor does a change; what is removed from a store far away takes a while.
const CHANGE: Duration = Duration::from_mins(5);

/// A request that may be answered.
pub struct Asked {
    /// Its line in the table.
    pub route: &'static Route,
    /// What its path gives.
    pub path: Vec<(&'static str, String)>,
    /// What its query gives.
    pub query: Query,
    /// What was sent.
    pub body: Vec<u8>,
    /// Who asks.
    pub caller: Option<Caller>,
    /// From where.
    pub origin: Origin,
    /// In which language.
    pub lang: Lang,
    /// Of which database.
    pub base: String,
    /// Its headers.
    pub headers: HeaderMap,
}

/// An answer.
pub enum Reply {
    /// A document.
    Json(u16, Value),
    /// A document that is text already.
    Text(bytes::Bytes),
    /// Nothing to say.
    Empty,
    /// Anything else.
    Whole(Response),
}

impl Asked {
    /// A part of the path.
    pub fn part(&self, name: &str) -> String {
        let found = self.path.iter().find(|(part, _)| *part == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The call for the program around.
    pub fn call(&self) -> Call {
        Call {
            base: self.base.clone(),
            lang: self.lang,
            stop: Stop::default(),
        }
    }

    /// Who asks; the route needs somebody.
    pub fn caller(&self) -> Result<&Caller, Refusal> {
        self.caller.as_ref().ok_or_else(Refusal::login_needed)
    }
}

/// The answer to a request below `/api/v1`.
pub async fn answer(
    site: &Arc<Site>,
    request: Request,
    origin: Origin,
    lang: Lang,
    path: &str,
) -> Response {
    let answered = match place(path, request.method().as_str()) {
        Ok((route, parts)) => go(site, request, origin, lang, route, parts).await,
        Err((refusal, allowed)) => {
            let mut response = site.refuse(refusal, lang);
            let allowed = allowed.join(", ");
            if let (false, Ok(allowed)) = (allowed.is_empty(), HeaderValue::from_str(&allowed)) {
                response.headers_mut().insert(ALLOW, allowed);
            }
            return response;
        }
    };
    match answered {
        Ok(reply) => respond(reply),
        Err(refusal) => site.refuse(refusal, lang),
    }
}

type Place = (&'static Route, Vec<(&'static str, String)>);

fn place(path: &str, method: &str) -> Result<Place, (Refusal, Vec<&'static str>)> {
    let nothing = || Refusal::new(404, "not-found", path.to_owned());
    let segments: Option<Vec<String>> = path
        .trim_start_matches('/')
        .split('/')
        .map(query::decoded)
        .collect();
    let segments = segments.ok_or_else(|| (nothing(), Vec::new()))?;
    match find(method, &segments) {
        Found::Route(route, parts) => Ok((route, parts)),
        Found::Other(methods) => {
            let refusal = Refusal::new(405, "method-not-allowed", format!("{method} {path}"));
            Err((refusal, methods))
        }
        Found::Nothing => Err((nothing(), Vec::new())),
    }
}

async fn go(
    site: &Arc<Site>,
    request: Request,
    origin: Origin,
    lang: Lang,
    route: &'static Route,
    path: Vec<(&'static str, String)>,
) -> Result<Reply, Refusal> {
    let (parts, sent) = request.into_parts();
    let changes = route.method != Method::Get;
    let headers = parts.headers;
    let who = {
        let headers = headers.clone();
        site.soon(move |site| Ok(caller(site, &headers))).await?
    };
    let allowed = may(route, &who, &origin, &headers);
    let mut asked = Asked {
        route,
        path,
        query: Query::default(),
        body: Vec::new(),
        caller: who.ok(),
        origin,
        lang,
        base: String::new(),
        headers,
    };
    if let Err(refusal) = allowed {
        if changes && asked.caller.is_some() {
            note(site, &asked, refusal.code(), Value::Null).await;
        }
        return Err(refusal);
    }
    asked.query = Query::read(parts.uri.query(), route)?;
    asked.body = body::read(sent, &asked.headers, route).await?;
    asked.base = base(site, &asked)?;
    let replied = dispatch(site, &asked).await;
    if changes {
        let (result, detail) = match &replied {
            Ok(Reply::Json(_, value)) => ("ok", about(&asked, value)),
            Ok(_) => ("ok", about(&asked, &Value::Null)),
            Err(refusal) => (refusal.code(), about(&asked, &Value::Null)),
        };
        note(site, &asked, result, detail).await;
    }
    replied
}

/// Whether the caller may ask this.
fn may(
    route: &Route,
    who: &Result<Caller, Refusal>,
    origin: &Origin,
    headers: &HeaderMap,
) -> Result<(), Refusal> {
    let changes = route.method != Method::Get;
    if changes && origin.is_foreign(headers) {
        return Err(Refusal::new(403, "request-forged", "Origin"));
    }
    let Access::At(role) = route.access else {
        return Ok(());
    };
    let who = who.as_ref().map_err(Clone::clone)?;
    if changes && !who.shows_csrf(headers) {
        return Err(Refusal::new(403, "request-forged", "X-CSRF-Token"));
    }
    match who.role >= role {
        true => Ok(()),
        false => Err(Refusal::new(403, "not-allowed", role.label())),
    }
}

/// The database that is meant: the first where nothing is said.
fn base(site: &Site, asked: &Asked) -> Result<String, Refusal> {
    if !asked.route.is_of_a_base() {
        return Ok(first_base(site).unwrap_or_default());
    }
    let bases = site.ports.questions.bases();
    match asked.query.get("base") {
        None => first_base(site).ok_or_else(|| Refusal::new(503, "panel-busy", "base")),
        Some(name) if bases.iter().any(|base| base == name) => Ok(name.to_owned()),
        Some(name) => {
            let known = bases.join(", ");
            Err(Refusal::new(
                404,
                "unknown-base",
                format!("{name}: {known}"),
            ))
        }
    }
}

fn first_base(site: &Site) -> Option<String> {
    site.ports.questions.bases().into_iter().next()
}

async fn dispatch(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    use Endpoint as E;
    match asked.route.endpoint {
        E::Session => own::session(site, asked).await,
        E::Login => own::login(site, asked).await,
        E::Logout => own::logout(site, asked),
        E::Password => own::password(site, asked).await,
        E::Setup => own::set_up(site, asked).await,
        E::Users => own::users(site, asked).await,
        E::AddUser => own::add_user(site, asked).await,
        E::ChangeUser => own::change_user(site, asked).await,
        E::RemoveUser => own::remove_user(site, asked).await,
        E::Tokens => own::tokens(site, asked).await,
        E::AddToken => own::add_token(site, asked).await,
        E::RemoveToken => own::remove_token(site, asked).await,
        E::Audit => own::audit(site, asked).await,
        E::OpenApi => Ok(Reply::Json(200, crate::openapi::document(&site.settings))),
        E::Jobs | E::Job | E::CancelJob => start::jobs(site, asked).await,
        E::JobEvents | E::Events | E::Download => streams::answer(site, asked).await,
        E::PlanRestore => start::plan(site, asked).await,
        E::StartBackup
        | E::StartValidation
        | E::StartUpload
        | E::StartExport
        | E::StartRestore
        | E::StartExpiry
        | E::CheckSink
        | E::SyncSink => start::begin(site, asked).await,
        E::DeleteBackup | E::SetSchedule | E::SetRetention | E::SetCloud => {
            read::change(site, asked).await
        }
        _ => read::question(site, asked).await,
    }
}

fn respond(reply: Reply) -> Response {
    let json = HeaderValue::from_static("application/json");
    match reply {
        Reply::Json(status, value) => {
            let mut response = Response::new(Body::from(value.to_string()));
            *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            response.headers_mut().insert(CONTENT_TYPE, json);
            response
        }
        Reply::Text(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            response.headers_mut().insert(CONTENT_TYPE, json);
            response
        }
        Reply::Empty => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        Reply::Whole(response) => response,
    }
}

/// Particulars for the journal: what was sent, without what nobody may read.
fn about(asked: &Asked, answered: &Value) -> Value {
    const HIDDEN: [&str; 7] = [
        "clave", "actual", "nueva", "token", "ficha", "password", "secret",
    ];
    let mut sent: Value = serde_json::from_slice(&asked.body).unwrap_or(Value::Null);
    if let Some(sent) = sent.as_object_mut() {
        sent.retain(|key, _| !HIDDEN.contains(&key.as_str()));
    }
    let mut about = json!({ "pedido": sent });
    if asked.route.is_job() {
        about["trabajo"] = answered["id"].clone();
    }
    if asked.route.is_of_a_base() {
        about["base"] = json!(asked.base);
    }
    about
}

async fn note(site: &Arc<Site>, asked: &Asked, result: &str, detail: Value) {
    let objects: Vec<&str> = asked.path.iter().map(|(_, value)| value.as_str()).collect();
    let entry = Entry {
        id: uuid::Uuid::new_v4(),
        fecha: Utc::now(),
        usuario: user_of(asked),
        origen: asked.origin.address.to_string(),
        accion: format!("{} {}", asked.route.method.name(), asked.route.path),
        objeto: objects.join("/"),
        resultado: result.to_owned(),
        detalle: detail,
    };
    let base = match asked.base.is_empty() {
        true => first_base(site).unwrap_or_default(),
        false => asked.base.clone(),
    };
    let noted = site.soon(move |site| {
        site.journal.add(&base, entry);
        Ok(())
    });
    // It was logged where it failed.
    noted.await.ok();
}

/// Who is named in the journal: at a login, who wants to.
fn user_of(asked: &Asked) -> String {
    if let Some(caller) = &asked.caller {
        return caller.name();
    }
    let sent: Value = serde_json::from_slice(&asked.body).unwrap_or(Value::Null);
    let name = sent["usuario"].as_str().unwrap_or_default();
    name.chars().take(64).collect()
}
