//! The heart: one cron job of tokio-cron-scheduler, in UTC, that only says "now". What is due is decided from
//! what was made, not from ticks: a tick that is lost or comes twice changes nothing.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio_cron_scheduler::{Job, JobScheduler};

/// It beats until this is dropped.
pub struct Heart {
    stop: Option<oneshot::Sender<()>>,
}

impl Drop for Heart {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // A heart that stopped by itself was told of.
            stop.send(()).ok();
        }
    }
}

/// Starts it: `beat` is called every so many seconds of the clock, a divisor of 60.
pub fn start(every: Duration, beat: impl Fn() + Send + Sync + 'static) -> io::Result<Heart> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = oneshot::channel();
    let beat = Arc::new(beat);
    let schedule = format!("*/{} * * * * *", every.as_secs().clamp(1, 30));
    thread::Builder::new()
        .name("respaldo-heart".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                if let Err(error) = pump(&schedule, beat, stopped).await {
                    tracing::error!(%error, "the heartbeat cannot be scheduled");
                }
            });
        })?;
    Ok(Heart { stop: Some(stop) })
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
