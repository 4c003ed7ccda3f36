//! A sink in memory, for tests: it passes the same suite as the others, and can be tampered with.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{
    Context, Fault, FaultKind, ObjectInfo, PutSource, SinkLimits, StorageSink,
};
use respaldo_engine::store::fault_of_io;

/// Keeps objects in memory.
#[derive(Debug)]
pub struct MemorySink {
    name: String,
    objects: Mutex<BTreeMap<ObjectKey, Arc<Vec<u8>>>>,
    fetched: Mutex<Fetched>,
}

/// What was fetched of a sink.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Calls.
    pub calls: u64,
    /// Bytes they gave.
    pub bytes: u64,
}

impl MemorySink {
    /// An empty sink.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            objects: Mutex::default(),
            fetched: Mutex::default(),
        }
    }

    /// What was fetched since it was asked last.
    pub fn take_fetched(&self) -> Fetched {
        std::mem::take(&mut *self.fetched.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The bytes of an object.
    pub fn bytes(&self, key: &ObjectKey) -> Option<Vec<u8>> {
        self.lock().get(key).map(|bytes| bytes.to_vec())
    }

    /// Puts other bytes in the place of an object, as damage would.
    pub fn tamper(&self, key: &ObjectKey, bytes: Vec<u8>) {
        self.lock().insert(key.clone(), Arc::new(bytes));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, Arc<Vec<u8>>>> {
        // A test that panicked elsewhere leaves whole entries behind.
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, key: &ObjectKey) -> Result<Arc<Vec<u8>>, Fault> {
        let found = self.lock().get(key).cloned();
        found.ok_or_else(|| Fault::bare(FaultKind::NotFound, format!("there is no {key}")))
    }
}

impl StorageSink for MemorySink {
    fn name(&self) -> &str {
        &self.name
    }

    fn probe(&self, _cx: &Context) -> Result<SinkLimits, Fault> {
        Ok(SinkLimits::default())
    }

    fn put(
        &self,
        key: &ObjectKey,
        source: &mut dyn PutSource,
        cx: &Context,
    ) -> Result<ObjectInfo, Fault> {
        let exists = || Fault::bare(FaultKind::Exists, format!("{key} is there already"));
        if self.lock().contains_key(key) {
            return Err(exists());
        }
        let bytes = read_all(source, key, cx)?;
        let size_bytes = bytes.len() as u64;
        let mut objects = self.lock();
        if objects.contains_key(key) {
            return Err(exists());
        }
        objects.insert(key.clone(), Arc::new(bytes));
        Ok(ObjectInfo {
            key: key.clone(),
            size_bytes,
        })
    }

    fn get(
        &self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
        into: &mut (dyn Write + Send),
        cx: &Context,
    ) -> Result<(), Fault> {
        let bytes = self.find(key)?;
        cx.check()?;
        let range = range.unwrap_or(0..bytes.len() as u64);
        let part = bytes
            .get(range.start as usize..range.end as usize)
            .ok_or_else(|| {
                let subject = format!("{key} does not have bytes {} to {}", range.start, range.end);
                Fault::bare(FaultKind::Corrupt, subject)
            })?;
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        fetched.calls += 1;
        fetched.bytes += part.len() as u64;
        drop(fetched);
        into.write_all(part)
            .map_err(|error| fault_of_io(format!("hand out {key}"), error))
    }

    fn head(&self, key: &ObjectKey, _cx: &Context) -> Result<ObjectInfo, Fault> {
        let size_bytes = self.find(key)?.len() as u64;
        Ok(ObjectInfo {
            key: key.clone(),
            size_bytes,
        })
    }

    fn list(&self, prefix: &str, _cx: &Context) -> Result<Vec<ObjectInfo>, Fault> {
        let objects = self.lock();
        let listed = objects
            .iter()
            .filter(|(key, _)| key.as_str().starts_with(prefix));
        let info = |(key, bytes): (&ObjectKey, &Arc<Vec<u8>>)| ObjectInfo {
            key: key.clone(),
            size_bytes: bytes.len() as u64,
        };
        Ok(listed.map(info).collect())
    }

    fn delete(&self, key: &ObjectKey, _cx: &Context) -> Result<(), Fault> {
        self.lock().remove(key);
        Ok(())
    }

    fn sweep(&self, _cx: &Context) -> Result<u64, Fault> {
        Ok(0)
    }

    fn location(&self, key: &ObjectKey) -> String {
        format!("memory:{}/{key}", self.name)
    }
}

fn read_all(source: &mut dyn PutSource, key: &ObjectKey, cx: &Context) -> Result<Vec<u8>, Fault> {
    let size_bytes = source.size_bytes();
    let mut bytes = Vec::new();
    // One byte more than promised tells a source that goes on.
    let read = source
        .take(size_bytes.saturating_add(1))
        .read_to_end(&mut bytes);
    read.map_err(|error| fault_of_io(format!("read the source of {key}"), error))?;
    cx.check()?;
    if bytes.len() as u64 == size_bytes {
        return Ok(bytes);
    }
    let subject = format!("the source of {key} does not have the {size_bytes} bytes it promised");
    Err(Fault::bare(FaultKind::Corrupt, subject))
}
