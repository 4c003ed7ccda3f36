//! Tells without making anybody wait: each way has a thread and a queue of its own, so that one that
//! hangs holds up neither a backup nor the others.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use respaldo_domain::alert::Notice;
use respaldo_engine::ports::{Fault, Notifier};

/// Notices that wait for one way at most; it has been down for long then.
const QUEUE: usize = 256;

/// How often and after which pauses it is tried again.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    /// Tries in all.
    pub attempts: u32,
    /// Pause after the first; each next one is three times as long.
    pub first_pause: Duration,
}

impl Default for Retries {
    /// Eight tries in about 90 minutes.
    fn default() -> Self {
        Self {
            attempts: 8,
            first_pause: Duration::from_secs(5),
        }
    }
}

/// Tells every way it has.
pub struct Herald {
    ways: Vec<Way>,
}

struct Way {
    name: String,
    queue: SyncSender<Notice>,
    /// Closed to make pauses end.
    hurry: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Herald {
    /// One for these ways.
    pub fn new(notifiers: Vec<Arc<dyn Notifier>>, retries: Retries) -> Result<Self, Fault> {
        let ways = notifiers
            .into_iter()
            .map(|notifier| start(notifier, retries));
        Ok(Self {
            ways: ways.collect::<Result<_, _>>()?,
        })
    }

    /// Has it told, and returns at once.
    pub fn tell(&self, notice: &Notice) {
        for way in &self.ways {
            if let Err(TrySendError::Full(_)) = way.queue.try_send(notice.clone()) {
                tracing::error!(
                    way = way.name,
                    subject = notice.subject,
                    "not told: too much waits"
                );
            }
        }
    }

    /// Ends: what waits is still tried once, no longer than `limit` altogether.
    pub fn close(self, limit: Duration) {
        let end = Instant::now() + limit;
        let threads: Vec<(String, JoinHandle<()>)> = self
            .ways
            .into_iter()
            .map(|way| {
                drop((way.queue, way.hurry));
                (way.name, way.thread)
            })
            .collect();
        for (way, thread) in threads {
            while !thread.is_finished() && Instant::now() < end {
                thread::sleep(Duration::from_millis(20));
            }
            if !thread.is_finished() {
                tracing::warn!(way, "left without an answer");
            }
        }
    }
}

fn start(notifier: Arc<dyn Notifier>, retries: Retries) -> Result<Way, Fault> {
    let (queue, waiting) = mpsc::sync_channel(QUEUE);
    let (hurry, hurried) = mpsc::sync_channel(0);
    let name = notifier.name().to_owned();
    let thread = thread::Builder::new()
        .name(format!("respaldo-{name}"))
        .spawn(move || {
            for notice in waiting {
                deliver(&*notifier, &notice, retries, &hurried);
            }
        })
        .map_err(|error| Fault::io(format!("starting the thread of {name}"), error))?;
    Ok(Way {
        name,
        queue,
        hurry,
        thread,
    })
}

fn deliver(notifier: &dyn Notifier, notice: &Notice, retries: Retries, hurried: &Receiver<()>) {
    let way = notifier.name();
    let mut pause = retries.first_pause;
    for attempt in 1..=retries.attempts.max(1) {
        let Err(fault) = notifier.tell(notice) else {
            return;
        };
        let why = causes(&fault);
        let last = attempt >= retries.attempts || !fault.kind.is_transient();
        tracing::warn!(way, attempt, last, %why, "a notice was not taken");
        if last || hurried.recv_timeout(pause) == Err(RecvTimeoutError::Disconnected) {
            tracing::error!(way, subject = notice.subject, "not told");
            return;
        }
        pause *= 3;
    }
}

/// A fault and what it came from, in one line.
fn causes(fault: &Fault) -> String {
    let mut text = fault.to_string();
    let mut source = std::error::Error::source(fault);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
