//! Jobs: begun, listed, stopped; and the plan without which no restore begins.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::read::point;
use super::{Asked, Reply, body};
use crate::ask::{BackupBody, ExportBody, RestoreBody, RestoreWish, Role, ValidateBody, Work};
use crate::jobs::{self, Begin};
use crate::problem::Refusal;
use crate::routes::{BodyKind, Endpoint as E};
use crate::secrets;
use crate::site::{Line, Site};
use crate::tickets::Ticket;

/// A plan reads a manifest and looks at storage and target.
const PLAN: Duration = Duration::from_mins(2);
/// Longest key.
const LONGEST_KEY: usize = 200;

/// Lists jobs, tells of one, or stops it.
pub async fn jobs(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    if asked.route.endpoint == E::Jobs {
        let number = |name: &str| asked.query.number(name, asked.route);
        let (limit, offset) = (number("limit"), number("offset"));
        let (jobs, total) = site.jobs.list(limit as usize, offset as usize);
        let page = json!({ "elementos": jobs, "total": total, "limit": limit, "offset": offset });
        return Ok(Reply::Json(200, page));
    }
    let id = job_id(asked)?;
    let cancels = asked.route.endpoint == E::CancelJob;
    let role = asked.caller()?.role;
    let job = site.soon(move |site| {
        let job = site.jobs.get(id)?;
        if !cancels {
            return Ok(job);
        }
        if job.clase == "restore" && role < Role::Admin {
            return Err(Refusal::new(403, "not-allowed", Role::Admin.label()));
        }
        site.jobs.cancel(id)
    });
    let status = if cancels { 202 } else { 200 };
    Ok(Reply::Json(status, json!(job.await?)))
}

/// The number in the path.
pub fn job_id(asked: &Asked) -> Result<Uuid, Refusal> {
    let text = asked.part("id");
    let id = Uuid::parse_str(&text);
    id.map_err(|_| Refusal::new(404, "not-found", text))
}

/// What a restore would do, and a ticket for it.
pub async fn plan(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    let wish: RestoreWish = body::parse(asked)?;
    check(&wish)?;
    let call = asked.call();
    let (works, stop) = (Arc::clone(&site.ports.works), call.stop.clone());
    let planned = {
        let wish = wish.clone();
        site.wait_for(Line::Readers, PLAN, &stop, move || works.plan(&wish, &call))
    };
    let planned = planned.await??;
    let (text, until) = site.tickets.issue(Ticket {
        owner: asked.caller()?.owner(),
        base: asked.base.clone(),
        wish,
        archive: planned.archive.clone(),
        confirmation: planned.confirmation.clone(),
    })?;
    Ok(Reply::Json(
        200,
        json!({
            "preview": planned.preview,
            "archivo": planned.archive,
            "confirmacion": planned.confirmation,
            "ficha": text,
            "vence": until,
        }),
    ))
}

fn check(wish: &RestoreWish) -> Result<(), Refusal> {
    if wish.at.is_some() == wish.id.is_some() {
        return Err(Refusal::unfit("at | id"));
    }
    if wish.into_schema.is_some() == wish.tables.is_empty() {
        return Err(Refusal::unfit("tables + into_schema"));
    }
    if wish.drop_old && !wish.replace {
        return Err(Refusal::unfit("drop_old: replace"));
    }
    if wish.jobs.is_some_and(|jobs| !(1..=64).contains(&jobs)) {
        return Err(Refusal::unfit("jobs: 1 - 64"));
    }
    if wish
        .target_db
        .as_deref()
        .is_some_and(|name| name.is_empty() || name.len() > 63)
    {
        return Err(Refusal::unfit("target_db: 1 - 63"));
    }
    Ok(())
}

/// Begins a job; with a key that began one with the same request, tells of that.
pub async fn begin(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    let key = key(asked)?;
    let user = asked.caller()?.name();
    let _alone = site.starting.lock().await;
    if let Some(key) = key.clone() {
        let before = site.soon(move |site| site.jobs.begun_with(&key)).await?;
        if let Some(job) = before {
            return Ok(Reply::Json(202, json!(job)));
        }
    }
    let work = work(site, asked)?;
    let call = jobs::call(&asked.base, asked.lang);
    let cache = Arc::clone(&site.cache);
    let begun = site.soon(move |site| {
        let begin = Begin {
            work,
            call,
            user: &user,
            key,
        };
        site.jobs.begin(begin)
    });
    let job = begun.await?;
    cache.forget();
    Ok(Reply::Json(202, json!(job)))
}

/// The key of the caller, and the fingerprint of what is asked.
fn key(asked: &Asked) -> Result<Option<(String, String)>, Refusal> {
    let Some(key) = asked.headers.get("idempotency-key") else {
        return Ok(None);
    };
    let unfit = || Refusal::new(400, "invalid-request", "Idempotency-Key");
    let key = key.to_str().map_err(|_| unfit())?;
    if key.is_empty() || key.len() > LONGEST_KEY {
        return Err(unfit());
    }
    let parts: Vec<&str> = asked.path.iter().map(|(_, value)| value.as_str()).collect();
    let body = String::from_utf8_lossy(&asked.body);
    let request = [asked.route.path, &parts.join("/"), &asked.base, &body];
    let owner = asked.caller()?.user.clone();
    Ok(Some((
        secrets::hash(&format!("{owner}\n{key}")),
        secrets::hash(&request.join("\n")),
    )))
}

fn work(site: &Site, asked: &Asked) -> Result<Work, Refusal> {
    // Pages send an empty document where nothing is needed.
    if asked.route.body.is_none() && !asked.body.is_empty() {
        let sent: Value = body::parse(asked)?;
        if sent.as_object().is_none_or(|sent| !sent.is_empty()) {
            return Err(Refusal::unfit("{}"));
        }
    }
    Ok(match asked.route.endpoint {
        E::StartBackup => Work::Backup(body::parse::<BackupBody>(asked)?),
        E::StartValidation => Work::Validate(body::parse::<ValidateBody>(asked)?),
        E::StartUpload => Work::Upload(asked.part("id")),
        E::StartExport => {
            let body: ExportBody = body::parse(asked)?;
            Work::Export {
                point: point(body.fecha, body.id.map(|id| id.text()))?,
                folder: std::path::PathBuf::new(),
            }
        }
        E::StartRestore => restore(site, asked)?,
        E::StartExpiry => Work::Expire,
        E::CheckSink => Work::CheckSink(asked.part("name")),
        _ => Work::SyncSink(asked.part("name")),
    })
}

/// As planned, and by whom it was planned.
fn restore(site: &Site, asked: &Asked) -> Result<Work, Refusal> {
    debug_assert_eq!(asked.route.body, Some(BodyKind::Restore));
    let body: RestoreBody = body::parse(asked)?;
    let wish: RestoreWish = serde_json::from_value(Value::Object(body.wish))
        .map_err(|error| Refusal::unfit(error.to_string()))?;
    check(&wish)?;
    let owner = asked.caller()?.owner();
    let is_same =
        |ticket: &Ticket| ticket.owner == owner && ticket.base == asked.base && ticket.wish == wish;
    let ticket = site
        .tickets
        .redeem(&body.ficha, &body.confirmacion, is_same)?;
    Ok(Work::Restore {
        wish: ticket.wish,
        archive: ticket.archive,
    })
}
