//! A sink of futures keeps the promises of a blocking one.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::collections::BTreeMap;
use std::fs;
use std::future::pending;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use respaldo_sdk::asynchronous::{Async, AsyncStorageSink, Cx, Found, Into, Source};
use respaldo_sdk::records::{ObjectInfo, SinkLimits};
use respaldo_sdk::{Context, Error, Level, NoOptions, Plugin, Result, Status, StorageSink};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Keeps objects in memory; keys choose what goes wrong.
#[derive(Default)]
struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

/// Futures that were dropped before they were done.
static DROPPED: AtomicU32 = AtomicU32::new(0);

struct Unfinished;

impl Drop for Unfinished {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::SeqCst);
    }
}

impl Plugin for Memory {
    const ID: &'static str = "test.async";
    const NAME: &'static str = "Memory";
    const VERSION: &'static str = "0.1.0";
    type Options = NoOptions;

    fn create(_: NoOptions) -> Result<Self> {
        // The runtime is at hand.
        tokio::spawn(pending::<()>());
        Ok(Self::default())
    }
}

impl Memory {
    fn object(&self, key: &str) -> Result<Vec<u8>> {
        let found = self.0.lock().unwrap().get(key).cloned();
        found.ok_or_else(|| Error::new(Status::NotFound, key))
    }
}

impl AsyncStorageSink for Memory {
    fn location(&self) -> String {
        "memory:".to_owned()
    }

    async fn probe(&self, cx: &Cx) -> Result<SinkLimits> {
        cx.log(Level::Info, "probed");
        cx.progress(1, 2);
        Ok(SinkLimits::default())
    }

    async fn put(&self, key: &str, size: u64, source: &mut Source, _: &Cx) -> Result<()> {
        let mut bytes = Vec::new();
        match key {
            "pieces" => {
                while let Some(piece) = source.next().await? {
                    bytes.extend(piece);
                }
            }
            "pending" => {
                let _unfinished = Unfinished;
                pending::<()>().await;
            }
            "panic" => bytes[7] = 1,
            _ => {
                source.read_to_end(&mut bytes).await?;
            }
        }
        assert_eq!(bytes.len() as u64, size);
        self.0.lock().unwrap().insert(key.to_owned(), bytes);
        Ok(())
    }

    async fn get(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        into: &mut Into,
        _: &Cx,
    ) -> Result<()> {
        let bytes = self.object(key)?;
        let range = range.unwrap_or(0..bytes.len() as u64);
        into.write_all(&bytes[range.start as usize..range.end as usize])
            .await?;
        Ok(())
    }

    async fn head(&self, key: &str, _: &Cx) -> Result<ObjectInfo> {
        Ok(ObjectInfo {
            key: key.to_owned(),
            size_bytes: self.object(key)?.len() as u64,
        })
    }

    async fn list(&self, prefix: &str, found: &Found, cx: &Cx) -> Result<()> {
        let keys: Vec<String> = self.0.lock().unwrap().keys().cloned().collect();
        for key in keys.iter().filter(|key| key.starts_with(prefix)) {
            found.give(self.head(key, cx).await?).await?;
        }
        Ok(())
    }

    async fn remove(&self, key: &str, _: &Cx) -> Result<()> {
        self.0.lock().unwrap().remove(key);
        Ok(())
    }

    async fn sweep(&self, _: &Cx) -> Result<u64> {
        Ok(3)
    }
}

#[derive(Default)]
struct Host {
    cancelled: Arc<AtomicBool>,
    heard: Mutex<Vec<String>>,
}

impl Context for Host {
    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }
    fn progress(&self, done: u64, total: u64) {
        self.heard.lock().unwrap().push(format!("{done}/{total}"));
    }
    fn log(&self, _: Level, message: &str) {
        self.heard.lock().unwrap().push(message.to_owned());
    }
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

fn sink() -> Async<Memory> {
    Async::create(NoOptions {}).unwrap()
}

fn sample(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 % 251) as u8).collect()
}

#[test]
fn objects_go_in_and_out_whole() {
    let (sink, host) = (sink(), Host::default());
    for len in [0, 1, 65_537, 3_000_001] {
        for key in ["read", "pieces"] {
            let bytes = sample(len);
            sink.put(key, len as u64, &mut &bytes[..], &host).unwrap();
            let (mut all, mut part) = (Vec::new(), Vec::new());
            sink.get(key, None, &mut all, &host).unwrap();
            assert!(all == bytes, "{key} {len}");
            let range = len as u64 / 3..len as u64 / 2;
            sink.get(key, Some(range), &mut part, &host).unwrap();
            assert!(part == bytes[len / 3..len / 2], "{key} {len}");
        }
    }
    let mut keys = Vec::new();
    let each = &mut |info: ObjectInfo| {
        keys.push(info.key);
        Ok(())
    };
    sink.list("", each, &host).unwrap();
    assert_eq!(keys, ["pieces", "read"]);
    sink.remove("read", &host).unwrap();
    let missing = sink.head("read", &host).unwrap_err();
    assert_eq!(missing.status, Status::NotFound);
    assert_eq!(sink.sweep(&host), Ok(3));
    sink.probe(&host).unwrap();
    assert_eq!(*host.heard.lock().unwrap(), ["probed", "1/2"]);
}

#[test]
fn an_enumeration_that_the_host_ends_has_its_error() {
    let (sink, host) = (sink(), Host::default());
    sink.put("a", 0, &mut io::empty(), &host).unwrap();
    let each = &mut |_| Err(Error::new(Status::Stream, "enough"));
    let ended = sink.list("", each, &host).unwrap_err();
    assert_eq!(ended.message, "enough");
}

/// Gives some bytes and then fails.
struct Broken(usize);

impl Read for Broken {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.0.min(buf.len());
        self.0 -= count;
        if count == 0 {
            return Err(io::Error::other("the line is cut"));
        }
        Ok(count)
    }
}

#[test]
fn a_source_that_breaks_is_no_end_and_leaves_no_object() {
    let (sink, host) = (sink(), Host::default());
    for key in ["read", "pieces"] {
        let mut source = BufReader::new(Broken(300_000));
        let error = sink.put(key, 300_000, &mut source, &host).unwrap_err();
        assert_eq!(error.message, "the line is cut");
        assert!(sink.head(key, &host).is_err());
    }
}

struct Full;
impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_destination_that_breaks_ends_the_call_with_its_error() {
    let (sink, host) = (sink(), Host::default());
    let bytes = sample(3_000_000);
    sink.put("big", 3_000_000, &mut &bytes[..], &host).unwrap();
    let error = sink.get("big", None, &mut Full, &host).unwrap_err();
    assert_eq!(error.status, Status::Full);
}

#[test]
fn a_cancelled_call_drops_its_future() {
    let (sink, host) = (sink(), Host::default());
    let cancelled = Arc::clone(&host.cancelled);
    let operator = thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        cancelled.store(true, Ordering::SeqCst);
    });
    // More than the channel holds, so that the pump waits, too.
    let source = &mut &sample(8_000_000)[..] as &mut dyn BufRead;
    let error = sink.put("pending", 8_000_000, source, &host).unwrap_err();
    assert_eq!(error.status, Status::Cancelled);
    assert_eq!(DROPPED.load(Ordering::SeqCst), 1);
    operator.join().unwrap();
}

#[test]
fn a_panic_says_where_and_the_sink_goes_on() {
    let (sink, host) = (sink(), Host::default());
    let error = sink.put("panic", 0, &mut io::empty(), &host).unwrap_err();
    assert_eq!(error.status, Status::Panic);
    let place = error.message.contains("tests/asynchronous.rs:");
    assert!(place && error.message.contains("index is 7"), "{error}");
    sink.put("read", 0, &mut io::empty(), &host).unwrap();
}

/// To be told from the others by its name.
struct Only;
impl Plugin for Only {
    const ID: &'static str = "test.async.only";
    const NAME: &'static str = "";
    const VERSION: &'static str = "0.1.0";
    type Options = NoOptions;
    fn create(_: NoOptions) -> Result<Self> {
        Ok(Self)
    }
}

#[test]
fn nothing_of_a_runtime_is_left() {
    let threads = || {
        let tasks = fs::read_dir("/proc/self/task").unwrap();
        let names =
            tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok());
        names
            .filter(|name| name.trim() == "test.async.only")
            .count()
    };
    let all: Vec<Async<Only>> = (0..20)
        .map(|_| Async::create(NoOptions {}).unwrap())
        .collect();
    assert!(threads() > 0);
    drop(all);
    assert_eq!(threads(), 0);
}
