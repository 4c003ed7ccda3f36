//! Wrapped sinks keep every promise, and do what they are for.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, like tests, fail by panicking"
)]

use std::io::{Cursor, Write};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{
    Context, Fault, FaultKind, ObjectInfo, PutSource, SinkLimits, StorageSink,
};
use respaldo_engine::store::Payload;
use respaldo_sinks::conformance;
use respaldo_sinks::memory::MemorySink;
use respaldo_sinks::wrappers::{Limited, Paced, Retries, Retrying, Verified, Wrapping};

/// Fails so many calls, each after it gave or took some bytes; then does as it should.
struct Flaky {
    inner: MemorySink,
    failures: AtomicU32,
    kind: FaultKind,
    flips: bool,
}

impl Flaky {
    fn new(failures: u32, kind: FaultKind) -> Self {
        Self {
            inner: MemorySink::new("flaky"),
            failures: AtomicU32::new(failures),
            kind,
            flips: false,
        }
    }

    fn pass(&self) -> Result<(), Fault> {
        let left = self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
        match left {
            Ok(_) => Err(Fault::bare(self.kind, "a planned fault")),
            Err(_) => Ok(()),
        }
    }
}

impl StorageSink for Flaky {
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
        if let Err(fault) = self.pass() {
            let mut some = [0; 3];
            source.read_exact(&mut some).unwrap();
            return Err(fault);
        }
        let info = self.inner.put(key, source, cx)?;
        if self.flips {
            let mut bytes = self.inner.bytes(key).unwrap();
            bytes[0] ^= 1;
            self.inner.tamper(key, bytes);
        }
        Ok(info)
    }

    fn get(
        &self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
        into: &mut (dyn Write + Send),
        cx: &Context,
    ) -> Result<(), Fault> {
        if let Err(fault) = self.pass() {
            let start = range.map_or(0, |range| range.start);
            self.inner.get(key, Some(start..start + 2), into, cx)?;
            return Err(fault);
        }
        self.inner.get(key, range, into, cx)
    }

    fn head(&self, key: &ObjectKey, cx: &Context) -> Result<ObjectInfo, Fault> {
        self.inner.head(key, cx)
    }

    fn list(&self, prefix: &str, cx: &Context) -> Result<Vec<ObjectInfo>, Fault> {
        self.pass()?;
        self.inner.list(prefix, cx)
    }

    fn delete(&self, key: &ObjectKey, cx: &Context) -> Result<(), Fault> {
        self.pass()?;
        self.inner.delete(key, cx)
    }

    fn sweep(&self, cx: &Context) -> Result<u64, Fault> {
        self.inner.sweep(cx)
    }

    fn location(&self, key: &ObjectKey) -> String {
        self.inner.location(key)
    }
}

fn retries(tries: u32) -> Retries {
    Retries {
        tries,
        first_wait: Duration::from_micros(10),
        longest_wait: Duration::from_micros(10),
    }
}

fn key() -> ObjectKey {
    ObjectKey::parse("full/x").unwrap()
}

#[test]
fn every_wrapper_keeps_every_promise() {
    let memory = || -> Arc<dyn StorageSink> { Arc::new(MemorySink::new("memory")) };
    let wrapped: [(&str, Arc<dyn StorageSink>); 5] = [
        ("retrying", Arc::new(Retrying::new(memory(), retries(3)))),
        ("paced", Arc::new(Paced::new(memory(), 1 << 40))),
        ("limited", Arc::new(Limited::new(memory(), 2))),
        ("verified", Arc::new(Verified::new(memory()))),
        (
            "all",
            Wrapping {
                retries: Some(retries(3)),
                max_rate_bytes: Some(1 << 40),
                max_parallel: Some(1),
                verify: true,
            }
            .around(memory()),
        ),
    ];
    for (name, sink) in wrapped {
        let broken = conformance::run(&|| Arc::clone(&sink));
        assert_eq!(broken, [], "{name}");
    }
}

#[test]
fn what_may_pass_is_tried_again_from_where_it_broke() {
    let cx = Context::quiet();
    let flaky = Arc::new(Flaky::new(2, FaultKind::Unavailable));
    let sink = Retrying::new(flaky.clone(), retries(3));
    let payload = Payload::bytes(b"0123456789".to_vec());
    let mut source = payload
        .source(respaldo_engine::store::Offer::Stream, &cx)
        .unwrap();
    sink.put(&key(), &mut source, &cx).unwrap();
    assert_eq!(flaky.inner.bytes(&key()).unwrap(), b"0123456789");
    for (range, wanted) in [(None, &b"0123456789"[..]), (Some(1..9), b"12345678")] {
        flaky.failures.store(2, Ordering::SeqCst);
        let mut got = Vec::new();
        sink.get(&key(), range, &mut got, &cx).unwrap();
        assert_eq!(got, wanted);
    }
    flaky.failures.store(2, Ordering::SeqCst);
    assert_eq!(sink.list("", &cx).unwrap().len(), 1);
}

#[test]
fn tries_end_and_what_will_not_pass_is_not_tried_again() {
    let cx = Context::quiet();
    let flaky = Arc::new(Flaky::new(5, FaultKind::Unavailable));
    let sink = Retrying::new(flaky.clone(), retries(3));
    assert_eq!(sink.list("", &cx).unwrap_err().kind, FaultKind::Unavailable);
    assert_eq!(flaky.failures.load(Ordering::SeqCst), 2);
    let flaky = Arc::new(Flaky::new(5, FaultKind::Denied));
    let sink = Retrying::new(flaky.clone(), retries(3));
    assert_eq!(sink.list("", &cx).unwrap_err().kind, FaultKind::Denied);
    assert_eq!(flaky.failures.load(Ordering::SeqCst), 4);
    // A source that cannot go back is put once.
    let flaky = Arc::new(Flaky::new(1, FaultKind::Unavailable));
    let sink = Retrying::new(flaky.clone(), retries(3));
    let fault = sink.put(&key(), &mut Cursor::new(b"0123".to_vec()), &cx);
    assert_eq!(fault.unwrap_err().kind, FaultKind::Unavailable);
}

#[test]
fn what_comes_back_as_other_bytes_was_not_stored() {
    let cx = Context::quiet();
    let flaky = Arc::new(Flaky {
        flips: true,
        ..Flaky::new(0, FaultKind::Unavailable)
    });
    let sink = Verified::new(flaky.clone());
    let fault = sink.put(&key(), &mut Cursor::new(b"0123".to_vec()), &cx);
    assert_eq!(fault.unwrap_err().kind, FaultKind::Corrupt);
    assert_eq!(flaky.inner.bytes(&key()), None);
}
