//! What the panel answers by itself: sessions, users, tokens, and who did what.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::caller::{COOKIE_NAME, Via, cookie};
use super::{Asked, Reply, body};
use crate::ask::{LoginBody, PasswordBody, SetupBody, TokenBody, UserBody, UserChangeBody};
use crate::people::{Token, User};
use crate::ports::Stop;
use crate::problem::Refusal;
use crate::sessions::Session;
use crate::site::{Line, Site};

/// Hashing a password, and waiting for one's turn.
const PASSWORDS: Duration = Duration::from_secs(30);
/// Days that a token counts where nothing is said.
const TOKEN_DAYS: u32 = 90;

async fn with_passwords<T: Send + 'static>(
    site: &Arc<Site>,
    work: impl FnOnce(&Site) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let own = Arc::clone(site);
    let stop = Stop::default();
    site.wait_for(Line::Hashers, PASSWORDS, &stop, move || work(&own))
        .await?
}

/// Who is logged in, and what the pages need to begin.
pub async fn session(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    let set_up = site.soon(|site| Ok(site.people.is_set_up()?)).await?;
    let (user, role, csrf) = match &asked.caller {
        None => (Value::Null, Value::Null, Value::Null),
        Some(caller) => {
            let csrf = match &caller.via {
                Via::Session(session) => json!(session.csrf),
                Via::Token(..) => Value::Null,
            };
            (json!(caller.user), json!(caller.role), csrf)
        }
    };
    // Names of databases are for those who may see them.
    let bases = match asked.caller {
        Some(_) => site.ports.questions.bases(),
        None => Vec::new(),
    };
    Ok(Reply::Json(
        200,
        json!({
            "usuario": user,
            "rol": role,
            "csrf": csrf,
            "idioma": asked.lang,
            "configurado": set_up,
            "version": site.settings.version,
            "bases": bases,
        }),
    ))
}

/// A login: a new session, whatever there was before.
pub async fn login(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    let LoginBody { usuario, clave } = body::parse(asked)?;
    let address = asked.origin.address;
    let user = with_passwords(site, move |site| {
        if let Some(locked) = site.people.locked(&usuario, address)? {
            return Err(Refusal::Own {
                status: 429,
                code: "login-locked",
                detail: format!("{} s", locked.seconds),
                retry_after: Some(locked.seconds),
            });
        }
        match site.people.known(&usuario, &clave)? {
            Some(user) => {
                site.people.succeeded(&usuario, address)?;
                Ok(user)
            }
            None => {
                site.people.failed(&usuario, address)?;
                Err(Refusal::new(401, "login-failed", ""))
            }
        }
    });
    let user = user.await?;
    begin(site, asked, &user, 200)
}

/// The first user, with the token that the service printed.
pub async fn set_up(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    let SetupBody {
        token,
        usuario,
        clave,
    } = body::parse(asked)?;
    let address = asked.origin.address;
    let user = with_passwords(site, move |site| {
        if site.people.is_set_up()? {
            return Err(Refusal::new(409, "already-set-up", ""));
        }
        if let Some(locked) = site.people.locked("", address)? {
            return Err(Refusal::Own {
                status: 429,
                code: "login-locked",
                detail: format!("{} s", locked.seconds),
                retry_after: Some(locked.seconds),
            });
        }
        if !site.is_setup_token(&token) {
            site.people.failed("", address)?;
            return Err(Refusal::new(403, "setup-token-wrong", ""));
        }
        let user = site.people.set_up(&usuario, &clave)?;
        site.end_setup();
        Ok(user)
    });
    let user = user.await?;
    begin(site, asked, &user, 201)
}

fn begin(site: &Site, asked: &Asked, user: &User, status: u16) -> Result<Reply, Refusal> {
    let before = cookie(&asked.headers);
    let (id, session) = site.sessions.begin(user, before.as_deref())?;
    let document = json!({
        "usuario": user.usuario,
        "rol": user.rol,
        "csrf": session.csrf,
        "idioma": asked.lang,
        "configurado": true,
        "version": site.settings.version,
        "bases": site.ports.questions.bases(),
    });
    let mut response = Response::new(Body::from(document.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    set_cookie(site, asked, &mut response, &id, "");
    Ok(Reply::Whole(response))
}

fn set_cookie(site: &Site, asked: &Asked, response: &mut Response, id: &str, more: &str) {
    let path = &site.settings.base_path;
    let secure = if asked.origin.secure { "; Secure" } else { "" };
    let text = format!("{COOKIE_NAME}={id}; Path={path}/; HttpOnly; SameSite=Strict{secure}{more}");
    if let Ok(text) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(SET_COOKIE, text);
    }
}

/// The session ends.
pub fn logout(site: &Site, asked: &Asked) -> Result<Reply, Refusal> {
    if let Via::Session(session) = &asked.caller()?.via {
        site.sessions.end(&session.key);
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    set_cookie(site, asked, &mut response, "", "; Max-Age=0");
    Ok(Reply::Whole(response))
}

fn own_session(asked: &Asked) -> Result<Session, Refusal> {
    match &asked.caller()?.via {
        Via::Session(session) => Ok(session.clone()),
        Via::Token(..) => Err(Refusal::new(403, "not-allowed", "session")),
    }
}

/// One's own password; all other sessions of the user end.
pub async fn password(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    let PasswordBody { actual, nueva } = body::parse(asked)?;
    let session = own_session(asked)?;
    let address = asked.origin.address;
    let name = session.user.clone();
    let user = with_passwords(site, move |site| {
        if site.people.locked(&name, address)?.is_some() {
            return Err(Refusal::new(429, "login-locked", ""));
        }
        if site.people.known(&name, &actual)?.is_none() {
            site.people.failed(&name, address)?;
            return Err(Refusal::new(403, "login-failed", ""));
        }
        Ok(site.people.change_user(&name, Some(&nueva), None, None)?)
    });
    let user = user.await?;
    site.sessions.end_of(&user.usuario, None);
    let Reply::Whole(mut response) = begin(site, asked, &user, 204)? else {
        return Ok(Reply::Empty);
    };
    *response.body_mut() = Body::empty();
    response.headers_mut().remove(CONTENT_TYPE);
    Ok(Reply::Whole(response))
}

fn user_record(user: &User) -> Value {
    json!({
        "usuario": user.usuario,
        "rol": user.rol,
        "bloqueado": user.bloqueado,
        "creado": user.creado,
    })
}

fn token_record(token: &Token) -> Value {
    json!({
        "id": token.id,
        "nombre": token.nombre,
        "alcance": token.alcance,
        "expira": token.expira,
        "creado": token.creado,
        "creado_por": token.creado_por,
    })
}

/// A page of what is all in memory.
fn page(asked: &Asked, all: Vec<Value>) -> Reply {
    let number = |name: &str| asked.query.number(name, asked.route);
    let (limit, offset) = (number("limit"), number("offset"));
    let total = all.len();
    let part = all.into_iter().skip(offset as usize).take(limit as usize);
    let elements: Vec<Value> = part.collect();
    Reply::Json(
        200,
        json!({ "elementos": elements, "total": total, "limit": limit, "offset": offset }),
    )
}

/// All users.
pub async fn users(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    let users = site.soon(|site| Ok(site.people.users()?)).await?;
    Ok(page(asked, users.iter().map(user_record).collect()))
}

/// Another user.
pub async fn add_user(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    let UserBody {
        usuario,
        clave,
        rol,
    } = body::parse(asked)?;
    let made = with_passwords(site, move |site| {
        Ok(site.people.add_user(&usuario, &clave, rol)?)
    });
    Ok(Reply::Json(201, user_record(&made.await?)))
}

/// Other properties. Sessions of one whose password was changed or who was blocked end.
pub async fn change_user(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    let change: UserChangeBody = body::parse(asked)?;
    let name = asked.part("usuario");
    let ends = change.clave.is_some() || change.bloqueado == Some(true);
    let changed = with_passwords(site, move |site| {
        let password = change.clave.as_deref();
        let changed = site
            .people
            .change_user(&name, password, change.rol, change.bloqueado)?;
        if ends {
            site.sessions.end_of(&name, None);
        }
        Ok(changed)
    });
    Ok(Reply::Json(200, user_record(&changed.await?)))
}

/// One user less.
pub async fn remove_user(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    let name = asked.part("usuario");
    let removed = site.soon(move |site| {
        site.people.remove_user(&name)?;
        site.sessions.end_of(&name, None);
        Ok(())
    });
    removed.await?;
    Ok(Reply::Empty)
}

/// All tokens.
pub async fn tokens(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    let tokens = site.soon(|site| Ok(site.people.tokens()?)).await?;
    Ok(page(asked, tokens.iter().map(token_record).collect()))
}

/// Another token: its text is in this answer and nowhere else.
pub async fn add_token(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    let TokenBody {
        nombre,
        alcance,
        dias,
    } = body::parse(asked)?;
    let by = asked.caller()?.user.clone();
    let days = dias.unwrap_or(TOKEN_DAYS);
    let made = site.soon(move |site| Ok(site.people.add_token(&nombre, alcance, days, &by)?));
    let made = made.await?;
    let mut record = token_record(&made.token);
    record["token"] = json!(made.secret);
    Ok(Reply::Json(201, record))
}

/// A token ends.
pub async fn remove_token(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    let id = asked.part("id");
    site.soon(move |site| Ok(site.people.remove_token(&id)?))
        .await?;
    Ok(Reply::Empty)
}

/// Who did what: first what no ledger has taken yet.
pub async fn audit(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    let number = |name: &str| asked.query.number(name, asked.route);
    let (limit, offset) = (number("limit"), number("offset"));
    let waiting = site.soon(|site| Ok(site.journal.waiting())).await?;
    let ahead = u32::try_from(waiting.len()).unwrap_or(u32::MAX);
    let call = asked.call();
    let (ledger, stop) = (Arc::clone(&site.ports.ledger), call.stop.clone());
    let of_waiting = ahead.saturating_sub(offset).min(limit);
    let rest = (limit - of_waiting, offset.saturating_sub(ahead));
    let read = move || ledger.read(&call, rest.0.max(1), rest.1);
    let read = site.wait_for(Line::Readers, PASSWORDS, &stop, read).await?;
    let (written, total, complete) = match read {
        Ok((entries, total)) => (entries, total, true),
        Err(problem) => {
            tracing::warn!(
                reason = problem.detail,
                "who did what is told of what waits alone"
            );
            (Vec::new(), 0, false)
        }
    };
    // One that was handed over between the two looks is in both.
    let twice: Vec<uuid::Uuid> = waiting.iter().map(|entry| entry.id).collect();
    let before = written.len();
    let written: Vec<_> = written
        .into_iter()
        .filter(|entry| !twice.contains(&entry.id))
        .collect();
    let total = total.saturating_sub((before - written.len()) as u64);
    let first = waiting
        .into_iter()
        .skip(offset as usize)
        .take(of_waiting as usize);
    let second = written.into_iter().take(rest.0 as usize);
    let elements: Vec<_> = first.chain(second).collect();
    Ok(Reply::Json(
        200,
        json!({
            "elementos": elements,
            "total": total + u64::from(ahead),
            "limit": limit,
            "offset": offset,
            "completo": complete,
        }),
    ))
}
