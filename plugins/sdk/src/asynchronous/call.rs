//! One call: its future on the runtime, its pump on the host's thread.

use std::future::{Future, poll_fn};
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::error::{Error, Result, Status};
use crate::guard;
use crate::strategies::{Context, Level};

/// How often the host is asked whether to stop, and told what there is to tell.
const BEAT: Duration = Duration::from_millis(50);

/// What a future is given of its call: whom to tell how far it is. Whether to stop it need not ask.
#[derive(Debug, Clone, Default)]
pub struct Cx(Arc<Mutex<Said>>);

#[derive(Debug, Default)]
struct Said {
    progress: Option<(u64, u64)>,
    lines: Vec<(Level, String)>,
}

impl Cx {
    /// See [`Context::progress`].
    pub fn progress(&self, done: u64, total: u64) {
        self.said(|said| said.progress = Some((done, total)));
    }

    /// See [`Context::log`].
    pub fn log(&self, level: Level, message: &str) {
        self.said(|said| said.lines.push((level, message.to_owned())));
    }

    fn said<R>(&self, with: impl FnOnce(&mut Said) -> R) -> R {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn tell(&self, host: &dyn Context) {
        let said = self.said(std::mem::take);
        for (level, line) in said.lines {
            host.log(level, &line);
        }
        if let Some((done, total)) = said.progress {
            host.progress(done, total);
        }
    }
}

/// Runs a call that has no stream.
pub(super) fn plain<R, F>(
    runtime: &Runtime,
    host: &dyn Context,
    work: impl FnOnce(Cx) -> F,
) -> Result<R>
where
    R: Send + 'static,
    F: Future<Output = Result<R>> + Send + 'static,
{
    with(runtime, host, work, async { Ok(()) })
}

/// Runs a call with the pump of its stream. A pump that fails is the reason of the call's failure.
pub(super) fn with<R, F>(
    runtime: &Runtime,
    host: &dyn Context,
    work: impl FnOnce(Cx) -> F,
    pump: impl Future<Output = Result<()>>,
) -> Result<R>
where
    R: Send + 'static,
    F: Future<Output = Result<R>> + Send + 'static,
{
    let said = Cx::default();
    let task = runtime.spawn(guarded(work(said.clone())));
    let result = runtime.block_on(settled(task, pump, host, &said));
    said.tell(host);
    result
}

async fn settled<R>(
    mut task: JoinHandle<Result<R>>,
    pump: impl Future<Output = Result<()>>,
    host: &dyn Context,
    said: &Cx,
) -> Result<R> {
    let mut pump = pin!(pump);
    let mut pumped = None;
    let mut beat = interval_at(Instant::now(), BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let done = loop {
        tokio::select! {
            biased;
            _ = beat.tick() => {
                said.tell(host);
                if host.is_cancelled() {
                    task.abort();
                }
            }
            end = &mut pump, if pumped.is_none() => pumped = Some(end),
            done = &mut task => break done,
        }
    };
    let result = joined(done);
    let pumped = match pumped {
        Some(end) => end,
        // What the future wrote before it ended is still on its way; its end of the channel is closed.
        None if result.is_ok() => pump.await,
        None => Ok(()),
    };
    pumped.and(result)
}

fn joined<R>(done: std::result::Result<Result<R>, JoinError>) -> Result<R> {
    match done {
        Ok(result) => result,
        Err(error) if error.is_cancelled() => Err(Error::new(Status::Cancelled, "cancelled")),
        Err(error) => Err(guard::of_panic(error.into_panic())),
    }
}

/// A panic is noted by the thread that it happens on, so it is caught there.
async fn guarded<R>(work: impl Future<Output = Result<R>>) -> Result<R> {
    guard::watch();
    let mut work = pin!(work);
    poll_fn(|cx| {
        let polled = panic::catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx)));
        polled.unwrap_or_else(|payload| Poll::Ready(Err(guard::of_panic(payload))))
    })
    .await
}
