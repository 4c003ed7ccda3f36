//! Where a check works: a sink, a prefix, and sources that misbehave.

use std::error::Error as _;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use respaldo_domain::object::{NotAKey, ObjectKey};
use respaldo_engine::ports::{
    Context, Fault, FaultKind, Interrupt, ObjectInfo, PutSource, StorageSink,
};
use uuid::Uuid;

/// Why a check failed.
#[derive(Debug)]
pub(super) struct Why(pub(super) String);

/// What a check says.
pub(super) type Verdict = Result<(), Why>;

impl From<Fault> for Why {
    fn from(fault: Fault) -> Self {
        let cause = fault
            .source()
            .map(|cause| format!(": {cause}"))
            .unwrap_or_default();
        Self(format!("{:?}, {fault}{cause}", fault.kind))
    }
}

impl From<NotAKey> for Why {
    fn from(error: NotAKey) -> Self {
        Self(error.to_string())
    }
}

/// Fails with `why` unless it holds.
pub(super) fn ensure(holds: bool, why: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Why(why())) }
}

/// Fails unless the call failed with this kind.
pub(super) fn ensure_fault<T>(call: Result<T, Fault>, kind: FaultKind, what: &str) -> Verdict {
    match call {
        Err(fault) if fault.kind == kind => Ok(()),
        Err(fault) => Err(Why(format!(
            "{what}: {:?} instead of {kind:?} ({fault})",
            fault.kind
        ))),
        Ok(_) => Err(Why(format!("{what}: no fault instead of {kind:?}"))),
    }
}

/// Bytes that differ from place to place and from seed to seed.
pub(super) fn sample(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..size).map(|_| next()).collect()
}

/// A sink being checked.
pub(super) struct Bench {
    pub(super) sink: Arc<dyn StorageSink>,
    pub(super) prefix: String,
    pub(super) cx: Context,
}

impl Bench {
    pub(super) fn new(sink: Arc<dyn StorageSink>) -> Self {
        let prefix = format!("conformance/{}/", Uuid::new_v4().simple());
        Self {
            sink,
            prefix,
            cx: Context::quiet(),
        }
    }

    pub(super) fn prepare(&self) -> Verdict {
        Ok(self.sink.probe(&self.cx).map(drop)?)
    }

    pub(super) fn clean(&self) -> Verdict {
        for object in self.sink.list(&self.prefix, &self.cx)? {
            self.sink.delete(&object.key, &self.cx)?;
        }
        Ok(())
    }

    pub(super) fn key(&self, name: &str) -> Result<ObjectKey, Why> {
        Ok(ObjectKey::parse(format!("{}{name}", self.prefix))?)
    }

    pub(super) fn put(&self, key: &ObjectKey, bytes: &[u8]) -> Result<ObjectInfo, Fault> {
        self.sink.put(key, &mut Source::whole(bytes), &self.cx)
    }

    pub(super) fn get(&self, key: &ObjectKey, range: Option<Range<u64>>) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        self.sink.get(key, range, &mut bytes, &self.cx)?;
        Ok(bytes)
    }

    /// What the object's own file holds, where the sink has one.
    fn file(&self, key: &ObjectKey) -> Result<Option<Vec<u8>>, Why> {
        let read = |mut file: File| {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map(|_| bytes)
        };
        let file = self.sink.file(key, &self.cx)?;
        file.map(read)
            .transpose()
            .map_err(|error| Why(format!("the file of {key}: {error}")))
    }

    /// Fails unless the object is exactly these bytes, by head, by get and by its own file.
    pub(super) fn ensure_object(&self, key: &ObjectKey, bytes: &[u8]) -> Verdict {
        let size_bytes = self.sink.head(key, &self.cx)?.size_bytes;
        ensure(size_bytes == bytes.len() as u64, || {
            format!("head says {size_bytes} of {} bytes of {key}", bytes.len())
        })?;
        ensure(self.get(key, None)? == bytes, || {
            format!("{key} holds other bytes")
        })?;
        ensure(self.file(key)?.is_none_or(|file| file == bytes), || {
            format!("the file of {key} holds other bytes")
        })
    }

    /// Fails if anything shows under a key.
    pub(super) fn ensure_absent(&self, key: &ObjectKey) -> Verdict {
        ensure_fault(self.sink.head(key, &self.cx), FaultKind::NotFound, "head")?;
        ensure_fault(self.get(key, None), FaultKind::NotFound, "get")?;
        match self.sink.file(key, &self.cx) {
            Ok(None) => {}
            opened => ensure_fault(opened, FaultKind::NotFound, "file")?,
        }
        let listed = self.sink.list(key.as_str(), &self.cx)?;
        ensure(listed.is_empty(), || format!("{key} is listed"))
    }
}

/// A source that may be slow, break, lie about its size, or interrupt the run.
pub(super) struct Source<'a> {
    bytes: &'a [u8],
    promised: u64,
    step: usize,
    breaks_at: Option<u64>,
    interrupts: Option<Interrupt>,
    given: u64,
}

impl<'a> Source<'a> {
    pub(super) fn whole(bytes: &'a [u8]) -> Self {
        let promised = bytes.len() as u64;
        Self {
            bytes,
            promised,
            step: usize::MAX,
            breaks_at: None,
            interrupts: None,
            given: 0,
        }
    }

    pub(super) fn in_steps(self, step: usize) -> Self {
        Self { step, ..self }
    }

    pub(super) fn breaking_at(self, at: u64) -> Self {
        Self {
            breaks_at: Some(at),
            ..self
        }
    }

    pub(super) fn promising(self, promised: u64) -> Self {
        Self { promised, ..self }
    }

    pub(super) fn interrupting(self, interrupt: Interrupt) -> Self {
        Self {
            interrupts: Some(interrupt),
            ..self
        }
    }
}

impl Read for Source<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut limit = out.len().min(self.step);
        if let Some(at) = self.breaks_at {
            if self.given >= at {
                return Err(io::Error::other("a planned break"));
            }
            limit = limit.min((at - self.given) as usize);
        }
        if let Some(interrupt) = &self.interrupts {
            interrupt.set();
        }
        let got = self.bytes.read(&mut out[..limit])?;
        self.given += got as u64;
        Ok(got)
    }
}

impl PutSource for Source<'_> {
    fn size_bytes(&self) -> u64 {
        self.promised
    }
}
