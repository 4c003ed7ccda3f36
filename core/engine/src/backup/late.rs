//! The base's readings, read on a thread of their own: in a large database they are megabytes, and the
//! server is asked other things meanwhile.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{Scope, ScopedJoinHandle};

use super::base::Base;
use super::joined;
use crate::parts::Parts;
use crate::ports::{BaseReading, Context, Fault, SourceTarget};

type Read = Result<Option<BaseReading>, Fault>;

/// Readings that are there or on their way.
pub(super) struct LateReading<'scope> {
    thread: Mutex<Option<ScopedJoinHandle<'scope, Read>>>,
    reading: OnceLock<Option<Arc<BaseReading>>>,
}

impl<'scope> LateReading<'scope> {
    /// Begins to read.
    pub(super) fn begin<'env>(
        threads: &'scope Scope<'scope, 'env>,
        parts: &'env Parts,
        base: &'env Base,
        target: &'env SourceTarget,
        cx: &'env Context,
    ) -> Self {
        let thread = threads.spawn(move || base.read_readings(parts, &target.facts, cx));
        Self {
            thread: Mutex::new(Some(thread)),
            reading: OnceLock::new(),
        }
    }

    /// They, once they are there; none for a full, and where they are gone: everything is dumped then.
    pub(super) fn get(&self) -> Result<Option<&Arc<BaseReading>>, Fault> {
        let mut coming = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = coming.take() {
            let reading = joined(thread, "reading the base's readings")?;
            let _ = self.reading.set(reading.map(Arc::new));
        }
        Ok(self.reading.get().and_then(Option::as_ref))
    }

    /// Gives them up, where they came.
    pub(super) fn take(&mut self) -> Option<Arc<BaseReading>> {
        self.reading.take().flatten()
    }
}
