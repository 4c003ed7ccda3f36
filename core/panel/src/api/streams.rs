//! Answers that go on: server-sent events, and archives that are fetched.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::Response;
use bytes::Bytes;
use futures_core::Stream as Flow;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use super::start::job_id;
use super::{Asked, Reply};
use crate::jobs::{Event, Stream};
use crate::problem::Refusal;
use crate::routes::Endpoint as E;
use crate::site::Site;

/// A word now and then, so that proxies and browsers know that there is somebody.
const PULSE: Duration = Duration::from_secs(15);
/// A stream ends after that; whoever is there comes back, with a session that still counts.
const LONGEST: Duration = Duration::from_mins(30);
/// Nobody takes longer to take a piece.
const TAKEN_WITHIN: Duration = Duration::from_mins(1);
const PIECE: usize = 128 * 1024;
const AT_ONCE: usize = 100;

type Pieces = mpsc::Sender<std::io::Result<Bytes>>;

/// What a task sends, as a body.
struct Sent(mpsc::Receiver<std::io::Result<Bytes>>);

impl Flow for Sent {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx)
    }
}

/// A stream of events, or an archive.
pub async fn answer(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    match asked.route.endpoint {
        E::Download => download(site, asked).await,
        E::JobEvents => of_job(site, asked).await,
        _ => of_service(site, asked),
    }
}

/// The number of the last event that the other side had.
fn last_seen(asked: &Asked) -> Option<u64> {
    let shown = asked.headers.get("last-event-id")?;
    shown.to_str().ok()?.parse().ok()
}

fn begin(site: &Site, source: Source, from: u64) -> Result<Reply, Refusal> {
    let place = site.stream_place()?;
    let (pieces, sent) = mpsc::channel(16);
    // It ends with the other side, with the job, or after a while; whichever comes first.
    tokio::spawn(async move {
        let _place = place;
        tokio::time::timeout(LONGEST, tell(source, from, pieces))
            .await
            .ok();
    });
    let mut response = Response::new(Body::from_stream(Sent(sent)));
    let kind = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    // Proxies that gather answers gather this one for ever.
    let now = HeaderValue::from_static("no");
    response.headers_mut().insert("x-accel-buffering", now);
    Ok(Reply::Whole(response))
}

/// Where events come from.
enum Source {
    Job(Arc<crate::jobs::Active>),
    Service(Arc<Stream>),
    /// It is over, and this is all there is to tell.
    Over(Event),
}

impl Source {
    fn stream(&self) -> Option<&Stream> {
        match self {
            Self::Job(active) => Some(&active.stream),
            Self::Service(stream) => Some(stream),
            Self::Over(_) => None,
        }
    }
}

async fn of_job(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    let id = job_id(asked)?;
    if let Some(active) = site.jobs.active(id) {
        let newest = *active.stream.newest().borrow();
        // A number of a process before this one says nothing.
        let from = last_seen(asked).filter(|seen| *seen <= newest).unwrap_or(0);
        return begin(site, Source::Job(active), from);
    }
    let job = site.soon(move |site| site.jobs.get(id)).await?;
    let event = Event {
        id: last_seen(asked).unwrap_or(0) + 1,
        kind: "fin",
        data: serde_json::to_string(&job).unwrap_or_default(),
    };
    begin(site, Source::Over(event), 0)
}

fn of_service(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    let stream = Arc::clone(&site.jobs.stream);
    let newest = *stream.newest().borrow();
    // Who comes for the first time is told what happens from now on.
    let from = last_seen(asked)
        .filter(|seen| *seen <= newest)
        .unwrap_or(newest);
    begin(site, Source::Service(stream), from)
}

async fn tell(source: Source, mut from: u64, pieces: Pieces) {
    if !send(&pieces, ": respaldo\nretry: 3000\n\n".to_owned()).await {
        return;
    }
    if let Source::Over(event) = &source {
        send(&pieces, text(event)).await;
        return;
    }
    let Some(stream) = source.stream() else {
        return;
    };
    let mut newest = stream.newest();
    loop {
        newest.borrow_and_update();
        for event in stream.after(from, AT_ONCE) {
            from = event.id;
            let ends = event.kind == "fin";
            if !send(&pieces, text(&event)).await || ends {
                return;
            }
        }
        if *newest.borrow() > from {
            continue;
        }
        match tokio::time::timeout(PULSE, newest.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                if !send(&pieces, ": \n\n".to_owned()).await {
                    return;
                }
            }
        }
    }
}

fn text(event: &Event) -> String {
    format!(
        "id: {}\nevent: {}\ndata: {}\n\n",
        event.id, event.kind, event.data
    )
}

/// Whether the other side took it.
async fn send(pieces: &Pieces, text: String) -> bool {
    let sent = pieces.send(Ok(Bytes::from(text)));
    matches!(tokio::time::timeout(TAKEN_WITHIN, sent).await, Ok(Ok(())))
}

/// What an export wrote.
async fn download(site: &Arc<Site>, asked: &Asked) -> Result<Reply, Refusal> {
    let id = job_id(asked)?;
    let gone = || Refusal::new(404, "not-found", id.to_string());
    let filed = site.soon(move |site| site.jobs.filed(id)).await?;
    let (path, name) = filed.archivo.ok_or_else(gone)?;
    let place = site.stream_place()?;
    let mut file = tokio::fs::File::open(&path).await.map_err(|_| gone())?;
    let length = file.metadata().await.map_err(|_| gone())?.len();
    let (pieces, sent) = mpsc::channel(4);
    tokio::spawn(async move {
        let _place = place;
        loop {
            let mut piece = vec![0; PIECE];
            let piece = match file.read(&mut piece).await {
                Ok(0) => return,
                Ok(count) => {
                    piece.truncate(count);
                    Ok(Bytes::from(piece))
                }
                Err(error) => Err(error),
            };
            let sent = tokio::time::timeout(TAKEN_WITHIN, pieces.send(piece)).await;
            if !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
    });
    let mut response = Response::new(Body::from_stream(Sent(sent)));
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("application/octet-stream");
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CONTENT_LENGTH, length.into());
    // Names of archives are plain; whatever is not is left out.
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "._-".contains(*c);
    let name: String = name.chars().filter(is_plain).collect();
    if let Ok(named) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, named);
    }
    Ok(Reply::Whole(response))
}
