//! Who asks: a session's cookie or a bearer token.

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};

use crate::ask::Role;
use crate::problem::Refusal;
use crate::secrets;
use crate::sessions::Session;
use crate::site::Site;

/// Name of the cookie.
pub const COOKIE_NAME: &str = "respaldo_session";

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The user; of a token, who made it.
    pub user: String,
    /// What may be done now.
    pub role: Role,
    /// How it is known.
    pub via: Via,
}

/// How somebody is known.
#[derive(Debug, Clone)]
pub enum Via {
    /// By a login.
    Session(Session),
    /// By a token: its number and name.
    Token(String, String),
}

impl Caller {
    /// For the journal and for jobs.
    pub fn name(&self) -> String {
        match &self.via {
            Via::Session(_) => self.user.clone(),
            Via::Token(_, name) => format!("{} ({name})", self.user),
        }
    }

    /// The session or token: what a ticket is for.
    pub fn owner(&self) -> String {
        match &self.via {
            Via::Session(session) => format!("s:{}", session.key),
            Via::Token(id, _) => format!("t:{id}"),
        }
    }

    /// Whether a request that changes something was meant: a browser sends cookies by itself, and a token never.
    pub fn shows_csrf(&self, headers: &HeaderMap) -> bool {
        let Via::Session(session) = &self.via else {
            return true;
        };
        let shown = headers
            .get("x-csrf-token")
            .and_then(|token| token.to_str().ok());
        shown.is_some_and(|shown| secrets::are_same(shown, &session.csrf))
    }
}

/// The value of the session's cookie.
pub fn cookie(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(COOKIE).iter();
    let cookies = cookies.filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='));
    let found = pairs.find(|(name, _)| *name == COOKIE_NAME);
    found.map(|(_, value)| value.to_owned())
}

/// Who asks. A token that is shown and does not count is not made up for by a cookie.
pub fn caller(site: &Site, headers: &HeaderMap) -> Result<Caller, Refusal> {
    match headers.get(AUTHORIZATION) {
        Some(shown) => {
            let shown = shown.to_str().ok();
            let shown = shown.and_then(|text| text.split_once(' '));
            let shown = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            let (_, secret) = shown.ok_or_else(Refusal::login_needed)?;
            by_token(site, secret.trim())
        }
        None => {
            let id = cookie(headers).ok_or_else(Refusal::login_needed)?;
            by_session(site, &id)
        }
    }
}

fn by_token(site: &Site, secret: &str) -> Result<Caller, Refusal> {
    let token = site
        .people
        .token(secret)?
        .ok_or_else(Refusal::login_needed)?;
    let maker = site.people.user(&token.creado_por)?;
    let maker = maker.filter(|maker| !maker.bloqueado);
    let maker = maker.ok_or_else(Refusal::login_needed)?;
    Ok(Caller {
        user: maker.usuario,
        role: token.alcance.min(maker.rol),
        via: Via::Token(token.id.to_string(), token.nombre),
    })
}

fn by_session(site: &Site, id: &str) -> Result<Caller, Refusal> {
    let session = site.sessions.of(id).ok_or_else(Refusal::login_needed)?;
    let user = site.people.user(&session.user)?;
    let user = user.filter(|user| !user.bloqueado && user.epoca == session.epoch);
    let Some(user) = user else {
        site.sessions.end(&session.key);
        return Err(Refusal::login_needed());
    };
    Ok(Caller {
        user: user.usuario,
        role: user.rol,
        via: Via::Session(session),
    })
}
