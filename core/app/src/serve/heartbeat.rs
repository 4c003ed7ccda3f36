//! The heart: one cron job of tokio-cron-scheduler, in UTC, that only says "now". What is due is decided from
//! what was made, not from ticks: a tick that is lost or comes twice changes nothing.
//!
//! The job waits for an hour of the clock, and one that is put back keeps it waiting. So whoever holds the heart helps it
//! ([`Heart::help`]), by a clock that nobody sets.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio_cron_scheduler::{Job, JobScheduler};

/// It beats until this is dropped.
pub struct Heart {
    stop: Option<oneshot::Sender<()>>,
    every: Duration,
    beat: Arc<dyn Fn() + Send + Sync>,
    pulse: Pulse,
    /// Whether it was said that it needs help.
    complained: bool,
}

impl Heart {
    fn still(every: Duration, beat: impl Fn() + Send + Sync + 'static, now: Instant) -> Self {
        Self {
            stop: None,
            every,
            beat: Arc::new(beat),
            pulse: Pulse::felt_at(now),
            complained: false,
        }
    }

    /// Beats in its stead where two beats did not come.
    pub fn help(&mut self, now: Instant) {
        if !self.pulse.is_missed(now, self.every * 2) {
            return;
        }
        if !std::mem::replace(&mut self.complained, true) {
            tracing::warn!(
                "no beat came in time: was the clock put back? beats come from elsewhere"
            );
        }
        self.pulse.feel(now);
        (self.beat)();
    }
}

impl Drop for Heart {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // A heart that stopped by itself was told of.
            stop.send(()).ok();
        }
    }
}

/// When something was last heard of, by a clock that nobody sets.
#[derive(Debug, Clone)]
pub struct Pulse(Arc<Mutex<Instant>>);

impl Pulse {
    /// Felt now.
    pub fn felt_at(now: Instant) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    /// Felt again.
    pub fn feel(&self, now: Instant) {
        let mut last = self.lock();
        *last = now.max(*last);
    }

    /// Whether it was not felt for so long.
    pub fn is_missed(&self, now: Instant, within: Duration) -> bool {
        now.saturating_duration_since(*self.lock()) >= within
    }

    fn lock(&self) -> MutexGuard<'_, Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts it: `beat` is called every so many seconds of the clock, a divisor of 60.
pub fn start(every: Duration, beat: impl Fn() + Send + Sync + 'static) -> io::Result<Heart> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = oneshot::channel();
    let mut heart = Heart::still(every, beat, Instant::now());
    heart.stop = Some(stop);
    let (pulse, beat) = (heart.pulse.clone(), Arc::clone(&heart.beat));
    let felt = Arc::new(move || {
        pulse.feel(Instant::now());
        beat();
    });
    let schedule = format!("*/{} * * * * *", every.as_secs().clamp(1, 30));
    thread::Builder::new()
        .name("respaldo-heart".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                if let Err(error) = pump(&schedule, felt, stopped).await {
                    tracing::error!(%error, "the heartbeat cannot be scheduled");
                }
            });
        })?;
    Ok(heart)
}

async fn pump(
    schedule: &str,
    beat: Arc<impl Fn() + Send + Sync + 'static>,
    stopped: oneshot::Receiver<()>,
) -> Result<(), tokio_cron_scheduler::JobSchedulerError> {
    let mut scheduler = JobScheduler::new().await?;
    let job = Job::new_async(schedule, move |_, _| {
        let beat = Arc::clone(&beat);
        Box::pin(async move { beat() })
    })?;
    scheduler.add(job).await?;
    scheduler.start().await?;
    // The sender is dropped with the heart.
    stopped.await.ok();
    scheduler.shutdown().await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn beats_go_on_when_the_clock_is_put_back_and_are_not_doubled_while_they_come() {
        let (begin, every) = (Instant::now(), Duration::from_secs(15));
        let at = |seconds: u64| begin + Duration::from_secs(seconds);
        let beats = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&beats);
        let count = move || {
            counter.fetch_add(1, Ordering::SeqCst);
        };
        let mut heart = Heart::still(every, count, begin);
        heart.help(at(29));
        assert_eq!(beats.load(Ordering::SeqCst), 0, "it is only late");
        heart.help(at(30));
        heart.help(at(31));
        assert_eq!(beats.load(Ordering::SeqCst), 1);
        heart.help(at(60));
        assert_eq!(beats.load(Ordering::SeqCst), 2);
        // The clock has come to where it was: the heart beats again.
        heart.pulse.feel(at(75));
        heart.help(at(90));
        assert_eq!(beats.load(Ordering::SeqCst), 2);
    }
}
