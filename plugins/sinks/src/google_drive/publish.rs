//! How a whole file becomes the object of its key, where names are not unique.
//!
//! The upload leaves a *claim*: a file that is whole and has the key in its name, but is no object.
//! Whoever has a claim lists all files of the key, and makes its own the object (by a rename, which
//! is one step) only when it sees no object and no claim but its own. Of two that are at it, one
//! claimed last; it listed after that, and so saw the other's claim or object: never do both rename.
//! Where each sees the other's, the one that ranks lower renames its claim to *parked* and looks
//! again later, and the other goes on once it sees that. An object that is seen ends the matter:
//! [`FaultKind::Exists`], and the own file is deleted.
//!
//! A crash leaves a claim or a parked file, whole and no object. Others take it away when its process
//! is known to be dead or when it is a day old, and never by what a list said of it before: a put may
//! end well, as an object, between the list and the look at its process. Until then a put of that
//! key by another machine is [`FaultKind::Busy`].
//!
//! This stands on lists by parent that show what was done before they were asked for. Drive keeps to
//! that as far as is known but promises it nowhere, so there is a second look after the rename: of
//! several objects of a key the earliest created (then the smallest id) is the one, for all readers
//! alike, and who finds their own to be another deletes it and says that the key is taken. What
//! remains is a list that lags in both looks: two objects of one key, of which all read the same one.

use std::time::{Duration, Instant};

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Fault, FaultKind};

use super::api::File;
use super::folder::{Folder, Seen};
use super::names::Role;

/// How long others may take that claim the same key.
const RIVALS_LIMIT: Duration = Duration::from_secs(90);
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// What to do about the own file.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Publish,
    Park,
    Claim,
    Wait,
    GiveWay,
}

/// Makes a claim the object of its key. On a fault the own file is still there, whatever its name.
pub(super) async fn publish(folder: &Folder, key: &ObjectKey, own: &File) -> Result<(), Fault> {
    let (began, mut claimed) = (Instant::now(), true);
    loop {
        let rivals = rivals(folder, key, own).await?;
        match next(own, claimed, &rivals) {
            Step::Publish => break,
            Step::GiveWay => return Err(taken(key)),
            Step::Park => folder.rename(own, &Role::Parked(key.clone())).await?,
            Step::Claim => folder.rename(own, &Role::Claim(key.clone())).await?,
            Step::Wait if began.elapsed() > RIVALS_LIMIT => return Err(busy(key)),
            Step::Wait => tokio::time::sleep(LOOK_AGAIN).await,
        }
        claimed = after(own, claimed, &rivals);
    }
    folder.rename(own, &Role::Object(key.clone())).await?;
    look_again(folder, key, own).await
}

/// The other files of the key, once there is none that nobody works on any more. What is done about
/// those takes time in which more can happen, so it is followed by another list.
async fn rivals(folder: &Folder, key: &ObjectKey, own: &File) -> Result<Seen, Fault> {
    loop {
        let mut seen = folder.of_key(key).await?;
        seen.files.retain(|(_, file)| file.id != own.id);
        let left = seen.leftovers();
        if left.is_empty() {
            return Ok(seen);
        }
        for file in left {
            folder.remove_leftover(file).await?;
        }
    }
}

fn next(own: &File, claimed: bool, rivals: &Seen) -> Step {
    let claims = rivals
        .files
        .iter()
        .filter(|(role, _)| matches!(role, Role::Claim(_)));
    let first = claims.map(|(_, file)| file.rank()).min();
    match (claimed, first) {
        _ if rivals.object().is_some() => Step::GiveWay,
        (true, None) => Step::Publish,
        (true, Some(rank)) if rank < own.rank() => Step::Park,
        (false, None) => Step::Claim,
        (_, Some(_)) => Step::Wait,
    }
}

fn after(own: &File, claimed: bool, rivals: &Seen) -> bool {
    match next(own, claimed, rivals) {
        Step::Park => false,
        Step::Claim => true,
        Step::Publish | Step::Wait | Step::GiveWay => claimed,
    }
}

async fn look_again(folder: &Folder, key: &ObjectKey, own: &File) -> Result<(), Fault> {
    let seen = folder.of_key(key).await?;
    match seen.object() {
        Some(object) if object.id != own.id && object.rank() < own.rank() => Err(taken(key)),
        _ => Ok(()),
    }
}

/// The fault of a key that has an object.
pub(super) fn taken(key: &ObjectKey) -> Fault {
    Fault::bare(FaultKind::Exists, format!("{key} is there already"))
}

fn busy(key: &ObjectKey) -> Fault {
    let why = "another put of the same key is at work, or was killed less than a day ago";
    Fault::new(FaultKind::Busy, format!("store {key} in Google Drive"), why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(id: &str) -> File {
        serde_json::from_value(serde_json::json!({ "id": id, "createdTime": "t" })).unwrap()
    }

    fn seen(roles: &[(&str, &str)]) -> Seen {
        let files = roles
            .iter()
            .map(|(name, id)| (Role::of(name).unwrap(), file(id)));
        Seen {
            files: files.collect(),
            at: None,
        }
    }

    #[test]
    fn only_a_claim_that_stands_alone_becomes_the_object() {
        let own = file("m");
        let (claim, parked) = (".respaldo-claim.k", ".respaldo-parked.k");
        for (claimed, others, step) in [
            (true, &[][..], Step::Publish),
            (true, &[(parked, "a")], Step::Publish),
            (true, &[(claim, "a")], Step::Park),
            (true, &[(claim, "z")], Step::Wait),
            (true, &[(claim, "a"), (claim, "z")], Step::Park),
            (true, &[("k", "z")], Step::GiveWay),
            (false, &[], Step::Claim),
            (false, &[(claim, "z")], Step::Wait),
            (false, &[(claim, "a"), ("k", "b")], Step::GiveWay),
        ] {
            assert_eq!(
                next(&own, claimed, &seen(others)),
                step,
                "{claimed} {others:?}"
            );
        }
    }

    /// Every order in which three puts can take their steps (a list, then what follows from it).
    #[test]
    fn in_no_order_of_steps_do_two_become_objects() {
        #[derive(Clone, PartialEq, Eq, Hash)]
        struct State {
            names: Vec<Option<&'static str>>,
            views: Vec<Option<Vec<Option<&'static str>>>>,
        }
        let files: Vec<File> = ["a", "b", "c"].map(file).into();
        let (claim, parked) = (".respaldo-claim.k", ".respaldo-parked.k");
        let begin = State {
            names: vec![None; 3],
            views: vec![None; 3],
        };
        let (mut open, mut known) = (
            vec![begin.clone()],
            std::collections::HashSet::from([begin]),
        );
        let mut ends = 0;
        while let Some(state) = open.pop() {
            let objects = state
                .names
                .iter()
                .filter(|name| **name == Some("k"))
                .count();
            assert!(objects <= 1);
            ends += usize::from(objects == 1);
            for at in 0..3 {
                let mut then = state.clone();
                match (state.names[at], &state.views[at]) {
                    (None, None) => then.names[at] = Some(claim),
                    (Some("k" | "gone"), _) => continue,
                    (_, None) => then.views[at] = Some(state.names.clone()),
                    (now, Some(view)) => {
                        let others = (0..3).filter(|other| *other != at).filter_map(|other| {
                            let name = view[other].filter(|name| *name != "gone")?;
                            Some((Role::of(name)?, files[other].clone()))
                        });
                        let rivals = Seen {
                            files: others.collect(),
                            at: None,
                        };
                        then.views[at] = None;
                        then.names[at] = match next(&files[at], now == Some(claim), &rivals) {
                            Step::Publish => Some("k"),
                            Step::Park => Some(parked),
                            Step::Claim => Some(claim),
                            Step::GiveWay => Some("gone"),
                            Step::Wait => now,
                        };
                    }
                }
                if known.insert(then.clone()) {
                    open.push(then);
                }
            }
        }
        assert!(ends > 0);
    }
}
