//! What the attempts so far teach the next one.

use std::time::Duration;

use crate::parts::Parts;

/// Attempts that came to nothing so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tries {
    /// DDL came between.
    pub(super) overtaken: u32,
    /// Somebody waited for a lock.
    pub(super) yielded: u32,
}

impl Tries {
    /// Whether locks are kept from now on, whoever waits for them.
    pub(super) fn hold(self, parts: &Parts) -> bool {
        self.yielded >= parts.settings.yields
    }

    /// Whether to lock before looking at the tables: that takes long in a large database, and
    /// where DDL is frequent one snapshot after the other would be overtaken meanwhile.
    pub(super) fn locks_first(self, parts: &Parts) -> bool {
        self.overtaken > 0 && self.overtaken >= parts.settings.snapshot_attempts / 2
    }

    /// Whether this is not the first attempt.
    pub(super) fn is_repeated(self) -> bool {
        self.overtaken + self.yielded > 0
    }

    /// How long to wait before the next.
    pub(super) fn pause(self) -> Duration {
        Duration::from_millis(200 * u64::from(self.overtaken + self.yielded).min(10))
    }
}
