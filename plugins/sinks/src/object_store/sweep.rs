//! Uploads that nobody will complete.
//!
//! A store tells when an upload began, not who began it. Those of this process are remembered: the
//! running ones are left alone whatever their age, and those given up are ended at once. Of others,
//! only what is older than a day is ended: no put takes so long.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{TimeDelta, Utc};
use respaldo_engine::ports::{Context, Fault};

use super::ObjectStoreSink;
use super::place::Place;
use super::store::{Store, Unfinished};

/// After this long nobody still sends parts.
const ABANDONED_AFTER: TimeDelta = TimeDelta::hours(24);

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
pub(super) struct Running((String, String));

impl Running {
    pub(super) fn new(place: &Place, id: &str) -> Self {
        let key = (place.address().to_owned(), id.to_owned());
        uploads().insert(key.clone(), State::Running);
        Self(key)
    }

    /// It is to be ended, by us or by the next sweep.
    pub(super) fn given_up(&self) {
        uploads().insert(self.0.clone(), State::GivenUp);
    }

    /// The store knows it no more.
    pub(super) fn done(self) {
        uploads().remove(&self.0);
    }
}

/// Ends what is abandoned; returns how much.
pub(super) fn sweep<S: Store>(sink: &ObjectStoreSink<S>, cx: &Context) -> Result<u64, Fault> {
    let mut swept = 0;
    for unfinished in sink.ask(cx, sink.store.unfinished())? {
        if is_abandoned(sink.store.place(), &unfinished) {
            sink.ask(cx, sink.store.abort(&unfinished.upload))?;
            Running::new(sink.store.place(), &unfinished.upload.id).done();
            swept += 1;
        }
    }
    Ok(swept)
}

fn is_abandoned(place: &Place, unfinished: &Unfinished) -> bool {
    let key = (place.address().to_owned(), unfinished.upload.id.clone());
    match uploads().get(&key) {
        Some(State::Running) => false,
        Some(State::GivenUp) => true,
        None => Utc::now() - unfinished.begun_at > ABANDONED_AFTER,
    }
}

#[cfg(test)]
mod tests {
    use respaldo_domain::object::ObjectKey;

    use super::super::store::{Put, Upload};
    use super::*;

    #[test]
    fn only_what_is_old_or_was_given_up_here_is_abandoned() {
        let place = Place::new("s3://sweep-test".to_owned(), None).unwrap();
        let key = ObjectKey::parse("x").unwrap();
        let begun = |id: &str, hours| Unfinished {
            upload: Upload {
                put: Put::new(&key, 0),
                id: id.to_owned(),
            },
            begun_at: Utc::now() - TimeDelta::hours(hours),
        };
        assert!(!is_abandoned(&place, &begun("other", 23)));
        assert!(is_abandoned(&place, &begun("other", 25)));
        let ours = Running::new(&place, "ours");
        assert!(!is_abandoned(&place, &begun("ours", 25)));
        ours.given_up();
        assert!(is_abandoned(&place, &begun("ours", 0)));
        ours.done();
        assert!(!is_abandoned(&place, &begun("ours", 0)));
    }
}
