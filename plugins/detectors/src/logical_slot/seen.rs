//! Which transactions a snapshot sees. Pure.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use crate::slots::hex;

/// A snapshot as `txid_current_snapshot()` prints it: transaction ids that do not wrap around.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    text: String,
    /// Below it everything has ended.
    xmin: u64,
    /// From it on nothing had begun.
    xmax: u64,
    /// What was running in between; top-level transactions only.
    running: HashSet<u64>,
}

impl Seen {
    /// Reads `xmin:xmax:running,running`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let xmin = parts.next()?.parse().ok()?;
        let xmax = parts.next()?.parse().ok()?;
        let running = parts.next()?.split(',').filter(|xid| !xid.is_empty());
        let running = running.map(|xid| xid.parse().ok()).collect::<Option<_>>()?;
        Some(Self {
            text: text.to_owned(),
            xmin,
            xmax,
            running,
        })
    }

    /// Whether a transaction had ended. One that committed is visible then, and only then.
    pub fn ended(&self, xid: u64) -> bool {
        xid < self.xmin || (xid < self.xmax && !self.running.contains(&xid))
    }

    /// Whether everything below an id had ended. That something is not listed as running says
    /// nothing of ids from `xmax` on, which is the end of what has *completed*, not of what began.
    pub fn ended_all_before(&self, next: u64) -> bool {
        self.xmax >= next && self.running.iter().all(|xid| *xid >= next)
    }

    /// The id with its high half, of a transaction that began before this snapshot or within two
    /// thousand million of it: no other can have left a trace in the log.
    pub fn widen(&self, xid: u32) -> u64 {
        let low = self.xmax as u32;
        let ahead = xid.wrapping_sub(low) as i32;
        self.xmax.wrapping_add_signed(i64::from(ahead))
    }

    /// As the server printed it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Tells it from other snapshots, in few letters: each table's evidence holds it.
    pub fn hash(&self) -> String {
        let hash = Sha256::digest(&self.text);
        hex(&hash[..8])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Seen {
        Seen::parse(text).unwrap()
    }

    #[test]
    fn what_was_running_or_began_later_is_not_seen() {
        let snapshot = seen("10:20:10,15");
        for (xid, ended) in [(9, true), (10, false), (14, true), (15, false), (20, false)] {
            assert_eq!(snapshot.ended(xid), ended, "{xid}");
        }
        assert!(seen("10:10:").ended(9));
        for broken in ["", "1:2", "1:x:", "a:2:", "1:2:3;4"] {
            assert_eq!(Seen::parse(broken), None, "{broken}");
        }
    }

    #[test]
    fn what_began_and_is_not_listed_has_not_ended() {
        // 15 is running, too, and is not listed.
        assert!(!seen("10:12:10").ended_all_before(16));
        assert!(!seen("10:20:10").ended_all_before(16));
        assert!(seen("16:20:16").ended_all_before(16));
        assert!(seen("20:20:").ended_all_before(16));
        assert!(!seen("12:12:").ended_all_before(16));
    }

    #[test]
    fn ids_are_widened_on_both_sides_of_a_wrap() {
        let epoch = 1_u64 << 32;
        let after = seen(&format!("{0}:{0}:", 3 * epoch + 5));
        assert_eq!(after.widen(3), 3 * epoch + 3);
        assert_eq!(after.widen(u32::MAX - 1), 3 * epoch - 2);
        assert_eq!(after.widen(7), 3 * epoch + 7);
        let before = seen(&format!("{0}:{0}:", 3 * epoch - 2));
        assert_eq!(before.widen(4), 3 * epoch + 4);
    }
}
