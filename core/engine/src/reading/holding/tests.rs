//! Holds in sinks that refuse, forget and answer late.

use std::io::Write;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};

use chrono::TimeDelta;
use respaldo_domain::hold::SKEW;
use respaldo_domain::object::ObjectKey;

use super::*;
use crate::ports::{ObjectInfo, PutSource, SinkLimits};
use crate::store::StoreSink;

/// Objects in memory.
#[derive(Default)]
struct Shelf {
    objects: Mutex<BTreeMap<ObjectKey, Vec<u8>>>,
    is_read_only: AtomicBool,
    /// So many readings find that their object was renewed since it was listed.
    renewals: AtomicU32,
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, Vec<u8>>> {
        self.objects.lock().unwrap()
    }

    fn keys(&self) -> Vec<ObjectKey> {
        self.lock().keys().cloned().collect()
    }

    fn lay(&self, key: &ObjectKey, bytes: &[u8]) {
        self.lock().insert(key.clone(), bytes.to_vec());
    }

    fn gone(key: &ObjectKey) -> Fault {
        Fault::bare(FaultKind::NotFound, format!("there is no {key}"))
    }
}

impl StorageSink for Shelf {
    fn name(&self) -> &'static str {
        "shelf"
    }

    fn probe(&self, _cx: &Context) -> Result<SinkLimits, Fault> {
        Ok(SinkLimits::default())
    }

    fn put(
        &self,
        key: &ObjectKey,
        source: &mut dyn PutSource,
        _cx: &Context,
    ) -> Result<ObjectInfo, Fault> {
        if self.is_read_only.load(Ordering::SeqCst) {
            return Err(Fault::bare(FaultKind::Denied, "the shelf is read-only"));
        }
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes).unwrap();
        let mut objects = self.lock();
        if objects.contains_key(key) {
            return Err(Fault::bare(FaultKind::Exists, "it is there"));
        }
        let size_bytes = bytes.len() as u64;
        objects.insert(key.clone(), bytes);
        let key = key.clone();
        Ok(ObjectInfo { key, size_bytes })
    }

    fn get(
        &self,
        key: &ObjectKey,
        _range: Option<Range<u64>>,
        into: &mut (dyn Write + Send),
        _cx: &Context,
    ) -> Result<(), Fault> {
        let bytes = self.lock().get(key).cloned();
        let bytes = bytes.ok_or_else(|| Self::gone(key))?;
        into.write_all(&bytes).unwrap();
        Ok(())
    }

    fn head(&self, key: &ObjectKey, _cx: &Context) -> Result<ObjectInfo, Fault> {
        let mut objects = self.lock();
        let left = self.renewals.load(Ordering::SeqCst);
        if left > 0 {
            self.renewals.store(left - 1, Ordering::SeqCst);
            let hold = HoldKey::of(key).unwrap();
            let until = hold.until + TimeDelta::seconds(1);
            let bytes = objects.remove(key).unwrap();
            objects.insert(HoldKey { until, ..hold }.key(), bytes);
        }
        let found = objects.get(key).ok_or_else(|| Self::gone(key))?;
        Ok(ObjectInfo {
            key: key.clone(),
            size_bytes: found.len() as u64,
        })
    }

    fn list(&self, prefix: &str, _cx: &Context) -> Result<Vec<ObjectInfo>, Fault> {
        let objects = self.lock();
        let fitting = objects
            .iter()
            .filter(|(key, _)| key.as_str().starts_with(prefix));
        let info = |(key, bytes): (&ObjectKey, &Vec<u8>)| ObjectInfo {
            key: key.clone(),
            size_bytes: bytes.len() as u64,
        };
        Ok(fitting.map(info).collect())
    }

    fn delete(&self, key: &ObjectKey, _cx: &Context) -> Result<(), Fault> {
        self.lock().remove(key);
        Ok(())
    }

    fn sweep(&self, _cx: &Context) -> Result<u64, Fault> {
        Ok(0)
    }

    fn location(&self, key: &ObjectKey) -> String {
        key.to_string()
    }
}

fn shelves() -> ([Arc<Shelf>; 2], Arc<Store>) {
    let shelves = [Arc::<Shelf>::default(), Arc::default()];
    let sinks = shelves.iter().map(|shelf| StoreSink {
        sink: Arc::clone(shelf) as Arc<dyn StorageSink>,
        required: true,
    });
    let store = Arc::new(Store::new(sinks.collect()));
    (shelves, store)
}

fn hold() -> Hold {
    let name = "full_20260101_000000_ab12.backup".parse().unwrap();
    Hold {
        reader: "elsewhere:1".to_owned(),
        archives: [name].into(),
    }
}

fn quiet() -> Context {
    Context::quiet()
}

fn seen(shelf: &Shelf) -> Vec<Found> {
    found(shelf, &BTreeSet::new(), &quiet()).unwrap()
}

/// A hold that counts or counted until so long after now.
fn lay(shelf: &Shelf, left: TimeDelta, bytes: &[u8]) -> HoldKey {
    let until = Utc::now() + left;
    let hold = HoldKey {
        until,
        holder: Uuid::new_v4(),
    };
    shelf.lay(&hold.key(), bytes);
    hold
}

#[test]
fn a_hold_is_seen_in_every_sink_until_it_is_dropped() {
    let (shelves, store) = shelves();
    let (holding, untold) = Holding::begin(&store, Uuid::new_v4(), &hold(), &quiet());
    assert!(untold.is_empty());
    for shelf in &shelves {
        assert_eq!(seen(shelf), [Found::Names(hold().archives)]);
    }
    drop(holding);
    for shelf in &shelves {
        assert_eq!(shelf.keys(), []);
    }
}

#[test]
fn a_sink_that_takes_no_hold_is_told_of_and_the_others_have_it() {
    let (shelves, store) = shelves();
    shelves[0].is_read_only.store(true, Ordering::SeqCst);
    let (holding, untold) = Holding::begin(&store, Uuid::new_v4(), &hold(), &quiet());
    assert_eq!(untold.len(), 1);
    assert_eq!(untold[0].fault.kind, FaultKind::Denied);
    assert_eq!(seen(&shelves[0]), []);
    assert_eq!(seen(&shelves[1]), [Found::Names(hold().archives)]);
    drop(holding);
}

#[test]
fn a_renewed_hold_replaces_the_one_before_and_one_that_cannot_be_renewed_stays() {
    let (shelves, store) = shelves();
    let holder = Uuid::new_v4();
    let mut said = Said {
        store,
        holder,
        bytes: serde_json::to_vec(&hold()).unwrap(),
        lies: BTreeMap::new(),
    };
    let before = HoldKey {
        until: Utc::now() + TimeDelta::minutes(90),
        holder,
    };
    for (place, shelf) in shelves.iter().enumerate() {
        shelf.lay(&before.key(), &said.bytes);
        said.lies.insert(place, before);
    }
    shelves[1].is_read_only.store(true, Ordering::SeqCst);
    assert_eq!(said.renew(&quiet()).len(), 1);
    assert_eq!(shelves[0].keys().len(), 1);
    assert_ne!(shelves[0].keys(), [before.key()]);
    assert_eq!(shelves[1].keys(), [before.key()]);
    drop(said);
    assert!(shelves.iter().all(|shelf| shelf.keys().is_empty()));
}

#[test]
fn what_ended_and_what_nobody_can_have_meant_is_removed_and_the_rest_counts() {
    let shelf = Shelf::default();
    let bytes = serde_json::to_vec(&hold()).unwrap();
    let late = lay(&shelf, -SKEW + TimeDelta::minutes(1), &bytes);
    lay(&shelf, -SKEW - TimeDelta::seconds(1), &bytes);
    lay(&shelf, TimeDelta::days(400), &bytes);
    assert_eq!(seen(&shelf), [Found::Names(hold().archives)]);
    assert_eq!(shelf.keys(), [late.key()]);
}

#[test]
fn a_hold_that_cannot_be_read_counts_for_everything_as_long_as_any() {
    for bytes in [
        &b""[..],
        b"{",
        b"[]",
        b"{\"reader\":\"x\",\"archives\":[\"../etc\"]}",
    ] {
        let shelf = Shelf::default();
        lay(&shelf, TimeDelta::minutes(5), bytes);
        assert_eq!(seen(&shelf), [Found::Unreadable], "{bytes:?}");
        let shelf = Shelf::default();
        lay(&shelf, -TimeDelta::hours(1), bytes);
        assert_eq!(seen(&shelf), []);
    }
    let shelf = Shelf::default();
    lay(
        &shelf,
        TimeDelta::minutes(5),
        &vec![b' '; LARGEST_BYTES as usize + 1],
    );
    assert_eq!(seen(&shelf), [Found::Unreadable]);
}

#[test]
fn a_hold_that_is_renewed_while_it_is_looked_for_is_not_missed() {
    let shelf = Shelf::default();
    lay(
        &shelf,
        TimeDelta::hours(1),
        &serde_json::to_vec(&hold()).unwrap(),
    );
    shelf.renewals.store(LOOKS - 1, Ordering::SeqCst);
    assert_eq!(seen(&shelf), [Found::Names(hold().archives)]);
    // In doubt it counts for everything.
    shelf.renewals.store(u32::MAX, Ordering::SeqCst);
    assert_eq!(seen(&shelf), [Found::Unreadable]);
}

#[test]
fn holds_of_a_reader_that_is_known_to_be_dead_are_removed_at_once() {
    let shelf = Shelf::default();
    let bytes = serde_json::to_vec(&hold()).unwrap();
    let dead = lay(&shelf, TimeDelta::hours(1), &bytes);
    let other = lay(&shelf, TimeDelta::hours(1), &bytes);
    let seen = found(&shelf, &[dead.holder].into(), &quiet()).unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(shelf.keys(), [other.key()]);
}

#[test]
fn what_is_no_hold_stays_and_counts_for_nothing() {
    let shelf = Shelf::default();
    let foreign = ObjectKey::parse("holds/until_tomorrow.json").unwrap();
    shelf.lay(&foreign, b"a note of somebody's");
    assert_eq!(seen(&shelf), []);
    assert_eq!(shelf.keys(), [foreign]);
}
