//! No more bytes per second than a line should carry.

use std::io::{self, Read, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, Fault, ObjectInfo, PutSource, SinkLimits, StorageSink};
use respaldo_engine::store::io_of_fault;

use super::wait_until;

/// Bytes let through at once: small enough that a second is no burst.
const STEP_BYTES: usize = 64 * 1024;

/// A sink whose objects go both ways at a bounded rate, all calls together.
pub struct Paced {
    inner: Arc<dyn StorageSink>,
    line: Line,
}

/// A line that carries so many bytes per second.
struct Line {
    bytes_per_second: u64,
    /// When it has carried what was let through.
    free_at: Mutex<Instant>,
}

impl Paced {
    /// Lets at most so many bytes per second (at least one) through.
    pub fn new(inner: Arc<dyn StorageSink>, bytes_per_second: u64) -> Self {
        let line = Line {
            bytes_per_second: bytes_per_second.max(1),
            free_at: Mutex::new(Instant::now()),
        };
        Self { inner, line }
    }
}

impl Line {
    /// Waits until the line has carried what was let through before, then takes up so many bytes.
    fn carry(&self, bytes: usize, cx: &Context) -> Result<(), Fault> {
        let takes = Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64);
        let begins_at = {
            let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
            let begins_at = (*free_at).max(Instant::now());
            *free_at = begins_at + takes;
            begins_at
        };
        wait_until(begins_at, cx)
    }
}

impl StorageSink for Paced {
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
        let line = &self.line;
        self.inner
            .put(key, &mut PacedSource { source, line, cx }, cx)
    }

    fn get(
        &self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
        into: &mut (dyn Write + Send),
        cx: &Context,
    ) -> Result<(), Fault> {
        let line = &self.line;
        self.inner
            .get(key, range, &mut PacedWriter { into, line, cx }, cx)
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

/// Its file is kept to itself: a renamed file is not paced.
struct PacedSource<'a> {
    source: &'a mut dyn PutSource,
    line: &'a Line,
    cx: &'a Context,
}

impl Read for PacedSource<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = out.len().min(STEP_BYTES);
        let got = self.source.read(&mut out[..most])?;
        self.line.carry(got, self.cx).map_err(io_of_fault)?;
        Ok(got)
    }
}

impl PutSource for PacedSource<'_> {
    fn size_bytes(&self) -> u64 {
        self.source.size_bytes()
    }

    fn rewind(&mut self) -> bool {
        self.source.rewind()
    }
}

struct PacedWriter<'a> {
    into: &'a mut (dyn Write + Send),
    line: &'a Line,
    cx: &'a Context,
}

impl Write for PacedWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.into.write(&bytes[..bytes.len().min(STEP_BYTES)])?;
        self.line.carry(written, self.cx).map_err(io_of_fault)?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_up_for_as_long_as_its_bytes_need() {
        let line = Line {
            bytes_per_second: 1_000_000_000,
            free_at: Mutex::new(Instant::now()),
        };
        let begun = Instant::now();
        let cx = Context::quiet();
        for _ in 0..4 {
            line.carry(5_000_000, &cx).unwrap();
        }
        let free_at = *line.free_at.lock().unwrap();
        assert!(free_at >= begun + Duration::from_millis(20));
        // The fourth began when the first three were through.
        assert!(begun.elapsed() >= Duration::from_millis(15));
    }

    #[test]
    fn a_cancelled_run_does_not_wait_for_the_line() {
        let line = Line {
            bytes_per_second: 1,
            free_at: Mutex::new(Instant::now() + Duration::from_hours(1)),
        };
        let cx = Context::quiet();
        cx.interrupt().set();
        let fault = line.carry(1, &cx).unwrap_err();
        let travelled = respaldo_engine::store::fault_of_io("x", io_of_fault(fault));
        assert_eq!(travelled.kind, respaldo_engine::ports::FaultKind::Cancelled);
    }
}
