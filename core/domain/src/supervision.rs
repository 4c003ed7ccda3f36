//! Which service makes the backups, and when what failed is tried again. Pure: `now` is given.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Who makes backups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum EngineState {
    /// The engine.
    Professional,
    /// The fallback: the engine could not be started.
    Legacy {
        /// Why.
        reason: String,
    },
    /// Nobody can: the engine could not be started, and the fallback could not make what was due, or could not were it due.
    Stopped {
        /// Why.
        reason: String,
    },
}

impl EngineState {
    /// Why it is not the engine.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Professional => None,
            Self::Legacy { reason } | Self::Stopped { reason } => Some(reason),
        }
    }
}

/// Waits between tries: doubled from the first to the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// After the first failure.
    pub first: TimeDelta,
    /// Never longer than this.
    pub longest: TimeDelta,
}

/// When something that failed is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retry {
    failures: u32,
    failed_at: Option<DateTime<Utc>>,
}

impl Retry {
    /// Notes a failure.
    pub fn failed(&mut self, now: DateTime<Utc>) {
        self.failures = self.failures.saturating_add(1);
        self.failed_at = Some(now);
    }

    /// Failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether it may be tried now. A clock that was set back makes nobody wait longer than a whole wait.
    pub fn is_due(&self, now: DateTime<Utc>, waits: Waits) -> bool {
        let Some(failed_at) = self.failed_at else {
            return true;
        };
        let wait = self.wait(waits);
        now >= failed_at + wait || now < failed_at - wait
    }

    fn wait(&self, waits: Waits) -> TimeDelta {
        let doublings = self.failures.saturating_sub(1).min(20);
        let wait = waits.first.checked_mul(1 << doublings);
        wait.map_or(waits.longest, |wait| wait.min(waits.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITS: Waits = Waits {
        first: TimeDelta::seconds(30),
        longest: TimeDelta::seconds(300),
    };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap_or_default()
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut retry = Retry::default();
        assert!(retry.is_due(at(0), WAITS));
        let mut now = 0;
        for wait in [30, 60, 120, 240, 300, 300] {
            retry.failed(at(now));
            assert!(!retry.is_due(at(now + wait - 1), WAITS), "{wait}");
            assert!(retry.is_due(at(now + wait), WAITS), "{wait}");
            now += wait;
        }
        assert_eq!(retry.failures(), 6);
    }

    #[test]
    fn a_clock_that_was_set_back_a_day_does_not_make_it_wait_a_day() {
        let mut retry = Retry::default();
        retry.failed(at(0));
        assert!(!retry.is_due(at(-10), WAITS));
        assert!(retry.is_due(at(-86_400), WAITS));
    }

    #[test]
    fn a_long_row_of_failures_overflows_nothing() {
        let mut retry = Retry::default();
        for _ in 0..100 {
            retry.failed(at(0));
        }
        assert!(retry.is_due(at(300), WAITS) && !retry.is_due(at(299), WAITS));
    }
}
