//! The heartbeat of a lease: says in the row that its holder lives, and that it is gone. It
//! never fails a run; a session that broke is put away, and the next look at the lease finds that.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use respaldo_postgres::Session;

use crate::ports::{Fault, FaultKind, LeaseHolder, LeaseRow};

const BEAT: Duration = Duration::from_secs(10);
/// Longest wait for an answer at the end, when nothing depends on it any more.
const FAREWELL_LIMIT: Duration = Duration::from_secs(5);

pub(super) const LOST: &str = "the lease cannot be confirmed any more";

/// The session that holds the lock, for the run and for the heart in turns.
#[derive(Clone)]
pub(super) struct Held(Arc<Mutex<Option<Session>>>);

impl Held {
    pub(super) fn of(session: Session) -> Self {
        Self(Arc::new(Mutex::new(Some(session))))
    }

    /// Does something over the session. One that broke is not used again.
    pub(super) fn with(
        &self,
        act: impl FnOnce(&mut Session) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(session) = slot.as_mut() else {
            return Err(Fault::bare(FaultKind::Unavailable, LOST));
        };
        let done = act(session);
        if matches!(&done, Err(fault) if fault.kind == FaultKind::Unavailable) {
            *slot = None;
        }
        done
    }

    pub(super) fn take(&self) -> Option<Session> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.take()
    }
}

/// Beats until dropped, and then takes the row back.
pub(super) struct Heart {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What a heart says, and how.
struct Voice {
    held: Held,
    row: Arc<dyn LeaseRow>,
    holder: LeaseHolder,
}

impl Heart {
    pub(super) fn begin(held: Held, row: Arc<dyn LeaseRow>, holder: LeaseHolder) -> Self {
        let (stop, stopped) = mpsc::channel();
        let voice = Voice { held, row, holder };
        voice.begin();
        let thread = thread::Builder::new().name("respaldo-lease".to_owned());
        let thread = thread.spawn(move || voice.beat(&stopped));
        if let Err(error) = &thread {
            tracing::debug!(%error, "the lease has no heartbeat");
        }
        Self {
            stop: Some(stop),
            thread: thread.ok(),
        }
    }
}

impl Drop for Heart {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A heart that panicked has nothing to say any more.
            let _ = thread.join();
        }
    }
}

impl Voice {
    /// Nobody waits for a standby or a disk for the sake of a heartbeat.
    fn begin(&self) {
        self.say("begun", |session| {
            session.batch("SET synchronous_commit = off")?;
            self.row.write(session, &self.holder)
        });
    }

    fn beat(&self, stopped: &Receiver<()>) {
        while stopped.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
            self.say("lives", |session| self.row.write(session, &self.holder));
        }
        self.say("ended", |session| {
            session.set_answer_timeout(FAREWELL_LIMIT);
            self.row.clear(session, &self.holder)
        });
    }

    fn say(&self, what: &str, act: impl FnOnce(&mut Session) -> Result<(), Fault>) {
        if let Err(fault) = self.held.with(act) {
            tracing::debug!(%fault, what, "the row of the lease says something else");
        }
    }
}
