//! How often something is tried, and how long to wait in between.

use std::time::Duration;

use respaldo_engine::ports::Fault;
use uuid::Uuid;

use super::answer::{Again, Trouble};

/// How often a request is sent before its trouble counts.
const TRIES: u32 = 5;
const FIRST_DELAY: Duration = Duration::from_millis(400);
/// Longest delay that a server may ask for.
const LONGEST_DELAY: Duration = Duration::from_mins(1);

/// The tries of one thing.
#[derive(Debug, Default)]
pub(super) struct Pace {
    failed: u32,
}

impl Pace {
    /// Something got on: the count begins anew.
    pub(super) fn reset(&mut self) {
        self.failed = 0;
    }

    /// Waits until the next try; or gives the fault back, when there is none.
    pub(super) async fn pause(&mut self, trouble: Trouble) -> Result<(), Fault> {
        let Again::After(asked) = trouble.again else {
            return Err(trouble.fault);
        };
        self.failed += 1;
        if self.failed >= TRIES {
            return Err(trouble.fault);
        }
        tokio::time::sleep(self.delay(asked)).await;
        Ok(())
    }

    /// At least what was asked for; otherwise twice as long each time, and never two clients in step.
    fn delay(&self, asked: Option<Duration>) -> Duration {
        let own = FIRST_DELAY * 2_u32.pow(self.failed - 1);
        let jitter = own.mul_f64(f64::from(Uuid::new_v4().as_bytes()[0]) / 512.0);
        asked.unwrap_or_default().min(LONGEST_DELAY).max(own) + jitter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_and_a_servers_wish_is_kept_up_to_a_minute() {
        let after = |failed, asked| Pace { failed }.delay(asked);
        assert!(after(1, None) >= FIRST_DELAY);
        assert!(after(4, None) >= FIRST_DELAY * 8);
        assert!(after(1, Some(Duration::from_secs(9))) >= Duration::from_secs(9));
        assert!(after(1, Some(Duration::from_hours(9))) < Duration::from_secs(61));
    }
}
