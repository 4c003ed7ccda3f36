//! One leader among the supervisors of a database, on whatever machines they run.
//!
//! Leading is holding a session advisory lock of the source database: it needs no rights, works
//! on a standby, and the server gives it back when the leader dies. Around it:
//!
//! * A **heartbeat** asks every three seconds whether the lock is still held. Ten seconds without
//!   a yes, or a broken connection, and [`Leader::lost`] is raised: what runs must stop.
//! * The server drops a connection that was **cut** (`lasting`) after that, never before; so the
//!   old leader has stopped when another can take the lock.
//! * A **token** that only grows. A run of a leader carries its [`Mandate`], and whoever writes a
//!   manifest asks last whether that leader still leads: a process that slept through all of the above
//!   (a suspended machine) writes nothing.
//! * A **row** says who leads, for people, where the catalog's tables are in the source and may
//!   be written. It decides nothing: without it the lock alone counts.

mod candidacy;
mod record;

use std::process;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use respaldo_postgres::{ConnInfo, Session, sql};

use crate::lasting;
use crate::lease::LOCK_CLASS;
use crate::ports::{Fault, FaultKind, Interrupt};

pub use candidacy::Candidacy;
pub use record::{CurrentLeader, LeaderRecord};

/// The lock's key: that of all locks of ours, and the purpose.
pub const LOCK_KEY: (i32, i32) = (LOCK_CLASS, 2);

/// How often the lock is asked for.
const BEAT: Duration = Duration::from_secs(3);
/// How long a leader believes in itself without an answer.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(10);
/// Longest wait for an answer while nothing is held yet.
const CAMPAIGN_LIMIT: Duration = Duration::from_secs(10);

/// What a leader says that it does until it says something else.
pub const LEADING: &str = "leading";

/// Who wants to lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// A name for people, unique among the supervisors of a database.
    pub name: String,
    /// The machine.
    pub host: String,
    /// The process on it.
    pub pid: u32,
}

impl Instance {
    /// This process.
    pub fn here() -> Self {
        let (host, pid) = (host_name(), process::id());
        Self {
            name: format!("{host}:{pid}"),
            host,
            pid,
        }
    }
}

fn host_name() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let environment = || ["HOSTNAME", "COMPUTERNAME"].map(|name| std::env::var(name).ok());
    let mut names = [kernel].into_iter().chain(environment()).flatten();
    names
        .find(|name| !name.trim().is_empty())
        .map_or("unknown".to_owned(), |name| name.trim().to_owned())
}

/// By what right a run of a leader writes: proof against a newer leader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mandate {
    token: i64,
    /// The server's process that holds the lock for the leader.
    backend: i32,
}

impl Mandate {
    /// Grows from leader to leader.
    pub fn token(&self) -> i64 {
        self.token
    }

    /// Asks the server, over any session on the source, whether the leader still leads.
    pub(crate) fn confirm(&self, session: &mut Session) -> Result<(), Fault> {
        self.confirm_held(session)?;
        match record::token(session)? {
            Some(token) if token > self.token => Err(Fault::bare(
                FaultKind::Busy,
                "a newer leader than this one is on record",
            )),
            _ => Ok(()),
        }
    }

    fn confirm_held(&self, session: &mut Session) -> Result<(), Fault> {
        match holder(session)? {
            Some(backend) if backend == self.backend => Ok(()),
            _ => Err(Fault::bare(
                FaultKind::Busy,
                "this machine leads no more; another may have taken over",
            )),
        }
    }
}

/// How to become the leader.
#[derive(Debug)]
pub struct Leadership;

impl Leadership {
    /// Tries once, without waiting; `None` where somebody else leads.
    pub fn campaign(source: &ConnInfo, who: &Instance) -> Result<Option<Leader>, Fault> {
        Campaign::new(source, who).lead()
    }
}

/// Tries again and again over one session.
struct Campaign {
    source: ConnInfo,
    who: Instance,
    session: Option<Session>,
}

impl Campaign {
    fn new(source: &ConnInfo, who: &Instance) -> Self {
        Self {
            source: source.with_option("application_name", "respaldo leader"),
            who: who.clone(),
            session: None,
        }
    }

    /// Tries once, without waiting; `None` where somebody else leads. A session that failed is not used again.
    fn lead(&mut self) -> Result<Option<Leader>, Fault> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => lasting::connect(&self.source, CAMPAIGN_LIMIT)?,
        };
        let asked_at = Instant::now();
        let lock = sql("SELECT pg_catalog.pg_try_advisory_lock($1, $2)");
        if !session.value::<bool>(lock.bind(LOCK_KEY.0).bind(LOCK_KEY.1))? {
            self.session = Some(session);
            return Ok(None);
        }
        // Nobody waits for a standby or a disk for the sake of a heartbeat.
        session.batch("SET synchronous_commit = off")?;
        let mandate = Mandate {
            token: next_token(&mut session)?,
            backend: session.pid(),
        };
        let heart = Heart {
            lost: Raised(Interrupt::default()),
            session,
            mandate: mandate.clone(),
            who: self.who.clone(),
            state: LEADING.to_owned(),
            confirmed_at: asked_at,
        };
        Leader::begin(heart, mandate).map(Some)
    }
}

/// Larger than any before: one more than the last on record, and not less than the server's clock,
/// which goes on where no record is to be had.
fn next_token(session: &mut Session) -> Result<i64, Fault> {
    let clock: i64 = session.value(sql(
        "SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint",
    ))?;
    let last = record::token(session)?;
    Ok(last.map_or(clock, |last| clock.max(last.saturating_add(1))))
}

/// The server's process that holds the lock.
fn holder(session: &mut Session) -> Result<Option<i32>, Fault> {
    let question = sql("SELECT (SELECT min(pid) FROM pg_catalog.pg_locks \
          WHERE locktype = 'advisory' AND granted AND objsubid = 2 \
            AND classid = $1::text::oid AND objid = $2::text::oid \
            AND database = (SELECT oid FROM pg_catalog.pg_database \
                            WHERE datname = pg_catalog.current_database()))");
    let key = (LOCK_KEY.0.to_string(), LOCK_KEY.1.to_string());
    Ok(session.value(question.bind(key.0).bind(key.1))?)
}

/// Who leads now, if anybody.
pub fn current_leader(source: &ConnInfo) -> Result<Option<CurrentLeader>, Fault> {
    let mut session = lasting::connect(source, CAMPAIGN_LIMIT)?;
    let Some(backend) = holder(&mut session)? else {
        return Ok(None);
    };
    let record = record::read(&mut session)?;
    Ok(Some(CurrentLeader {
        backend,
        record: record.filter(|record| record.backend == backend),
    }))
}

/// The leader, until dropped, resigned or lost.
pub struct Leader {
    mandate: Mandate,
    lost: Interrupt,
    /// What it does now; closed to resign.
    states: Option<Sender<String>>,
    heart: Option<JoinHandle<Result<(), Fault>>>,
}

impl Leader {
    fn begin(heart: Heart, mandate: Mandate) -> Result<Self, Fault> {
        let lost = heart.lost.0.clone();
        let (states, said) = mpsc::channel();
        let thread = thread::Builder::new().name("respaldo-leader".to_owned());
        let thread = thread
            .spawn(move || heart.beat(&said))
            .map_err(|e| Fault::io("starting the heartbeat of a leader", e))?;
        Ok(Self {
            mandate,
            lost,
            states: Some(states),
            heart: Some(thread),
        })
    }

    /// Grows from leader to leader.
    pub fn token(&self) -> i64 {
        self.mandate.token
    }

    /// For [`Context::with_mandate`](crate::ports::Context::with_mandate) of what this leader runs.
    pub fn mandate(&self) -> &Mandate {
        &self.mandate
    }

    /// Raised once it leads no more, for whatever reason; never taken back.
    pub fn lost(&self) -> &Interrupt {
        &self.lost
    }

    /// What it does now, for [`current_leader`]; recorded with the next heartbeat.
    pub fn say(&self, state: impl Into<String>) {
        if let Some(states) = &self.states {
            // The heart has stopped: the flag tells.
            let _ = states.send(state.into());
        }
    }

    /// Gives the lead back and waits until the server knows.
    pub fn resign(mut self) -> Result<(), Fault> {
        self.stop()
    }

    fn stop(&mut self) -> Result<(), Fault> {
        drop(self.states.take());
        let panicked = |_| Err(Fault::bare(FaultKind::Internal, "the heartbeat panicked"));
        self.heart
            .take()
            .map_or(Ok(()), |heart| heart.join().unwrap_or_else(panicked))
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        // Whoever cares calls `resign`; the server drops the lock with the session in any case.
        let _ = self.stop();
    }
}

/// Raises its flag when dropped: however a heart stops, everybody hears of it.
struct Raised(Interrupt);

impl Drop for Raised {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// The leader's session and thread.
struct Heart {
    // Dropped first: the server gives the lock to others while the session says good-bye.
    lost: Raised,
    session: Session,
    mandate: Mandate,
    who: Instance,
    state: String,
    /// When the last question was asked that was answered with yes.
    confirmed_at: Instant,
}

impl Heart {
    /// Beats until told to stop or until it cannot be sure to lead.
    fn beat(mut self, said: &Receiver<String>) -> Result<(), Fault> {
        let mut wait = Duration::ZERO;
        loop {
            match said.recv_timeout(wait) {
                Ok(state) => self.state = state,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.resign(),
            }
            if let Err(fault) = self.confirm() {
                let passes = !matches!(fault.kind, FaultKind::Unavailable | FaultKind::Busy)
                    && self.confirmed_at.elapsed() < CONFIRMED_WITHIN;
                tracing::warn!(%fault, leads = passes, "a leader's heartbeat failed");
                if !passes {
                    return Err(fault);
                }
            }
            wait = BEAT;
        }
    }

    /// Asks for the lock within what is left of the ten seconds, then says that it lives.
    fn confirm(&mut self) -> Result<(), Fault> {
        let left = CONFIRMED_WITHIN.saturating_sub(self.confirmed_at.elapsed());
        // Zero would be no limit at all.
        let left = left.max(Duration::from_millis(1));
        self.session.set_answer_timeout(left);
        let asked_at = Instant::now();
        self.mandate.confirm_held(&mut self.session)?;
        self.confirmed_at = asked_at;
        record::write(&mut self.session, &self.mandate, &self.who, &self.state)
    }

    /// Nothing may be started on this lead once others may lead: the flag first.
    fn resign(mut self) -> Result<(), Fault> {
        self.lost.0.set();
        record::erase(&mut self.session, &self.mandate)?;
        Ok(self.session.close()?)
    }
}
