//! Wanting to lead for as long as a service runs.
//!
//! Who lost the lead does not lead again before its run has let go of the lost one: a process that hangs in a run
//! would else lead, and nobody make backups.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use respaldo_postgres::ConnInfo;

use super::{Campaign, Instance, Leader};
use crate::ports::{Fault, FaultKind};

/// How often who does not lead tries. The server drops a leader that was cut off after at most 25 seconds, so that another leads
/// within 30.
const TRY_EVERY: Duration = Duration::from_secs(3);
/// How often it is seen whether the lead was lost.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Leads whenever nobody else does; over one session, whether it leads or waits.
pub struct Candidacy {
    standing: Shared,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

type Shared = Arc<(Mutex<Standing>, Condvar)>;

/// How a candidate stands.
#[derive(Default)]
struct Standing {
    leader: Option<Arc<Leader>>,
    /// How the last try ended: led or left to another, or failed; `None` before the first.
    tried: Option<Result<(), Arc<Fault>>>,
}

impl Candidacy {
    /// From now on. `changed` is called, on another thread, when it comes to lead and when it ceases to.
    pub fn begin(
        source: &ConnInfo,
        who: &Instance,
        changed: impl Fn() + Send + 'static,
    ) -> Result<Self, Fault> {
        let standing = Shared::default();
        let (stop, stopped) = mpsc::channel();
        let candidate = Candidate {
            campaign: Campaign::new(source, who),
            standing: Arc::clone(&standing),
            lost: Weak::new(),
            failing: false,
        };
        let thread = thread::Builder::new()
            .name("respaldo-lead".to_owned())
            .spawn(move || candidate.run(&stopped, &changed))
            .map_err(|e| Fault::io("starting to campaign for the lead", e))?;
        Ok(Self {
            standing,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The lead, while it is held.
    pub fn leader(&self) -> Option<Arc<Leader>> {
        let leader = lock(&self.standing).leader.clone();
        leader.filter(|leader| !leader.lost().is_set())
    }

    /// Why it can neither lead nor know that another does, if so. The first try is waited for, but no longer than this.
    pub fn trouble(&self, within: Duration) -> Option<Arc<Fault>> {
        let (standing, tried) = &*self.standing;
        let standing = standing.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = tried.wait_timeout_while(standing, within, |now| now.tried.is_none());
        let (standing, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match &standing.tried {
            Some(tried) => tried.as_ref().err().cloned(),
            None => Some(Arc::new(Fault::bare(
                FaultKind::Unavailable,
                "the server does not say whether anybody leads",
            ))),
        }
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
        // Not under the lock: giving a lead back takes a word with the server.
        let leader = lock(&self.standing).leader.take();
        drop(leader);
    }
}

fn lock(standing: &Shared) -> MutexGuard<'_, Standing> {
    standing.0.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Candidate {
    campaign: Campaign,
    standing: Shared,
    /// The lead that was lost, for as long as a run still holds it.
    lost: Weak<Leader>,
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
            if self.loses() {
                changed();
            }
            if self.lost.strong_count() > 0 {
                continue;
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
        let standing = lock(&self.standing);
        let leader = standing.leader.as_ref();
        leader.is_some_and(|leader| !leader.lost().is_set())
    }

    /// Whether it led until now.
    fn loses(&mut self) -> bool {
        let leader = lock(&self.standing).leader.take();
        if let Some(leader) = &leader {
            tracing::warn!("this process leads no more");
            self.lost = Arc::downgrade(leader);
        }
        leader.is_some()
    }

    fn try_to_lead(&mut self) -> bool {
        let tried = match self.campaign.lead() {
            Ok(leader) => {
                self.failing = false;
                Ok(leader.map(Arc::new))
            }
            Err(fault) => {
                // The health of the engine tells the same; once is enough here.
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::warn!(%fault, "the lead cannot be asked for");
                }
                Err(Arc::new(fault))
            }
        };
        let leader = tried.as_ref().ok().cloned().flatten();
        if let Some(leader) = &leader {
            tracing::info!(token = leader.token(), "this process leads");
        }
        let leads = leader.is_some();
        let mut standing = lock(&self.standing);
        standing.leader = leader;
        standing.tried = Some(tried.map(drop));
        self.standing.1.notify_all();
        leads
    }
}
