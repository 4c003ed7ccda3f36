//! Uploads that nobody will complete.
//!
//! A store tells when an upload began, not who began it. Those of this process are remembered: the
//! running ones are left alone whatever their age, and those given up are ended at once. Those of
//! this machine's dead processes are told by their notes, and ended at once, too; where the store had
//! begun one and its name was not yet noted, by the name of the object. Of others, only what is older
//! than a day is ended: no put takes so long. What a store does not list (GCS, blocks of Azure) is told
//! by notes alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, Fault};

use super::ObjectStoreSink;
use super::place::Place;
use super::store::{Put, Store, Unfinished, Upload};
use crate::notes::{Left, Note};

/// After this long nobody still sends parts.
const ABANDONED_AFTER: TimeDelta = TimeDelta::hours(24);
/// By then a store has done what it had in hand when the sender died.
const IN_HAND: Duration = Duration::from_secs(5);

/// Uploads of this process, by bucket and id: sinks over the same bucket must not end each other's.
static UPLOADS: Mutex<BTreeMap<(String, String), State>> = Mutex::new(BTreeMap::new());

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    GivenUp,
}

fn uploads() -> MutexGuard<'static, BTreeMap<(String, String), State>> {
    UPLOADS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An upload of this process, as long as the store may know it.
pub(super) struct Running {
    key: (String, String),
    note: Option<Note>,
    /// Whether the store may have more of the same object than we know: an answer was lost.
    unsure: bool,
}

impl Running {
    pub(super) fn new(place: &Place, id: &str) -> Self {
        let key = (place.address().to_owned(), id.to_owned());
        uploads().insert(key.clone(), State::Running);
        Self {
            key,
            note: None,
            unsure: false,
        }
    }

    /// With the note of it; `repeated`: it may have been begun more than once.
    pub(super) fn noted(self, note: Option<Note>, repeated: bool) -> Self {
        Self {
            note,
            unsure: repeated,
            ..self
        }
    }

    /// It is to be ended, by us or by the next sweep.
    pub(super) fn given_up(&self) {
        uploads().insert(self.key.clone(), State::GivenUp);
    }

    /// More of it may come to the store yet: the next sweep is to look again.
    pub(super) fn unsure(self) -> Self {
        Self {
            unsure: true,
            ..self
        }
    }

    /// The store knows it no more.
    pub(super) fn done(self) {
        uploads().remove(&self.key);
        // A note that stays has the next sweep look for more.
        if let Some(note) = self.note
            && !self.unsure
        {
            note.remove();
        }
    }
}

/// Ends what is abandoned; returns how much.
pub(super) fn sweep<S: Store>(sink: &ObjectStoreSink<S>, cx: &Context) -> Result<u64, Fault> {
    let place = sink.store.place();
    let left = sink.notes.as_ref().map(|notes| notes.left(&place.whole()));
    let left = left.unwrap_or_default();
    let dead = left.iter().map(|left| left.key.as_str()).collect();
    let mut swept = 0;
    for unfinished in sink.ask(cx, sink.store.unfinished())? {
        if is_abandoned(place, &unfinished, &dead) {
            sink.ask(cx, sink.store.abort(&unfinished.upload))?;
            Running::new(place, &unfinished.upload.id).done();
            swept += 1;
        }
    }
    if !S::LISTS_UNFINISHED {
        swept += end_noted(sink, &left, cx)?;
        if !S::ENDS_AT_ONCE && !left.is_empty() {
            sink.ask(cx, all_has_come())?;
            end_noted(sink, &left, cx)?;
        }
    }
    // Last: whatever failed before is found by the next sweep.
    left.into_iter().for_each(Left::remove);
    Ok(swept)
}

/// Waits until nothing of a dead process can come to the store any more.
async fn all_has_come() -> Result<(), Fault> {
    tokio::time::sleep(IN_HAND).await;
    Ok(())
}

/// Ends uploads of which only notes tell.
fn end_noted<S: Store>(
    sink: &ObjectStoreSink<S>,
    left: &[Left],
    cx: &Context,
) -> Result<u64, Fault> {
    let mut ended = 0;
    for left in left {
        let (Some(id), Ok(key)) = (left.id.clone(), ObjectKey::parse(&left.key)) else {
            continue;
        };
        let put = Put::new(&key, 0);
        sink.ask(cx, sink.store.abort(&Upload { put, id }))?;
        ended += 1;
    }
    Ok(ended)
}

/// `dead`: the objects that dead processes of this machine were uploading.
fn is_abandoned(place: &Place, unfinished: &Unfinished, dead: &BTreeSet<&str>) -> bool {
    let upload = &unfinished.upload;
    let key = (place.address().to_owned(), upload.id.clone());
    match uploads().get(&key) {
        Some(State::Running) => false,
        Some(State::GivenUp) => true,
        None if dead.contains(upload.put.key.as_str()) => true,
        None => Utc::now() - unfinished.begun_at > ABANDONED_AFTER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_old_or_was_given_up_here_or_noted_by_the_dead_is_abandoned() {
        let place = Place::new("s3://sweep-test".to_owned(), None).unwrap();
        let key = ObjectKey::parse("x").unwrap();
        let begun = |id: &str, hours| Unfinished {
            upload: Upload {
                put: Put::new(&key, 0),
                id: id.to_owned(),
            },
            begun_at: Utc::now() - TimeDelta::hours(hours),
        };
        let (nobody, dead) = (BTreeSet::new(), BTreeSet::from(["x"]));
        assert!(!is_abandoned(&place, &begun("other", 23), &nobody));
        assert!(is_abandoned(&place, &begun("other", 25), &nobody));
        assert!(is_abandoned(&place, &begun("other", 0), &dead));
        let ours = Running::new(&place, "ours");
        assert!(!is_abandoned(&place, &begun("ours", 25), &dead));
        ours.given_up();
        assert!(is_abandoned(&place, &begun("ours", 0), &nobody));
        ours.done();
        assert!(!is_abandoned(&place, &begun("ours", 0), &nobody));
    }
}
