//! Settings of the detectors.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much may be scanned, and how long may be waited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DetectorOptions {
    /// Candidates of fewer bytes altogether are all scanned: counters clear nothing.
    pub floor_bytes: u64,
    /// Longest wait for other sessions to report their counts.
    pub barrier_deadline_s: f64,
    /// Bytes of tables cleared by counters that are scanned all the same in each backup ...
    pub spot_check_bytes: u64,
    /// ... or this share of all tables' bytes, whichever is more.
    pub spot_check_fraction: f64,
    /// Connections that scan.
    pub workers: usize,
    /// Speed of a scan per connection, by which waiting and scanning are compared.
    pub scan_bytes_per_s: u64,
    /// Trust no single look at another session, nor the server's clock.
    pub strict_barrier: bool,
    /// Longest wait for a table somebody else has locked.
    pub lock_timeout_s: f64,
    /// Bytes of WAL that the slot may hold on the server; with more it is dropped.
    pub slot_max_bytes: u64,
    /// Make a slot also where the server itself sets no limit to what a slot holds.
    pub slot_allow_unlimited: bool,
    /// Longest wait for open transactions: for a slot to be made, and before each snapshot.
    pub slot_wait_s: f64,
    /// Whose slot it is, the same in each run: what is backed up to where. Not configured.
    #[serde(skip)]
    pub slot_owner: String,
    /// Changes that the server decodes at once. Not configured.
    #[serde(skip, default = "batch")]
    pub slot_batch: i32,
}

/// Tens of megabytes of text, which the server keeps on its disk.
fn batch() -> i32 {
    200_000
}

impl Default for DetectorOptions {
    fn default() -> Self {
        Self {
            floor_bytes: 64 << 20,
            barrier_deadline_s: 15.0,
            spot_check_bytes: 1 << 30,
            spot_check_fraction: 0.05,
            workers: 2,
            scan_bytes_per_s: 400_000_000,
            strict_barrier: false,
            lock_timeout_s: 3.0,
            slot_max_bytes: 8 << 30,
            slot_allow_unlimited: false,
            slot_wait_s: 10.0,
            slot_owner: String::new(),
            slot_batch: batch(),
        }
    }
}

impl DetectorOptions {
    /// Longest wait for other sessions.
    pub fn barrier_deadline(&self) -> Duration {
        seconds(self.barrier_deadline_s)
    }

    pub(crate) fn lock_timeout(&self) -> Duration {
        seconds(self.lock_timeout_s).max(Duration::from_millis(1))
    }

    /// Longest wait for open transactions; never none at all,
    /// which the server would take for no limit.
    pub(crate) fn slot_wait(&self) -> Duration {
        seconds(self.slot_wait_s).max(Duration::from_millis(1))
    }

    /// Bytes to be scanned in a backup whatever the counters say, of `total_bytes` in all tables.
    pub(crate) fn scan_budget(&self, total_bytes: u64) -> u64 {
        let share = (self.spot_check_fraction.clamp(0.0, 1.0) * total_bytes as f64) as u64;
        self.floor_bytes.max(self.spot_check_bytes).max(share)
    }

    /// How long scanning `bytes` will take.
    pub(crate) fn scan_time(&self, bytes: u64) -> Duration {
        let speed = self.scan_bytes_per_s.max(1) as f64 * self.workers.max(1) as f64;
        seconds(bytes as f64 / speed)
    }
}

/// A day at most: durations from a configuration must not overflow.
fn seconds(text: f64) -> Duration {
    Duration::try_from_secs_f64(text.clamp(0.0, 86_400.0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_left_out_have_defaults_and_unknown_ones_are_refused() {
        let options: DetectorOptions = serde_json::from_str(r#"{"floor_bytes": 7}"#).unwrap();
        assert_eq!(
            options,
            DetectorOptions {
                floor_bytes: 7,
                ..Default::default()
            }
        );
        assert!(serde_json::from_str::<DetectorOptions>(r#"{"floor": 7}"#).is_err());
    }

    #[test]
    fn the_scan_budget_is_the_largest_of_its_three_parts() {
        let mut options = DetectorOptions {
            spot_check_bytes: 10,
            floor_bytes: 20,
            ..Default::default()
        };
        assert_eq!(options.scan_budget(100), 20);
        assert_eq!(options.scan_budget(1000), 50);
        options.spot_check_bytes = 60;
        assert_eq!(options.scan_budget(1000), 60);
    }
}
