//! Storage: where the objects of a backup lie.

use std::fs::File;
use std::io::{Read, Write};
use std::ops::Range;
use std::path::Path;

use chrono::{DateTime, Utc};
use respaldo_domain::object::ObjectKey;

use super::{Context, Fault};

/// Keeps objects. An object is complete or not there: nothing half is ever visible under a key.
pub trait StorageSink: Send + Sync {
    /// Name in the configuration.
    fn name(&self) -> &str;

    /// Reaches the store with these credentials and says what it can do.
    fn probe(&self, cx: &Context) -> Result<SinkLimits, Fault>;

    /// Stores the source to its end under `key`. Ok means durable and visible; on an error,
    /// cancellation or crash the key shows what it showed before. Fails with
    /// [`super::FaultKind::Exists`] where the key is taken.
    fn put(
        &self,
        key: &ObjectKey,
        source: &mut dyn PutSource,
        cx: &Context,
    ) -> Result<ObjectInfo, Fault>;

    /// Writes the bytes of `range` (all when `None`) to `into`. [`super::FaultKind::NotFound`]
    /// before the first byte; [`super::FaultKind::Corrupt`] when the object ends before the range.
    fn get(
        &self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
        into: &mut (dyn Write + Send),
        cx: &Context,
    ) -> Result<(), Fault>;

    /// The object's own file, opened to be read, where it lies on this machine and reading it passes
    /// by nothing that this sink does on the way; `None` asks for [`Self::get`].
    fn file(&self, _key: &ObjectKey, _cx: &Context) -> Result<Option<File>, Fault> {
        Ok(None)
    }

    /// Size of an object, or [`super::FaultKind::NotFound`].
    fn head(&self, key: &ObjectKey, cx: &Context) -> Result<ObjectInfo, Fault>;

    /// Every object whose key starts with `prefix`, each once, in the order of keys. Foreign files
    /// whose names are not keys are passed over.
    fn list(&self, prefix: &str, cx: &Context) -> Result<Vec<ObjectInfo>, Fault>;

    /// Removes an object; Ok where there is none.
    fn delete(&self, key: &ObjectKey, cx: &Context) -> Result<(), Fault>;

    /// Removes leftovers of our own interrupted puts; returns how many.
    fn sweep(&self, cx: &Context) -> Result<u64, Fault>;

    /// Until when the store refuses to delete an object, whoever asks; `None` where this sink locks
    /// nothing. [`super::FaultKind::NotFound`] where a sink that locks has no such object.
    fn locked_until(
        &self,
        _key: &ObjectKey,
        _cx: &Context,
    ) -> Result<Option<DateTime<Utc>>, Fault> {
        Ok(None)
    }

    /// Has the store refuse to delete an object at least until then: never a shorter time than
    /// before. Nothing is done where this sink locks nothing.
    fn lock_until(
        &self,
        _key: &ObjectKey,
        _until: DateTime<Utc>,
        _cx: &Context,
    ) -> Result<(), Fault> {
        Ok(())
    }

    /// Where an object is found by a person: an absolute path or an address.
    fn location(&self, key: &ObjectKey) -> String;
}

/// What is put: a stream of known size, that may lie in a file.
pub trait PutSource: Read + Send {
    /// Exact number of bytes the stream will give.
    fn size_bytes(&self) -> u64;

    /// A file holding exactly the stream, which a local sink may take over by renaming it.
    fn file(&self) -> Option<&Path> {
        None
    }

    /// Goes back to the first byte, so that a put may be tried again. False where it cannot.
    fn rewind(&mut self) -> bool {
        false
    }
}

impl PutSource for std::io::Cursor<Vec<u8>> {
    fn size_bytes(&self) -> u64 {
        self.get_ref().len() as u64
    }
}

/// An object that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its key.
    pub key: ObjectKey,
    /// Its size.
    pub size_bytes: u64,
}

/// What a sink can do; plans are checked against it before a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SinkLimits {
    /// Largest object it takes.
    pub max_object_bytes: Option<u64>,
    /// Room left, where it can tell.
    pub free_bytes: Option<u64>,
}
