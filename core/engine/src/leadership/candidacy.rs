//! Wanting to lead for as long as a service runs.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use respaldo_postgres::ConnInfo;

use super::{Campaign, Instance, Leader};
use crate::ports::Fault;

/// How often who does not lead tries. The server drops a leader that was cut off after at most 25 seconds, so that another leads
/// within 30.
const TRY_EVERY: Duration = Duration::from_secs(3);
/// How often it is seen whether the lead was lost.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Leads whenever nobody else does; over one session, whether it leads or waits.
pub struct Candidacy {
    leader: Shared,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

type Shared = Arc<Mutex<Option<Arc<Leader>>>>;

impl Candidacy {
    /// From now on. `changed` is called, on another thread, when it comes to lead and when it ceases to.
    pub fn begin(
        source: &ConnInfo,
        who: &Instance,
        changed: impl Fn() + Send + 'static,
    ) -> Result<Self, Fault> {
        let leader = Shared::default();
        let (stop, stopped) = mpsc::channel();
        let candidate = Candidate {
            campaign: Campaign::new(source, who),
            leader: Arc::clone(&leader),
            failing: false,
        };
        let thread = thread::Builder::new()
            .name("respaldo-lead".to_owned())
            .spawn(move || candidate.run(&stopped, &changed))
            .map_err(|e| Fault::io("starting to campaign for the lead", e))?;
        Ok(Self {
            leader,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The lead, while it is held.
    pub fn leader(&self) -> Option<Arc<Leader>> {
        let leader = lock(&self.leader).clone();
        leader.filter(|leader| !leader.lost().is_set())
    }
}

impl Drop for Candidacy {
    /// Gives the lead back, unless a run still holds it.
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has been reported by the hook; its session is gone with it.
            thread.join().ok();
        }
        lock(&self.leader).take();
    }
}

fn lock(leader: &Shared) -> std::sync::MutexGuard<'_, Option<Arc<Leader>>> {
    leader.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Candidate {
    campaign: Campaign,
    leader: Shared,
    /// Whether it was said that the lead cannot even be asked for.
    failing: bool,
}

impl Candidate {
    fn run(mut self, stopped: &Receiver<()>, changed: &dyn Fn()) {
        let mut wait = Duration::ZERO;
        let mut tried_at: Option<Instant> = None;
        while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
            wait = LOOK_EVERY;
            if self.leads() {
                continue;
            }
            if lock(&self.leader).take().is_some() {
                tracing::warn!("this process leads no more");
                changed();
            }
            if tried_at.is_some_and(|at| at.elapsed() < TRY_EVERY) {
                continue;
            }
            tried_at = Some(Instant::now());
            if self.try_to_lead() {
                changed();
            }
        }
    }

    fn leads(&self) -> bool {
        let leader = lock(&self.leader);
        leader
            .as_ref()
            .is_some_and(|leader| !leader.lost().is_set())
    }

    fn try_to_lead(&mut self) -> bool {
        match self.campaign.lead() {
            Ok(Some(leader)) => {
                tracing::info!(token = leader.token(), "this process leads");
                *lock(&self.leader) = Some(Arc::new(leader));
                self.failing = false;
                true
            }
            Ok(None) => {
                self.failing = false;
                false
            }
            Err(fault) => {
                // The health of the engine tells the same; once is enough here.
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::warn!(%fault, "the lead cannot be asked for");
                }
                false
            }
        }
    }
}
