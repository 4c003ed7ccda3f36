//! One run per database, across machines.
//!
//! The lease is a session advisory lock in the source database: it needs no rights, works on a
//! standby, and the server releases it when the holder dies. Whoever writes a manifest asks first
//! whether the lock is still held ([`Lease::confirm`]): a connection that broke in the middle of
//! a run gave the lease away. A row with a heartbeat says who holds it and what for; where it
//! cannot be written the lock alone counts.

mod heart;

use std::sync::Arc;
use std::time::Duration;

use respaldo_postgres::{ConnInfo, Session, sql};

use self::heart::{Heart, Held};
use crate::lasting;
use crate::leadership::{Instance, Mandate};
use crate::parts::Parts;
use crate::ports::{Fault, FaultKind, LeaseHolder, LeaseRow, LeaseWork};

/// First half of the keys of all advisory locks of ours: "resp".
pub(crate) const LOCK_CLASS: i32 = 0x7265_7370;

/// The two halves of the lock's key: ours, and the purpose.
const LOCK_KEY: (i32, i32) = (LOCK_CLASS, 1);

/// Longest wait for an answer: a run of hours is not thrown away for a moment's load.
const ANSWER_LIMIT: Duration = Duration::from_mins(1);

/// The lease, held until dropped.
pub struct Lease {
    held: Held,
    pid: i32,
    heart: Option<Heart>,
}

/// The lease of the source, for removing backups.
pub(crate) fn maintenance(parts: &Parts) -> Result<Lease, Fault> {
    Lease::acquire_for(parts, &parts.source, LeaseWork::Maintenance)
}

impl Lease {
    /// Takes the lease, or fails with [`FaultKind::Busy`] where another run holds it. No row says so.
    pub fn acquire(source: &ConnInfo) -> Result<Self, Fault> {
        Self::take(source, None)
    }

    /// The same, and says in the row of the lease who holds it and what for.
    pub fn acquire_for(parts: &Parts, source: &ConnInfo, work: LeaseWork) -> Result<Self, Fault> {
        let row = parts.catalog.as_ref();
        let row = row.and_then(|catalog| catalog.lease_row());
        let mut lease = Self::take(source, row.as_deref())?;
        lease.heart = row.map(|row| lease.begin_to_beat(row, work));
        Ok(lease)
    }

    fn take(source: &ConnInfo, row: Option<&dyn LeaseRow>) -> Result<Self, Fault> {
        let mut session = lasting::connect(source, ANSWER_LIMIT)?;
        let lock = sql("SELECT pg_catalog.pg_try_advisory_lock($1, $2)");
        if !session.value::<bool>(lock.bind(LOCK_KEY.0).bind(LOCK_KEY.1))? {
            return Err(Fault::bare(FaultKind::Busy, holder(&mut session, row)));
        }
        Ok(Self {
            pid: session.pid(),
            held: Held::of(session),
            heart: None,
        })
    }

    fn begin_to_beat(&self, row: Arc<dyn LeaseRow>, work: LeaseWork) -> Heart {
        let here = Instance::here();
        let holder = LeaseHolder::new(&here.host, here.pid, self.pid, work);
        Heart::begin(self.held.clone(), row, holder)
    }

    /// Asks the server whether the lease is still ours and, for a run that a leader began, whether that
    /// leader still leads.
    pub fn confirm(&mut self, mandate: Option<&Mandate>) -> Result<(), Fault> {
        self.held.with(|session| {
            confirm_held(session)?;
            mandate.map_or(Ok(()), |mandate| mandate.confirm(session))
        })
    }

    /// Process id of the session that holds it.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Gives the lease back and waits until the server knows.
    pub fn release(mut self) -> Result<(), Fault> {
        drop(self.heart.take());
        match self.held.take() {
            Some(session) => Ok(session.close()?),
            None => Ok(()),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // The row says so before another can take the lock.
        drop(self.heart.take());
        drop(self.held.take());
    }
}

fn confirm_held(session: &mut Session) -> Result<(), Fault> {
    let held = sql("SELECT EXISTS (SELECT FROM pg_catalog.pg_locks \
         WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid() \
           AND classid = $1::text::oid AND objid = $2::text::oid AND granted)");
    let key = (LOCK_KEY.0.to_string(), LOCK_KEY.1.to_string());
    match session.value::<bool>(held.bind(key.0).bind(key.1)) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Fault::bare(
            FaultKind::Busy,
            "the lease was lost during the run",
        )),
        Err(error) => Err(Fault::new(FaultKind::Unavailable, heart::LOST, error)),
    }
}

/// Who holds the lease, as far as this role may see it.
fn holder(session: &mut Session, row: Option<&dyn LeaseRow>) -> String {
    let mut said = "another run holds the lease of this database".to_owned();
    if let Some(who) = in_row(session, row) {
        said = format!("{said}: {who}");
    } else if let Ok(Some(who)) = in_activity(session) {
        said = format!("{said}: {who}");
    }
    said
}

/// What the holder says of itself.
fn in_row(session: &mut Session, row: Option<&dyn LeaseRow>) -> Option<String> {
    let question = sql("SELECT min(l.pid) FROM pg_catalog.pg_locks l \
         WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $1::text::oid \
           AND l.objid = $2::text::oid AND l.database = (SELECT oid FROM pg_catalog.pg_database \
                             WHERE datname = pg_catalog.current_database())");
    let key = (LOCK_KEY.0.to_string(), LOCK_KEY.1.to_string());
    let backend: Option<i32> = session.value(question.bind(key.0).bind(key.1)).ok()?;
    let seen = row?.read(session).ok()??;
    if !seen.is_of(backend?) {
        return None;
    }
    let run = seen
        .run
        .map_or_else(String::new, |run| format!(" run {run}"));
    Some(format!(
        "{} {}{run} since {}, last heartbeat {}",
        seen.name, seen.state, seen.taken_at, seen.heartbeat_at
    ))
}

/// What the server tells of its session.
fn in_activity(session: &mut Session) -> Result<Option<String>, Fault> {
    let question = sql(
        "SELECT pg_catalog.format('process %s of role %s from %s since %s', a.pid, \
             a.usename, coalesce(a.client_addr::text, 'this machine'), a.backend_start) \
         FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid) \
         WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $1::text::oid \
           AND l.objid = $2::text::oid AND l.database = (SELECT oid FROM pg_catalog.pg_database \
                             WHERE datname = pg_catalog.current_database())",
    )
    .bind(LOCK_KEY.0.to_string())
    .bind(LOCK_KEY.1.to_string());
    Ok(session.value::<Option<String>>(question)?)
}
