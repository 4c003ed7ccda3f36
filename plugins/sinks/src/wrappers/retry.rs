//! Tries again what failed for a reason that may pass.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{
    Context, Fault, FaultKind, ObjectInfo, PutSource, SinkLimits, StorageSink,
};
use uuid::Uuid;

use super::wait_until;

/// How often, and after which waits.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    /// Most tries of one call, the first included.
    pub tries: u32,
    /// Longest wait before the second try; doubled before each further one.
    pub first_wait: Duration,
    /// No wait is longer.
    pub longest_wait: Duration,
}

impl Retries {
    /// So many tries, with waits that suit a server which is restarted.
    pub fn of(tries: u32) -> Self {
        Self {
            tries,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(30),
        }
    }

    /// A random part of the longest wait after the `failed`-th try: many clients that lost one server
    /// must not come back together.
    fn wait(&self, failed: u32) -> Duration {
        let doubled = self.first_wait.saturating_mul(1 << failed.min(16));
        let (random, _) = Uuid::new_v4().as_u64_pair();
        let share = (random >> 32) as f64 / f64::from(u32::MAX);
        (doubled / 2).min(self.longest_wait).mul_f64(share)
    }
}

/// A sink whose calls are tried again.
pub struct Retrying {
    inner: Arc<dyn StorageSink>,
    retries: Retries,
}

impl Retrying {
    /// Tries the calls of `inner` again.
    pub fn new(inner: Arc<dyn StorageSink>, retries: Retries) -> Self {
        Self { inner, retries }
    }

    /// Calls until it succeeds, fails for good, or was tried often enough.
    fn again<T>(
        &self,
        cx: &Context,
        mut call: impl FnMut() -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut failed = 0;
        loop {
            match call() {
                Ok(value) => return Ok(value),
                Err(fault) => self.pause_after(fault, &mut failed, true, cx)?,
            }
        }
    }

    /// Waits before the next try; where there is to be none, the fault is the answer.
    fn pause_after(
        &self,
        fault: Fault,
        failed: &mut u32,
        can_again: bool,
        cx: &Context,
    ) -> Result<(), Fault> {
        *failed += 1;
        let may_pass = fault.kind == FaultKind::Unavailable;
        if !may_pass || *failed >= self.retries.tries || !can_again {
            return Err(fault);
        }
        tracing::debug!(sink = self.name(), %fault, failed, "tried again");
        wait_until(Instant::now() + self.retries.wait(*failed), cx)
    }
}

impl StorageSink for Retrying {
    fn name(&self) -> &str {
        self.inner.name()
    }

    /// Not tried again: who asks wants to know how it is now.
    fn probe(&self, cx: &Context) -> Result<SinkLimits, Fault> {
        self.inner.probe(cx)
    }

    /// An answer that was lost is found by the next try as [`FaultKind::Exists`].
    fn put(
        &self,
        key: &ObjectKey,
        source: &mut dyn PutSource,
        cx: &Context,
    ) -> Result<ObjectInfo, Fault> {
        let mut failed = 0;
        loop {
            match self.inner.put(key, source, cx) {
                Ok(info) => return Ok(info),
                Err(fault) => {
                    let can_again = source.rewind();
                    self.pause_after(fault, &mut failed, can_again, cx)?;
                }
            }
        }
    }

    /// Goes on behind the last byte that arrived.
    fn get(
        &self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
        into: &mut (dyn Write + Send),
        cx: &Context,
    ) -> Result<(), Fault> {
        let mut taken = Taken {
            into,
            bytes: 0,
            failed: false,
        };
        let mut failed = 0;
        loop {
            let rest_of = match (&range, taken.bytes) {
                (range, 0) => range.clone(),
                (Some(range), bytes) => Some(range.start + bytes..range.end),
                (None, bytes) => Some(bytes..self.head(key, cx)?.size_bytes),
            };
            match self.inner.get(key, rest_of, &mut taken, cx) {
                Ok(()) => return Ok(()),
                Err(fault) => self.pause_after(fault, &mut failed, !taken.failed, cx)?,
            }
        }
    }

    /// What fails while it is read is asked for in another way.
    fn file(&self, key: &ObjectKey, cx: &Context) -> Result<Option<File>, Fault> {
        self.again(cx, || self.inner.file(key, cx))
    }

    fn head(&self, key: &ObjectKey, cx: &Context) -> Result<ObjectInfo, Fault> {
        self.again(cx, || self.inner.head(key, cx))
    }

    fn list(&self, prefix: &str, cx: &Context) -> Result<Vec<ObjectInfo>, Fault> {
        self.again(cx, || self.inner.list(prefix, cx))
    }

    fn delete(&self, key: &ObjectKey, cx: &Context) -> Result<(), Fault> {
        self.again(cx, || self.inner.delete(key, cx))
    }

    fn sweep(&self, cx: &Context) -> Result<u64, Fault> {
        self.again(cx, || self.inner.sweep(cx))
    }

    fn locked_until(&self, key: &ObjectKey, cx: &Context) -> Result<Option<DateTime<Utc>>, Fault> {
        self.again(cx, || self.inner.locked_until(key, cx))
    }

    fn lock_until(&self, key: &ObjectKey, until: DateTime<Utc>, cx: &Context) -> Result<(), Fault> {
        self.again(cx, || self.inner.lock_until(key, until, cx))
    }

    fn location(&self, key: &ObjectKey) -> String {
        self.inner.location(key)
    }
}

/// Knows how much arrived, and whether it was the destination that failed.
struct Taken<'a> {
    into: &'a mut (dyn Write + Send),
    bytes: u64,
    failed: bool,
}

impl Write for Taken<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.into.write(bytes).inspect_err(|_| self.failed = true)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush().inspect_err(|_| self.failed = true)
    }
}
