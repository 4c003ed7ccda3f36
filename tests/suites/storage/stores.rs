//! What every store of objects is held to beyond the conformance suite: objects of several parts,
//! damage and breaks on the way, stops in the middle.

use std::error::Error as _;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, Fault, FaultKind, Interrupt, PutSource, Quiet, StorageSink};
use respaldo_sinks::conformance;
use respaldo_tests::stores::tap::Tap;

pub type Make<'a> = &'a dyn Fn() -> Arc<dyn StorageSink>;

pub const MB: u64 = 1_000_000;
/// A little more than a part.
pub const TWO_PARTS: u64 = 20 * MB;

/// Bytes of a seed, made as they are asked for; word `n` does not depend on those before.
#[derive(Clone)]
pub struct Generated {
    seed: u64,
    at: u64,
    size_bytes: u64,
}

impl Generated {
    pub fn new(size_bytes: u64, seed: u64) -> Self {
        Self {
            seed,
            at: 0,
            size_bytes,
        }
    }

    pub fn range(&self, range: &Range<u64>) -> Self {
        Self {
            at: range.start,
            size_bytes: range.end,
            ..*self
        }
    }

    fn word(&self, number: u64) -> [u8; 8] {
        let mut word = (number ^ self.seed.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        word ^= word >> 29;
        word = word.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (word ^ (word >> 32)).to_le_bytes()
    }
}

impl Read for Generated {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let wanted = out.len().min((self.size_bytes - self.at) as usize);
        let mut filled = 0;
        while filled < wanted {
            let word = self.word(self.at / 8);
            let start = (self.at % 8) as usize;
            let count = (wanted - filled).min(8 - start);
            out[filled..filled + count].copy_from_slice(&word[start..start + count]);
            filled += count;
            self.at += count as u64;
        }
        Ok(wanted)
    }
}

impl PutSource for Generated {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }
}

/// Takes exactly the bytes of a source.
struct Expecting(Generated);

impl Write for Expecting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut expected = vec![0; bytes.len()];
        self.0.read_exact(&mut expected)?;
        match expected == bytes {
            true => Ok(bytes.len()),
            false => Err(io::Error::other("other bytes")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Does something once so many bytes were read.
pub struct Acting<'a> {
    pub source: Generated,
    pub at: u64,
    pub act: Option<Box<dyn FnOnce() + Send + 'a>>,
}

impl Read for Acting<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.source.at >= self.at
            && let Some(act) = self.act.take()
        {
            act();
        }
        self.source.read(out)
    }
}

impl PutSource for Acting<'_> {
    fn size_bytes(&self) -> u64 {
        self.source.size_bytes
    }
}

pub fn key(text: &str) -> ObjectKey {
    ObjectKey::parse(text).unwrap()
}

/// Kind, subject and causes of a fault.
pub fn words(fault: &Fault) -> String {
    let mut words = format!("{:?}: {fault} {fault:?}", fault.kind);
    let mut cause = fault.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}

pub fn fault_of<T>(call: Result<T, Fault>, kind: FaultKind) -> Fault {
    match call {
        Ok(_) => panic!("no fault instead of {kind:?}"),
        Err(fault) if fault.kind == kind => fault,
        Err(fault) => panic!("{kind:?} expected: {}", words(&fault)),
    }
}

pub fn ensure_equal(sink: &dyn StorageSink, key: &ObjectKey, source: &Generated) {
    let cx = Context::quiet();
    let mut into = Expecting(source.clone());
    let got = sink.get(key, None, &mut into, &cx);
    got.unwrap_or_else(|fault| panic!("{}", words(&fault)));
    assert_eq!(into.0.at, source.size_bytes);
    assert_eq!(sink.head(key, &cx).unwrap().size_bytes, source.size_bytes);
}

pub fn ensure_absent(sink: &dyn StorageSink, key: &ObjectKey) {
    let cx = Context::quiet();
    fault_of(sink.head(key, &cx), FaultKind::NotFound);
    assert_eq!(sink.list(key.as_str(), &cx).unwrap(), []);
}

pub fn conforms(make: Make<'_>) {
    let broken = conformance::run(make);
    assert!(broken.is_empty(), "{broken:#?}");
}

/// An object of many parts comes back whole and in ranges.
pub fn large_object(sink: &dyn StorageSink) {
    let (key, source) = (key("full/large"), Generated::new(100 * MB + 1, 1));
    let put = sink.put(&key, &mut source.clone(), &Context::quiet());
    assert_eq!(put.unwrap().size_bytes, source.size_bytes);
    ensure_equal(sink, &key, &source);
    let part = 16 * 1024 * 1024;
    for range in [
        0..1,
        part - 3..part + 3,
        part..3 * part + 1,
        100 * MB..100 * MB + 1,
    ] {
        let mut into = Expecting(source.range(&range));
        let got = sink.get(&key, Some(range.clone()), &mut into, &Context::quiet());
        got.unwrap_or_else(|fault| panic!("{range:?}: {}", words(&fault)));
        assert_eq!(into.0.at, range.end);
    }
    let again = sink.put(&key, &mut Generated::new(TWO_PARTS, 2), &Context::quiet());
    fault_of(again, FaultKind::Exists);
}

/// Of several puts of several parts under one key one wins, and the object is its.
pub fn race_of_large_puts(make: Make<'_>) {
    let key = key("full/race");
    let sinks: Vec<_> = (0..3).map(|_| make()).collect();
    let source = |seed: usize| Generated::new(TWO_PARTS, seed as u64);
    let puts: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = sinks
            .iter()
            .enumerate()
            .map(|(seed, sink)| {
                let key = &key;
                scope.spawn(move || sink.put(key, &mut source(seed), &Context::quiet()))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let mut winners = Vec::new();
    for (seed, put) in puts.into_iter().enumerate() {
        match put {
            Ok(_) => winners.push(seed),
            lost => drop(fault_of(lost, FaultKind::Exists)),
        }
    }
    let [winner] = winners[..] else {
        panic!("{} puts won", winners.len());
    };
    ensure_equal(&*sinks[0], &key, &source(winner));
}

/// A connection that breaks in the middle of a put, for good, leaves nothing.
pub fn broken_way(through: &dyn StorageSink, direct: &dyn StorageSink, tap: &Tap) {
    let key = key("full/broken");
    let mut source = Acting {
        source: Generated::new(3 * TWO_PARTS, 1),
        at: 2 * TWO_PARTS,
        act: Some(Box::new(|| tap.break_off())),
    };
    let fault = fault_of(
        through.put(&key, &mut source, &Context::quiet()),
        FaultKind::Unavailable,
    );
    assert!(fault.kind.is_transient());
    ensure_absent(direct, &key);
}

/// Bytes that are damaged on the way make no object, be they one request or several.
pub fn damaged_way(through: &dyn StorageSink, direct: &dyn StorageSink, tap: &Tap) {
    for (name, size_bytes) in [("full/damaged-one", MB), ("full/damaged-two", TWO_PARTS)] {
        tap.damage_every(100_000);
        let key = key(name);
        let put = through.put(&key, &mut Generated::new(size_bytes, 1), &Context::quiet());
        tap.mend();
        let fault = put.err().unwrap_or_else(|| panic!("{name} was stored"));
        let expected = [FaultKind::Corrupt, FaultKind::Denied, FaultKind::Invalid];
        assert!(expected.contains(&fault.kind), "{}", words(&fault));
        ensure_absent(direct, &key);
    }
}

/// An object whose answer was lost is told to be ours when the request is repeated, and another's is
/// not.
pub fn lost_answer(through: &dyn StorageSink, direct: &dyn StorageSink, tap: &Tap) {
    let (ours, cx) = (key("full/answer-lost"), Context::quiet());
    let source = Generated::new(MB, 1);
    tap.lose_answers(1);
    let put = through.put(&ours, &mut source.clone(), &cx);
    put.unwrap_or_else(|fault| panic!("{}", words(&fault)));
    ensure_equal(direct, &ours, &source);
    tap.lose_answers(1);
    let again = through.put(&ours, &mut Generated::new(MB, 2), &cx);
    fault_of(again, FaultKind::Exists);
    ensure_equal(direct, &ours, &source);
}

/// A get goes on where its connections break.
pub fn halting_way(through: &dyn StorageSink, direct: &dyn StorageSink, tap: &Tap) {
    let (key, source) = (key("full/halting"), Generated::new(TWO_PARTS, 1));
    direct
        .put(&key, &mut source.clone(), &Context::quiet())
        .unwrap();
    tap.break_after(3 * MB);
    ensure_equal(through, &key, &source);
    tap.mend();
}

/// A put that is told to stop does so within a second or so, and leaves nothing.
pub fn stopped_put(sink: &dyn StorageSink) {
    let key = key("full/stopped");
    let interrupt = Interrupt::default();
    let cx = Context::new(interrupt.clone(), Arc::new(Quiet));
    let mut source = Acting {
        source: Generated::new(3 * TWO_PARTS, 1),
        at: 2 * TWO_PARTS,
        act: Some(Box::new(|| interrupt.set())),
    };
    fault_of(sink.put(&key, &mut source, &cx), FaultKind::Cancelled);
    ensure_absent(sink, &key);
}

/// A put to a server that hangs ends about when it is told to.
pub fn stopped_while_hanging(make: &dyn Fn(u16) -> Arc<dyn StorageSink>) {
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let sink = make(mute.local_addr().unwrap().port());
    let interrupt = Interrupt::default();
    let cx = Context::new(interrupt.clone(), Arc::new(Quiet));
    let start = Instant::now();
    let put = thread::scope(|scope| {
        let put = scope.spawn(|| sink.put(&key("full/hanging"), &mut Generated::new(9, 1), &cx));
        // Until the request is there, so that it is stopped in its middle.
        drop(mute.accept().unwrap());
        let held = mute.accept().unwrap();
        interrupt.set();
        let put = put.join().unwrap();
        drop(held);
        put
    });
    fault_of(put, FaultKind::Cancelled);
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
}

/// The most memory this process has ever had, in bytes.
pub fn peak_memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}
