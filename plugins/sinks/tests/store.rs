//! The store over several sinks, with faults at every step.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, like tests, fail by panicking"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex};

use respaldo_domain::backup::ArchiveName;
use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{
    Context, Fault, FaultKind, Interrupt, ObjectInfo, ObjectReader, PutSource, Quiet, SinkLimits,
    StorageSink,
};
use respaldo_engine::store::{Payload, SinkState, Store, StoreSink, WINDOW_BYTES, fault_of_io};
use respaldo_sinks::local::{LocalSink, Options};
use respaldo_sinks::memory::MemorySink;
use tempfile::TempDir;

/// A memory sink whose calls can be made to fail.
struct Faulty {
    inner: MemorySink,
    fails: Mutex<BTreeMap<&'static str, FaultKind>>,
    gets: Mutex<u32>,
}

impl Faulty {
    fn new(name: &str) -> Arc<Self> {
        let inner = MemorySink::new(name);
        Arc::new(Self {
            inner,
            fails: Mutex::default(),
            gets: Mutex::default(),
        })
    }

    fn fail(&self, call: &'static str, kind: FaultKind) {
        self.fails.lock().unwrap().insert(call, kind);
    }

    fn mend(&self) {
        self.fails.lock().unwrap().clear();
    }

    fn pass(&self, call: &'static str) -> Result<(), Fault> {
        match self.fails.lock().unwrap().get(call) {
            Some(&kind) => Err(Fault::bare(kind, format!("a planned fault of {call}"))),
            None => Ok(()),
        }
    }
}

impl StorageSink for Faulty {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn probe(&self, cx: &Context) -> Result<SinkLimits, Fault> {
        self.inner.probe(cx)
    }

    fn put(
        &self,
        key: &ObjectKey,
        source: &mut dyn PutSource,
        cx: &Context,
    ) -> Result<ObjectInfo, Fault> {
        self.pass("put")?;
        let info = self.inner.put(key, source, cx)?;
        self.pass("answer").map(|()| info)
    }

    fn get(
        &self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
        into: &mut (dyn Write + Send),
        cx: &Context,
    ) -> Result<(), Fault> {
        *self.gets.lock().unwrap() += 1;
        self.inner.get(key, range, into, cx)?;
        self.pass("get")
    }

    fn head(&self, key: &ObjectKey, cx: &Context) -> Result<ObjectInfo, Fault> {
        self.pass("head")?;
        self.inner.head(key, cx)
    }

    fn list(&self, prefix: &str, cx: &Context) -> Result<Vec<ObjectInfo>, Fault> {
        self.pass("list")?;
        self.inner.list(prefix, cx)
    }

    fn delete(&self, key: &ObjectKey, cx: &Context) -> Result<(), Fault> {
        self.pass("delete")?;
        self.inner.delete(key, cx)
    }

    fn sweep(&self, cx: &Context) -> Result<u64, Fault> {
        self.pass("sweep")?;
        self.inner.sweep(cx)
    }

    fn location(&self, key: &ObjectKey) -> String {
        self.inner.location(key)
    }
}

fn name() -> ArchiveName {
    "full_20260101_000000_ab12.backup".parse().unwrap()
}

fn store(required: &Arc<Faulty>, optional: &Arc<Faulty>) -> Store {
    Store::new(vec![
        StoreSink {
            sink: optional.clone(),
            required: false,
        },
        StoreSink {
            sink: required.clone(),
            required: true,
        },
    ])
}

fn two() -> (Arc<Faulty>, Arc<Faulty>, Store) {
    let (required, optional) = (Faulty::new("required"), Faulty::new("optional"));
    let store = store(&required, &optional);
    (required, optional, store)
}

fn cx() -> Context {
    Context::quiet()
}

fn pattern(size: u64) -> Vec<u8> {
    (0..size).map(|at| (at % 251) as u8).collect()
}

#[test]
fn a_sink_that_owes_the_archive_gets_no_manifest() {
    let (required, optional, store) = two();
    optional.fail("put", FaultKind::Unavailable);
    let mut set = store.begin_set();
    set.put(&name().key(), &Payload::bytes(b"archive".to_vec()), &cx())
        .unwrap();
    optional.mend();
    set.put(
        &name().manifest_key(),
        &Payload::bytes(b"{}".to_vec()),
        &cx(),
    )
    .unwrap();
    let outcomes = set.finish();
    assert_eq!(outcomes[0].sink, "required");
    assert!(matches!(outcomes[0].state, SinkState::Stored));
    assert!(matches!(outcomes[1].state, SinkState::Owed(_)));
    assert!(required.inner.bytes(&name().manifest_key()).is_some());
    assert_eq!(optional.inner.list("", &cx()).unwrap(), []);
}

#[test]
fn a_required_sink_that_fails_fails_the_set() {
    let (required, _, store) = two();
    required.fail("put", FaultKind::Full);
    let put = store.put_everywhere(&name().key(), &Payload::bytes(vec![1]), &cx());
    assert_eq!(put.unwrap_err().kind, FaultKind::Full);
}

#[test]
fn a_set_that_no_sink_took_is_a_failure_though_all_are_optional() {
    let sink = Faulty::new("only");
    sink.fail("put", FaultKind::Denied);
    let only = Store::new(vec![StoreSink {
        sink,
        required: false,
    }]);
    for (store, kind) in [
        (only, FaultKind::Denied),
        (Store::new(vec![]), FaultKind::Invalid),
    ] {
        let put = store.put_everywhere(&name().key(), &Payload::bytes(vec![1]), &cx());
        assert_eq!(put.unwrap_err().kind, kind);
    }
}

#[test]
fn a_put_whose_answer_was_lost_is_repeated_safely() {
    let (required, _, store) = two();
    required.fail("answer", FaultKind::Unavailable);
    let payload = Payload::bytes(b"archive".to_vec());
    assert!(
        store
            .put_everywhere(&name().key(), &payload, &cx())
            .is_err()
    );
    required.mend();
    store
        .put_everywhere(&name().key(), &payload, &cx())
        .unwrap();
    let other = Payload::bytes(b"ARCHIVE".to_vec());
    let put = store.put_everywhere(&name().key(), &other, &cx());
    assert_eq!(put.unwrap_err().kind, FaultKind::Exists);
}

#[test]
fn a_file_that_changed_after_it_was_handed_over_is_stored_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let local = LocalSink::new(
        "local",
        &Options {
            dir: folder.path().join("repository"),
        },
    );
    let memory = Arc::new(MemorySink::new("memory"));
    for sink in [Arc::new(local) as Arc<dyn StorageSink>, memory] {
        for changed in [&b"Archive"[..], b"archive and more", b"arch", b""] {
            fs::write(&spool, b"archive").unwrap();
            let payload = Payload::file(&spool).unwrap();
            fs::write(&spool, changed).unwrap();
            fs::File::options()
                .append(true)
                .open(&spool)
                .unwrap()
                .set_modified(std::time::SystemTime::UNIX_EPOCH)
                .unwrap();
            let store = Store::new(vec![StoreSink {
                sink: sink.clone(),
                required: true,
            }]);
            let put = store.put_everywhere(&name().key(), &payload, &cx());
            assert_eq!(put.unwrap_err().kind, FaultKind::Corrupt, "{changed:?}");
            assert_eq!(sink.list("", &cx()).unwrap(), []);
        }
    }
}

/// A store over the folders `a` and `b`.
fn two_folders(folder: &TempDir) -> Store {
    let local = |name: &str| {
        let dir = folder.path().join(name);
        StoreSink {
            sink: Arc::new(LocalSink::new(name, &Options { dir })),
            required: true,
        }
    };
    Store::new(vec![local("a"), local("b")])
}

#[test]
fn only_one_sink_may_take_the_spooled_file_itself() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    fs::write(&spool, b"archive").unwrap();
    let store = two_folders(&folder);
    store
        .put_everywhere(&name().key(), &Payload::file(&spool).unwrap(), &cx())
        .unwrap();
    let inode = |root: &str| {
        fs::metadata(folder.path().join(root).join(name().key().as_str()))
            .unwrap()
            .ino()
    };
    assert_eq!(inode("a"), fs::metadata(&spool).unwrap().ino());
    assert_ne!(inode("a"), inode("b"));
}

#[test]
fn reading_goes_over_to_the_next_sink_in_the_middle_of_an_object() {
    let (required, optional, store) = two();
    let (key, bytes) = (name().key(), pattern(2 * WINDOW_BYTES + 5));
    store
        .put_everywhere(&key, &Payload::bytes(bytes.clone()), &cx())
        .unwrap();
    let mut stream = store.open(&key, None, &cx()).unwrap();
    let mut read = vec![0; 100];
    stream.read_exact(&mut read).unwrap();
    required.fail("get", FaultKind::Unavailable);
    stream.read_to_end(&mut read).unwrap();
    assert!(read == bytes);
    assert!(*optional.gets.lock().unwrap() >= 2);
}

#[test]
fn a_file_that_is_cut_while_it_is_read_is_read_on_from_the_next_sink() {
    let folder = tempfile::tempdir().unwrap();
    let store = two_folders(&folder);
    let (key, bytes) = (name().key(), pattern(WINDOW_BYTES + 5));
    store
        .put_everywhere(&key, &Payload::bytes(bytes.clone()), &cx())
        .unwrap();
    let range = 7..bytes.len() as u64 - 3;
    let mut stream = store.open(&key, Some(range), &cx()).unwrap();
    let mut read = vec![0; 100];
    stream.read_exact(&mut read).unwrap();
    let file = fs::File::options()
        .write(true)
        .open(folder.path().join("a").join(key.as_str()));
    file.unwrap().set_len(WINDOW_BYTES / 2).unwrap();
    stream.read_to_end(&mut read).unwrap();
    assert!(read == bytes[7..bytes.len() - 3]);
}

#[test]
fn a_file_that_is_too_short_for_a_range_is_not_read_from() {
    let folder = tempfile::tempdir().unwrap();
    let store = two_folders(&folder);
    let (key, bytes) = (name().key(), pattern(1000));
    store
        .put_everywhere(&key, &Payload::bytes(bytes.clone()), &cx())
        .unwrap();
    let cut = |of: &str| {
        let path = folder.path().join(of).join(key.as_str());
        fs::write(path, &bytes[..500]).unwrap();
    };
    cut("a");
    let read = |store: &Store| {
        let mut read = Vec::new();
        let mut stream = store.open(&key, Some(400..600), &cx())?;
        stream.read_to_end(&mut read).unwrap();
        Ok::<_, Fault>(read)
    };
    assert_eq!(read(&store).unwrap(), bytes[400..600]);
    cut("b");
    assert_eq!(read(&store).unwrap_err().kind, FaultKind::Corrupt);
}

#[test]
fn a_copy_of_another_size_is_not_read_on_from() {
    let (required, optional, store) = two();
    let (key, bytes) = (name().key(), pattern(2 * WINDOW_BYTES));
    store
        .put_everywhere(&key, &Payload::bytes(bytes.clone()), &cx())
        .unwrap();
    optional.inner.tamper(&key, pattern(3 * WINDOW_BYTES));
    let mut stream = store.open(&key, None, &cx()).unwrap();
    required.fail("get", FaultKind::Unavailable);
    let error = stream.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(fault_of_io("read", error).kind, FaultKind::Unavailable);
}

#[test]
fn a_range_is_read_from_the_sink_whose_copy_is_long_enough() {
    let (required, _, store) = two();
    let (key, bytes) = (name().key(), pattern(1000));
    store
        .put_everywhere(&key, &Payload::bytes(bytes.clone()), &cx())
        .unwrap();
    required.inner.tamper(&key, bytes[..500].to_vec());
    let mut read = Vec::new();
    store
        .open(&key, Some(400..600), &cx())
        .unwrap()
        .read_to_end(&mut read)
        .unwrap();
    assert_eq!(read, bytes[400..600]);
}

#[test]
fn missing_is_only_said_when_every_sink_could_be_asked() {
    let (required, _, store) = two();
    let missing = |store: &Store| store.open(&name().key(), None, &cx()).err().unwrap().kind;
    assert_eq!(missing(&store), FaultKind::NotFound);
    required.fail("head", FaultKind::Unavailable);
    assert_eq!(missing(&store), FaultKind::Unavailable);
}

#[test]
fn an_interrupt_ends_a_read() {
    let (_, _, store) = two();
    let key = name().key();
    store
        .put_everywhere(&key, &Payload::bytes(pattern(2 * WINDOW_BYTES)), &cx())
        .unwrap();
    let interrupt = Interrupt::default();
    let cx = Context::new(interrupt.clone(), Arc::new(Quiet));
    let mut stream = store.open(&key, None, &cx).unwrap();
    interrupt.set();
    let error = stream.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(fault_of_io("read", error).kind, FaultKind::Cancelled);
}

#[test]
fn a_small_object_is_read_whole_and_a_large_one_refused() {
    let (_, _, store) = two();
    store
        .put_everywhere(&name().key(), &Payload::bytes(pattern(1000)), &cx())
        .unwrap();
    assert_eq!(
        store.read_all(&name().key(), 1000, &cx()).unwrap(),
        pattern(1000)
    );
    assert!(store.read_all(&name().key(), 999, &cx()).is_err());
}

#[test]
fn sets_are_found_by_their_manifests_in_their_proper_place() {
    let (required, optional, store) = two();
    required
        .inner
        .tamper(&name().manifest_key(), b"{}".to_vec());
    let other: ArchiveName = "inc_20260102_000000_ab12.backup".parse().unwrap();
    optional.inner.tamper(&other.manifest_key(), b"{}".to_vec());
    let misplaced = ObjectKey::parse(format!("full/{other}.manifest.json")).unwrap();
    required.inner.tamper(&misplaced, b"{}".to_vec());
    assert_eq!(store.sealed(&cx()).unwrap(), [name(), other.clone()]);
    assert!(store.is_sealed(&name(), &cx()).unwrap());
    assert!(
        !store.is_sealed(&other, &cx()).unwrap(),
        "only an optional sink has it"
    );
    optional.fail("list", FaultKind::Unavailable);
    assert_eq!(store.sealed(&cx()).unwrap(), [name()]);
    required.fail("list", FaultKind::Unavailable);
    assert!(store.sealed(&cx()).is_err());
}

#[test]
fn litter_is_removed_and_a_sealed_set_is_not() {
    let (required, optional, store) = two();
    for sink in [&required, &optional] {
        sink.inner.tamper(&name().key(), vec![1]);
        sink.inner.tamper(&name().stats_key(), vec![1]);
    }
    optional.inner.tamper(&name().manifest_key(), vec![1]);
    store.remove_unsealed(&name(), &cx()).unwrap();
    assert_eq!(required.inner.list("", &cx()).unwrap(), []);
    assert_eq!(optional.inner.list("", &cx()).unwrap().len(), 3);
}

#[test]
fn an_optional_sink_that_is_down_keeps_no_run_from_sweeping() {
    let (required, optional, store) = two();
    optional.fail("sweep", FaultKind::Unavailable);
    assert_eq!(store.sweep(&cx()).unwrap(), 0);
    required.fail("sweep", FaultKind::Unavailable);
    assert!(store.sweep(&cx()).is_err());
}
