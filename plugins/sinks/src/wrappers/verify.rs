//! Reads back what was put.

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use respaldo_domain::object::{ObjectKey, Sha256};
use respaldo_engine::ports::{
    Context, Fault, FaultKind, ObjectInfo, PutSource, SinkLimits, StorageSink,
};
use respaldo_engine::store::{HashingReader, HashingWriter};

/// A sink that is believed only after it gave back what it was given.
pub struct Verified {
    inner: Arc<dyn StorageSink>,
}

impl Verified {
    /// Reads back what `inner` was given.
    pub fn new(inner: Arc<dyn StorageSink>) -> Self {
        Self { inner }
    }

    fn compare(&self, key: &ObjectKey, given: (Sha256, u64), cx: &Context) -> Result<(), Fault> {
        let mut hash = HashingWriter::default();
        self.inner.get(key, None, &mut hash, cx)?;
        if hash.finish() == given {
            return Ok(());
        }
        let subject = format!(
            "{} gives back other bytes than it was given as {key}",
            self.name()
        );
        Err(Fault::bare(FaultKind::Corrupt, subject))
    }
}

impl StorageSink for Verified {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn probe(&self, cx: &Context) -> Result<SinkLimits, Fault> {
        self.inner.probe(cx)
    }

    /// An object that does not come back as it was given is removed again.
    fn put(
        &self,
        key: &ObjectKey,
        source: &mut dyn PutSource,
        cx: &Context,
    ) -> Result<ObjectInfo, Fault> {
        let mut seen = Seen {
            reader: HashingReader::new(source),
        };
        let info = self.inner.put(key, &mut seen, cx)?;
        match self.compare(key, seen.reader.finish(), cx) {
            Ok(()) => Ok(info),
            Err(fault) => {
                // Of the two faults the first one tells more.
                let _ = self.inner.delete(key, &Context::quiet());
                Err(fault)
            }
        }
    }

    fn get(
        &self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
        into: &mut (dyn Write + Send),
        cx: &Context,
    ) -> Result<(), Fault> {
        self.inner.get(key, range, into, cx)
    }

    fn file(&self, key: &ObjectKey, cx: &Context) -> Result<Option<File>, Fault> {
        self.inner.file(key, cx)
    }

    fn head(&self, key: &ObjectKey, cx: &Context) -> Result<ObjectInfo, Fault> {
        self.inner.head(key, cx)
    }

    fn list(&self, prefix: &str, cx: &Context) -> Result<Vec<ObjectInfo>, Fault> {
        self.inner.list(prefix, cx)
    }

    fn delete(&self, key: &ObjectKey, cx: &Context) -> Result<(), Fault> {
        self.inner.delete(key, cx)
    }

    fn sweep(&self, cx: &Context) -> Result<u64, Fault> {
        self.inner.sweep(cx)
    }

    fn locked_until(&self, key: &ObjectKey, cx: &Context) -> Result<Option<DateTime<Utc>>, Fault> {
        self.inner.locked_until(key, cx)
    }

    fn lock_until(&self, key: &ObjectKey, until: DateTime<Utc>, cx: &Context) -> Result<(), Fault> {
        self.inner.lock_until(key, until, cx)
    }

    fn location(&self, key: &ObjectKey) -> String {
        self.inner.location(key)
    }
}

/// Hashes what the sink reads. Its file is kept to itself: the bytes must pass here.
struct Seen<'a> {
    reader: HashingReader<&'a mut dyn PutSource>,
}

impl Read for Seen<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.reader.read(out)
    }
}

impl PutSource for Seen<'_> {
    fn size_bytes(&self) -> u64 {
        self.reader.inner().size_bytes()
    }

    fn rewind(&mut self) -> bool {
        self.reader.rewind_with(|source| source.rewind())
    }
}
