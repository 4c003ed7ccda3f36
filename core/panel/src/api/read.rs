//! Questions and changes: from a request to what the program around is asked, and its answer.

use std::sync::Arc;

use bytes::Bytes;

use super::{Asked, CHANGE, QUESTION, Reply, body};
use crate::ask::{Backups, Change, Part, Point, Question};
use crate::cache::{self, Kept};
use crate::problem::Refusal;
use crate::routes::Endpoint as E;
use crate::site::{Line, Site};

/// Answers a question, perhaps with what was answered a moment ago.
pub async fn question(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    let question = of(asked)?;
    let key = (asked.base.clone(), asked.lang, question.clone());
    let slot = site.cache.slot(key);
    let mut kept = slot.lock().await;
    if let Some(answer) = site.cache.fresh(kept.as_ref(), cache::lasts(&question)) {
        return answer.map(Reply::Text);
    }
    let generation = site.cache.generation();
    let answer = ask(site, asked, question).await;
    *kept = Kept::of(&answer, generation);
    answer.map(Reply::Text)
}

async fn ask(site: &Arc<Site>, asked: &Asked, question: Question) -> Result<Bytes, Refusal> {
    let call = asked.call();
    let (questions, stop) = (Arc::clone(&site.ports.questions), call.stop.clone());
    let work = move || {
        let record = questions.ask(&question, &call)?;
        Ok::<_, Refusal>(Bytes::from(record.to_string()))
    };
    site.wait_for(Line::Readers, QUESTION, &stop, work).await?
}

/// Changes something.
pub async fn change(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    let change = match asked.route.endpoint {
        E::SetSchedule => Change::Schedule(body::parse(asked)?),
        E::SetRetention => Change::Retention(body::parse(asked)?),
        E::SetCloud => Change::Cloud(body::parse(asked)?),
        _ => Change::Delete {
            which: asked.part("id"),
            with_dependents: asked.query.flag("with_dependents"),
        },
    };
    let call = asked.call();
    let (changes, stop) = (Arc::clone(&site.ports.changes), call.stop.clone());
    let cache = Arc::clone(&site.cache);
    let work = move || {
        let record = changes.change(&change, &call);
        cache.forget();
        record
    };
    let record = site.wait_for(Line::Readers, CHANGE, &stop, work).await?;
    Ok(Reply::Json(200, record?))
}

fn of(asked: &Asked) -> Result<Question, Refusal> {
    let query = &asked.query;
    let number = |name: &str| query.number(name, asked.route);
    let part = || Part {
        limit: number("limit"),
        offset: number("offset"),
    };
    Ok(match asked.route.endpoint {
        E::Status => Question::Status,
        E::Overview => Question::Overview,
        E::Backups => Question::Backups(Backups {
            kind: query.text("tipo"),
            state: query.text("estado"),
            since: query.text("desde"),
            until: query.text("hasta"),
            search: query.text("buscar"),
            order: query.text("orden"),
            descending: query.get("dir") != Some("asc"),
            limit: number("limit"),
            offset: number("offset"),
        }),
        E::Backup => Question::Backup {
            which: asked.part("id"),
            table: query.text("tabla"),
            part: Part {
                limit: number("tablas_limit"),
                offset: number("tablas_offset"),
            },
        },
        E::Chain => Question::Chain(asked.part("id")),
        E::Dependents => Question::Dependents(asked.part("id")),
        E::Validations => Question::Validations {
            backup: query.text("backup"),
            part: part(),
        },
        E::Preview => Question::Preview {
            point: point(query.text("at"), query.text("id"))?,
            live: query.flag("live"),
        },
        E::Log => Question::Log {
            level: query.text("nivel"),
            part: part(),
        },
        E::Schedule => Question::Schedule,
        E::NextRuns => Question::NextRuns,
        E::Retention => Question::Retention,
        E::Expiry => Question::Expiry,
        E::Cloud => Question::Cloud,
        E::Sinks => Question::Sinks,
        E::Plugins => Question::Plugins,
        E::Doctor => Question::Doctor,
        E::Config => Question::Config,
        E::RestorePoints => Question::RestorePoints(number("limit")),
        E::Stats => Question::Stats,
        E::Space => Question::Space,
        other => {
            let why = format!("{other:?} is no question");
            return Err(Refusal::new(500, "internal", why));
        }
    })
}

/// A time or a backup: one of both.
pub fn point(at: Option<String>, id: Option<String>) -> Result<Point, Refusal> {
    match (at, id) {
        (Some(at), None) => Ok(Point::At(at)),
        (None, Some(id)) => Ok(Point::Id(id)),
        _ => Err(Refusal::new(400, "invalid-request", "at | id")),
    }
}
