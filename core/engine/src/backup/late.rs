//! The base's readings, read on a thread of their own: in a large database they are megabytes, and the
//! server is asked other things meanwhile.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;
use std::thread::{Scope, ScopedJoinHandle};

use super::base::Base;
use crate::parts::Parts;
use crate::ports::{BaseReading, Context, Fault, FaultKind, SourceTarget};

type Read = Result<Option<BaseReading>, Fault>;

/// Readings that are there or on their way.
pub(super) struct LateReading<'scope> {
    thread: RefCell<Option<ScopedJoinHandle<'scope, Read>>>,
    reading: OnceCell<Option<Arc<BaseReading>>>,
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
            thread: RefCell::new(Some(thread)),
            reading: OnceCell::new(),
        }
    }

    /// They, once they are there; none for a full, and where they are gone: everything is dumped then.
    pub(super) fn get(&self) -> Result<Option<&Arc<BaseReading>>, Fault> {
        if let Some(thread) = self.thread.take() {
            let gone = |_| Err(Fault::bare(FaultKind::Internal, "a reading thread is gone"));
            let reading = thread.join().unwrap_or_else(gone)?;
            let _ = self.reading.set(reading.map(Arc::new));
        }
        Ok(self.reading.get().and_then(Option::as_ref))
    }
}
