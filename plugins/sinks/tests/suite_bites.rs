//! The suite itself: a sink with a flaw does not pass.

use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{
    Context, Fault, FaultKind, ObjectInfo, PutSource, SinkLimits, StorageSink,
};
use respaldo_sinks::conformance;
use respaldo_sinks::memory::MemorySink;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    Overwrites,
    KeepsHalf,
    TrustsTheSize,
    IgnoresCancellation,
    IgnoresRanges,
    ListsBackwards,
    DeletesNeighbours,
    MissesOnDelete,
    ForgetsAtSweep,
    ShowsAnotherFile,
}

struct Flawed {
    inner: MemorySink,
    flaw: Flaw,
}

impl Flawed {
    fn put_badly(&self, key: &ObjectKey, source: &mut dyn PutSource) -> Result<ObjectInfo, Fault> {
        let mut bytes = Vec::new();
        let read = source.read_to_end(&mut bytes);
        if self.flaw == Flaw::KeepsHalf || read.is_ok() {
            self.inner.tamper(key, bytes.clone());
        }
        read.map_err(|error| Fault::io("read", error))?;
        Ok(ObjectInfo {
            key: key.clone(),
            size_bytes: bytes.len() as u64,
        })
    }
}

impl StorageSink for Flawed {
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
        match self.flaw {
            Flaw::Overwrites | Flaw::KeepsHalf | Flaw::TrustsTheSize => self.put_badly(key, source),
            Flaw::IgnoresCancellation => self.inner.put(key, source, &Context::quiet()),
            _ => self.inner.put(key, source, cx),
        }
    }

    fn get(
        &self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
        into: &mut (dyn Write + Send),
        cx: &Context,
    ) -> Result<(), Fault> {
        let range = range.filter(|_| self.flaw != Flaw::IgnoresRanges);
        self.inner.get(key, range, into, cx)
    }

    fn file(&self, _key: &ObjectKey, _cx: &Context) -> Result<Option<File>, Fault> {
        let opened = || File::open("/dev/null").map_err(|e| Fault::io("open", e));
        (self.flaw == Flaw::ShowsAnotherFile)
            .then(opened)
            .transpose()
    }

    fn head(&self, key: &ObjectKey, cx: &Context) -> Result<ObjectInfo, Fault> {
        self.inner.head(key, cx)
    }

    fn list(&self, prefix: &str, cx: &Context) -> Result<Vec<ObjectInfo>, Fault> {
        let mut listed = self.inner.list(prefix, cx)?;
        if self.flaw == Flaw::ListsBackwards {
            listed.reverse();
        }
        Ok(listed)
    }

    fn delete(&self, key: &ObjectKey, cx: &Context) -> Result<(), Fault> {
        match self.flaw {
            Flaw::MissesOnDelete => drop(self.inner.head(key, cx)?),
            Flaw::DeletesNeighbours => {
                for object in self.inner.list(key.as_str(), cx)? {
                    self.inner.delete(&object.key, cx)?;
                }
            }
            _ => {}
        }
        self.inner.delete(key, cx)
    }

    fn sweep(&self, cx: &Context) -> Result<u64, Fault> {
        if self.flaw != Flaw::ForgetsAtSweep {
            return Ok(0);
        }
        let objects = self.inner.list("", cx)?;
        objects
            .iter()
            .try_for_each(|object| self.inner.delete(&object.key, cx))?;
        Err(Fault::bare(FaultKind::Internal, "everything swept"))
    }

    fn location(&self, key: &ObjectKey) -> String {
        self.inner.location(key)
    }
}

#[test]
fn every_flaw_is_told() {
    let flaws = [
        Flaw::Overwrites,
        Flaw::KeepsHalf,
        Flaw::TrustsTheSize,
        Flaw::IgnoresCancellation,
        Flaw::IgnoresRanges,
        Flaw::ListsBackwards,
        Flaw::DeletesNeighbours,
        Flaw::MissesOnDelete,
        Flaw::ForgetsAtSweep,
        Flaw::ShowsAnotherFile,
    ];
    for flaw in flaws {
        let make = || {
            Arc::new(Flawed {
                inner: MemorySink::new("m"),
                flaw,
            }) as Arc<dyn StorageSink>
        };
        assert_ne!(conformance::run(&make), [], "{flaw:?}");
    }
}
