//! Behaviour that any sink can be given: sinks around a sink, each of which passes the same suite.

mod limit;
mod pace;
mod retry;
mod verify;

use std::sync::Arc;
use std::time::{Duration, Instant};

use respaldo_engine::ports::{Context, Fault, StorageSink};

pub use limit::Limited;
pub use pace::Paced;
pub use retry::{Retries, Retrying};
pub use verify::Verified;

/// What is put around a sink.
#[derive(Debug, Clone, Default)]
pub struct Wrapping {
    /// How calls are tried again.
    pub retries: Option<Retries>,
    /// Most bytes per second, both ways together.
    pub max_rate_bytes: Option<u64>,
    /// Most calls at the same time.
    pub max_parallel: Option<u32>,
    /// Whether what was put is read back and compared.
    pub verify: bool,
}

impl Wrapping {
    /// The sink in its wrapping. A call that is tried again waits for its turn anew, and what is
    /// read back is paced as everything is.
    pub fn around(&self, sink: Arc<dyn StorageSink>) -> Arc<dyn StorageSink> {
        let mut sink = sink;
        if let Some(rate) = self.max_rate_bytes {
            sink = Arc::new(Paced::new(sink, rate));
        }
        if let Some(calls) = self.max_parallel {
            sink = Arc::new(Limited::new(sink, calls));
        }
        if let Some(retries) = self.retries {
            sink = Arc::new(Retrying::new(sink, retries));
        }
        if self.verify {
            sink = Arc::new(Verified::new(sink));
        }
        sink
    }
}

/// Sleeps, in slices short enough that a cancelled run ends.
fn wait_until(moment: Instant, cx: &Context) -> Result<(), Fault> {
    loop {
        cx.check()?;
        let left = moment.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(Duration::from_millis(100)));
    }
}
