//! Moving a finished file to its name, never in the place of another.

use std::time::Duration;

use reqwest::StatusCode;
use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Fault, FaultKind};
use url::Url;

use super::folders::Folders;
use super::requests::{FIRST_PAUSE, Requests, TRIES, asked_pause, is_for_now, refusal};

/// Longest wait for a move with its tries, and for how it ended to be found out.
pub(super) const LIMIT: Duration = Duration::from_mins(2);

/// Fails where a name is taken.
pub(super) async fn ensure_free(requests: &Requests, target: &Url) -> Result<(), Fault> {
    match requests.look(target).await? {
        Some(_) => Err(taken(target)),
        None => Ok(()),
    }
}

/// Moves a staged file to the name of its key.
pub(super) async fn name(
    requests: &Requests,
    folders: &Folders,
    staged: &Url,
    key: &ObjectKey,
) -> Result<(), Fault> {
    let target = requests.below(key.as_str());
    let mut pause = FIRST_PAUSE;
    for left in (0..TRIES).rev() {
        let answer = requests.rename(staged, &target).await?;
        let asked = asked_pause(&answer);
        match answer.status() {
            status if status.is_success() => return Ok(()),
            StatusCode::PRECONDITION_FAILED => return Err(taken(&target)),
            // Somebody removed the folder that we made, which servers say in several ways.
            StatusCode::CONFLICT | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND
                if left + 1 == TRIES =>
            {
                folders.forget();
                folders.ready_for(requests, key).await?;
            }
            // Who else moves to the same name holds it for a moment.
            status if left > 0 && is_for_now(status) => {
                tokio::time::sleep(asked.unwrap_or(pause)).await;
            }
            _ => return Err(refusal(&target, answer).await),
        }
        pause *= 2;
    }
    Err(Fault::bare(
        FaultKind::Unavailable,
        format!("the server keeps refusing to move a file to {target}"),
    ))
}

/// Finds out how a move ended whose answer was lost: `Ok(Ok)` it is done; `Ok(Err)` it is not, and
/// cannot happen any more, as there is nothing left to move; `Err` nobody knows.
pub(super) async fn settle(
    requests: &Requests,
    staged: &Url,
    target: &Url,
) -> Result<Result<(), Fault>, Fault> {
    let was_there = requests.delete(staged).await?;
    let found = requests.look(target).await?;
    Ok(match (found, was_there) {
        (Some(_), false) => Ok(()),
        (Some(_), true) => Err(taken(target)),
        (None, _) => {
            let subject = format!("{target} was not given its name");
            Err(Fault::bare(FaultKind::Unavailable, subject))
        }
    })
}

fn taken(target: &Url) -> Fault {
    Fault::bare(FaultKind::Exists, format!("{target} is there already"))
}
