//! How many runs are at work at once, over all databases that one process looks after.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::ports::{Context, Interrupt};

/// How often who waits looks whether it is to stop.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A number of slots; clones share them. The default has one for everybody.
#[derive(Clone, Default)]
pub struct Slots(Option<Arc<Shared>>);

struct Shared {
    free: Mutex<usize>,
    freed: Condvar,
}

/// A slot that is taken, until dropped.
pub struct Slot(Option<Arc<Shared>>);

impl Slots {
    /// So many, at least one.
    pub fn new(count: usize) -> Self {
        Self(Some(Arc::new(Shared {
            free: Mutex::new(count.max(1)),
            freed: Condvar::new(),
        })))
    }

    /// Waits for a slot; `None` where nothing is to begin any more.
    pub fn take(&self, closing: &Interrupt, cx: &Context) -> Option<Slot> {
        let Some(shared) = &self.0 else {
            return Some(Slot(None));
        };
        let mut free = shared.lock();
        while *free == 0 {
            if closing.is_set() || cx.interrupt().is_set() {
                return None;
            }
            let waited = shared.freed.wait_timeout(free, LOOK_EVERY);
            free = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *free -= 1;
        Some(Slot(Some(Arc::clone(shared))))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(shared) = &self.0 {
            *shared.lock() += 1;
            shared.freed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn never_more_than_there_are_slots_are_at_work() {
        let (slots, at_work) = (Slots::new(2), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| {
                    let slot = slots.take(&Interrupt::default(), &Context::quiet());
                    assert!(at_work.fetch_add(1, Ordering::SeqCst) < 2);
                    thread::sleep(Duration::from_millis(5));
                    at_work.fetch_sub(1, Ordering::SeqCst);
                    drop(slot);
                });
            }
        });
    }

    #[test]
    fn who_waits_for_a_slot_can_be_stopped() {
        let slots = Slots::new(1);
        let _taken = slots.take(&Interrupt::default(), &Context::quiet());
        let closing = Interrupt::default();
        closing.set();
        assert!(slots.take(&closing, &Context::quiet()).is_none());
    }
}
