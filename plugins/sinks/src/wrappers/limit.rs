//! No more calls at the same time than a store likes.

use std::io::Write;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, Fault, ObjectInfo, PutSource, SinkLimits, StorageSink};

/// A sink with a limit of calls at the same time; further ones wait for their turn.
pub struct Limited {
    inner: Arc<dyn StorageSink>,
    free: Mutex<u32>,
    freed: Condvar,
}

/// A turn, given back when dropped.
struct Turn<'a>(&'a Limited);

impl Limited {
    /// Lets at most `calls` (at least one) go on at the same time.
    pub fn new(inner: Arc<dyn StorageSink>, calls: u32) -> Self {
        Self {
            inner,
            free: Mutex::new(calls.max(1)),
            freed: Condvar::new(),
        }
    }

    fn turn(&self, cx: &Context) -> Result<Turn<'_>, Fault> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            cx.check()?;
            let waited = self.freed.wait_timeout(free, Duration::from_millis(100));
            free = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *free -= 1;
        Ok(Turn(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let free = self.0.free.lock();
        *free.unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}

impl StorageSink for Limited {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn probe(&self, cx: &Context) -> Result<SinkLimits, Fault> {
        let _turn = self.turn(cx)?;
        self.inner.probe(cx)
    }

    fn put(
        &self,
        key: &ObjectKey,
        source: &mut dyn PutSource,
        cx: &Context,
    ) -> Result<ObjectInfo, Fault> {
        let _turn = self.turn(cx)?;
        self.inner.put(key, source, cx)
    }

    fn get(
        &self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
        into: &mut (dyn Write + Send),
        cx: &Context,
    ) -> Result<(), Fault> {
        let _turn = self.turn(cx)?;
        self.inner.get(key, range, into, cx)
    }

    fn head(&self, key: &ObjectKey, cx: &Context) -> Result<ObjectInfo, Fault> {
        let _turn = self.turn(cx)?;
        self.inner.head(key, cx)
    }

    fn list(&self, prefix: &str, cx: &Context) -> Result<Vec<ObjectInfo>, Fault> {
        let _turn = self.turn(cx)?;
        self.inner.list(prefix, cx)
    }

    fn delete(&self, key: &ObjectKey, cx: &Context) -> Result<(), Fault> {
        let _turn = self.turn(cx)?;
        self.inner.delete(key, cx)
    }

    fn sweep(&self, cx: &Context) -> Result<u64, Fault> {
        let _turn = self.turn(cx)?;
        self.inner.sweep(cx)
    }

    fn locked_until(&self, key: &ObjectKey, cx: &Context) -> Result<Option<DateTime<Utc>>, Fault> {
        let _turn = self.turn(cx)?;
        self.inner.locked_until(key, cx)
    }

    fn lock_until(&self, key: &ObjectKey, until: DateTime<Utc>, cx: &Context) -> Result<(), Fault> {
        let _turn = self.turn(cx)?;
        self.inner.lock_until(key, until, cx)
    }

    fn location(&self, key: &ObjectKey) -> String {
        self.inner.location(key)
    }
}
