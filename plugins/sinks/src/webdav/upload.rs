//! Streaming a source to a staging name.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Response};
use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, Fault, FaultKind, PutSource};
use tokio::sync::mpsc::Sender;
use tokio::task::JoinHandle;
use url::Url;

use super::body;
use super::requests::{Requests, refusal};
use crate::remote::{Driver, Pieces, SILENCE_LIMIT, unanswered};

const PIECE_BYTES: usize = 256 * 1024;
/// Longest work of the server on an upload that it has whole: some copy it once more.
const ANSWER_LIMIT: Duration = Duration::from_mins(10);

/// Sends exactly what the source promised.
pub(super) fn stream(
    driver: &Driver,
    requests: &Requests,
    url: &Url,
    source: (&ObjectKey, &mut dyn PutSource),
    cx: &Context,
) -> Result<(), Fault> {
    let (key, source) = source;
    let size_bytes = source.size_bytes();
    let (sender, body) = body::streamed(size_bytes);
    let request = requests
        .upload(url)
        .header(CONTENT_LENGTH, size_bytes)
        .header(CONTENT_TYPE, "application/octet-stream")
        .body(Body::wrap(body));
    let upload = Upload(driver.handle().spawn(request.send()));
    feed(
        driver,
        url,
        &sender,
        &mut Pieces::of(source, key, PIECE_BYTES),
        cx,
    )?;
    driver.wait(url.as_str(), ANSWER_LIMIT, cx, upload.end(url))
}

/// Hands over the pieces for as long as anybody takes them: the server may have answered before.
fn feed(
    driver: &Driver,
    url: &Url,
    sender: &Sender<Bytes>,
    pieces: &mut Pieces<'_>,
    cx: &Context,
) -> Result<(), Fault> {
    while let Some(piece) = pieces.next(cx)? {
        let piece = Bytes::from(piece);
        let sending = async { Ok(sender.send(piece).await.is_ok()) };
        if !driver.wait(url.as_str(), SILENCE_LIMIT, cx, sending)? {
            break;
        }
    }
    Ok(())
}

/// A request under way; given up when dropped.
struct Upload(JoinHandle<reqwest::Result<Response>>);

impl Upload {
    async fn end(mut self, url: &Url) -> Result<(), Fault> {
        let answer = (&mut self.0).await;
        let answer = answer
            .map_err(|error| Fault::new(FaultKind::Internal, format!("upload to {url}"), error))?;
        let answer = answer.map_err(|error| unanswered(format!("upload to {url}"), error))?;
        match answer.status().is_success() {
            true => Ok(()),
            false => Err(refusal(url, answer).await),
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// How many bytes arrived. Asked a few times: nobody sends them again for a hiccup.
pub(super) async fn arrived(requests: &Requests, url: &Url) -> Result<Option<u64>, Fault> {
    const TRIES: u32 = 4;
    let mut pause = Duration::from_millis(250);
    for _ in 1..TRIES {
        match requests.look(url).await {
            Err(fault) if fault.kind.is_transient() => tokio::time::sleep(pause).await,
            Err(fault) => return Err(fault),
            Ok(found) => return found.map(|found| found.size_bytes(url)).transpose(),
        }
        pause *= 3;
    }
    let found = requests.look(url).await?;
    found.map(|found| found.size_bytes(url)).transpose()
}
