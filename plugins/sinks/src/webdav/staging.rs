//! Half-written files: two to try out what the server promises, and those that nobody writes any
//! more.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use respaldo_engine::ports::{Fault, FaultKind};
use url::Url;

use super::multistatus::Entry;
use super::requests::{Requests, refusal, send};
use crate::owner::{self, FOREIGN_AGE, Writer};

/// Writes two files in the staging folder and tries to move one over the other, which the server
/// must refuse: nothing else keeps an object from being replaced.
pub(super) async fn try_out(requests: &Requests) -> Result<(), Fault> {
    let names = [owner::staging_name(), owner::staging_name()];
    let [one, other] = names.map(|name| requests.staging(&name));
    let tried = try_to_overwrite(requests, &one, &other).await;
    let removed = [requests.delete(&one).await, requests.delete(&other).await];
    tried?;
    removed
        .into_iter()
        .try_for_each(|removed| removed.map(drop))
}

async fn try_to_overwrite(requests: &Requests, one: &Url, other: &Url) -> Result<(), Fault> {
    for url in [one, other] {
        let answer = send(url, requests.upload(url).body("probe")).await?;
        if !answer.status().is_success() {
            return Err(refusal(url, answer).await);
        }
    }
    let answer = requests.rename(one, other).await?;
    match answer.status() {
        StatusCode::PRECONDITION_FAILED => Ok(()),
        status if status.is_success() => {
            let subject = format!("{}: the server is of no use for backups", requests.root());
            let why = "it moves a file over another although `Overwrite: F` forbids it";
            Err(Fault::new(FaultKind::Invalid, subject, why))
        }
        _ => Err(refusal(other, answer).await),
    }
}

/// Removes what an upload left that failed. Some servers show it only once they noticed the failure.
pub(super) async fn remove(requests: &Requests, staged: &Url) {
    for pause in [0, 200, 400, 5000].map(Duration::from_millis) {
        tokio::time::sleep(pause).await;
        if !matches!(requests.delete(staged).await, Ok(false)) {
            return;
        }
    }
}

/// The names of staging files that are abandoned.
pub(super) async fn abandoned(requests: &Requests) -> Result<Vec<String>, Fault> {
    let folder = requests.below(owner::FOLDER);
    let Some(listing) = requests.list(&folder).await? else {
        return Ok(Vec::new());
    };
    let now = listing.server_time;
    let files = listing.entries.into_iter().filter(|entry| !entry.is_folder);
    let abandoned = files.filter(|file| match owner::writer_of(&file.name()) {
        None => false,
        Some(Writer::Dead) => true,
        Some(Writer::Alive | Writer::Unknown) => is_old(file, now),
    });
    Ok(abandoned.map(|file| file.name()).collect())
}

/// Whether nobody wrote for so long, by the server's own clock. In doubt it is not.
fn is_old(file: &Entry, now: Option<SystemTime>) -> bool {
    let age = now
        .zip(file.modified_at)
        .and_then(|(now, written)| now.duration_since(written).ok());
    age.is_some_and(|age| age > FOREIGN_AGE)
}
