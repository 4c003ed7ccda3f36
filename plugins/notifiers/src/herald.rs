//! Tells without making anybody wait: each way has a thread and an outbox of its own, so that one that
//! hangs holds up neither a backup nor the others.
//!
//! Within a way a notice that is not taken holds up only what is of one thing with it: the end of an alarm is
//! told after its beginning. An alarm is tried until it is taken; a ping only for a while, and no longer once
//! there is a newer one. What is refused for good is offered again by the next process.

mod outbox;

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use respaldo_domain::alert::Notice;
use respaldo_engine::ports::{Fault, Notifier};

use outbox::{Answer, Outbox};

/// How often and after which pauses it is tried again.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    /// Tries of a ping in all. An alarm is tried until it is taken.
    pub attempts: u32,
    /// Pause after the first; each next one is three times as long.
    pub first_pause: Duration,
    /// No pause is longer.
    pub longest_pause: Duration,
}

impl Default for Retries {
    /// Eight tries of a ping in about 90 minutes; then an alarm every half an hour.
    fn default() -> Self {
        Self {
            attempts: 8,
            first_pause: Duration::from_secs(5),
            longest_pause: Duration::from_mins(30),
        }
    }
}

impl Retries {
    fn pause_after(&self, attempts: u32) -> Duration {
        let factor = 3_u32.saturating_pow(attempts.saturating_sub(1));
        self.first_pause
            .saturating_mul(factor)
            .min(self.longest_pause)
    }
}

/// Hears that a notice is owed to a way no more: it was taken, or was given up.
pub type Settled = Arc<dyn Fn(&str, &Notice) + Send + Sync>;

/// Tells every way it has.
pub struct Herald {
    ways: Vec<Way>,
}

struct Way {
    name: String,
    outbox: Arc<Outbox>,
    thread: JoinHandle<()>,
}

impl Herald {
    /// One for these ways.
    pub fn new(
        notifiers: Vec<Arc<dyn Notifier>>,
        retries: Retries,
        settled: &Settled,
    ) -> Result<Self, Fault> {
        let ways = notifiers
            .into_iter()
            .map(|notifier| start(notifier, retries, Arc::clone(settled)));
        Ok(Self {
            ways: ways.collect::<Result<_, _>>()?,
        })
    }

    /// The names of its ways.
    pub fn names(&self) -> Vec<String> {
        self.ways.iter().map(|way| way.name.clone()).collect()
    }

    /// Has it told in every way, and returns at once.
    pub fn tell(&self, notice: &Notice) {
        for way in &self.ways {
            way.outbox.add(notice.clone());
        }
    }

    /// Has it told in one way.
    pub fn tell_one(&self, name: &str, notice: &Notice) {
        for way in self.ways.iter().filter(|way| way.name == name) {
            way.outbox.add(notice.clone());
        }
    }

    /// Leaves everything that waits to somebody else.
    pub fn forget(&self) {
        for way in &self.ways {
            way.outbox.clear();
        }
    }

    /// Ends: what was never tried is tried once, no longer than `limit` altogether.
    pub fn close(self, limit: Duration) {
        let end = Instant::now() + limit;
        for way in &self.ways {
            way.outbox.close();
        }
        for way in self.ways {
            while !way.thread.is_finished() && Instant::now() < end {
                thread::sleep(Duration::from_millis(20));
            }
            if !way.thread.is_finished() {
                tracing::warn!(way = way.name, "left without an answer");
            }
        }
    }
}

fn start(notifier: Arc<dyn Notifier>, retries: Retries, settled: Settled) -> Result<Way, Fault> {
    let name = notifier.name().to_owned();
    let outbox = Arc::new(Outbox::new(retries));
    let letters = Arc::clone(&outbox);
    let thread = thread::Builder::new()
        .name(format!("respaldo-{name}"))
        .spawn(move || {
            while let Some(letter) = letters.next() {
                let answer = answer(&*notifier, &letter.notice);
                for notice in letters.answered(&letter, answer) {
                    settled(notifier.name(), &notice);
                }
            }
        })
        .map_err(|error| Fault::io(format!("starting the thread of {name}"), error))?;
    Ok(Way {
        name,
        outbox,
        thread,
    })
}

fn answer(notifier: &dyn Notifier, notice: &Notice) -> Answer {
    let Err(fault) = notifier.tell(notice) else {
        return Answer::Taken;
    };
    let (way, why) = (notifier.name(), causes(&fault));
    match fault.kind.is_transient() {
        true => {
            tracing::warn!(way, %why, "a notice was not taken");
            Answer::NotNow
        }
        false => {
            tracing::error!(way, subject = notice.subject, %why, "not told: it is refused");
            Answer::Never
        }
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
