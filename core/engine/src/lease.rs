//! One run per database, across machines.
//!
//! The lease is a session advisory lock in the source database: it needs no rights, works on a
//! standby, and the server releases it when the holder dies. Whoever writes a manifest asks first
//! whether the lock is still held ([`Lease::confirm`]): a connection that broke in the middle of
//! a run gave the lease away.

use std::time::Duration;

use respaldo_postgres::{ConnInfo, Session, sql};

use crate::lasting;
use crate::leadership::Mandate;
use crate::ports::{Fault, FaultKind};

/// First half of the keys of all advisory locks of ours: "resp".
pub(crate) const LOCK_CLASS: i32 = 0x7265_7370;

/// The two halves of the lock's key: ours, and the purpose.
const LOCK_KEY: (i32, i32) = (LOCK_CLASS, 1);

/// Longest wait for an answer: a run of hours is not thrown away for a moment's load.
const ANSWER_LIMIT: Duration = Duration::from_mins(1);

/// The lease, held until dropped.
pub struct Lease {
    session: Session,
}

impl Lease {
    /// Takes the lease, or fails with [`FaultKind::Busy`] where another run holds it.
    pub fn acquire(source: &ConnInfo) -> Result<Self, Fault> {
        let mut session = lasting::connect(source, ANSWER_LIMIT)?;
        let lock = sql("SELECT pg_catalog.pg_try_advisory_lock($1, $2)");
        if session.value::<bool>(lock.bind(LOCK_KEY.0).bind(LOCK_KEY.1))? {
            Ok(Self { session })
        } else {
            Err(Fault::bare(FaultKind::Busy, holder(&mut session)))
        }
    }

    /// Asks the server whether the lease is still ours and, for a run that a leader began, whether that
    /// leader still leads.
    pub fn confirm(&mut self, mandate: Option<&Mandate>) -> Result<(), Fault> {
        self.confirm_held()?;
        mandate.map_or(Ok(()), |mandate| mandate.confirm(&mut self.session))
    }

    fn confirm_held(&mut self) -> Result<(), Fault> {
        let held = sql("SELECT EXISTS (SELECT FROM pg_catalog.pg_locks \
             WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid() \
               AND classid = $1::text::oid AND objid = $2::text::oid AND granted)");
        let key = (LOCK_KEY.0.to_string(), LOCK_KEY.1.to_string());
        match self.session.value::<bool>(held.bind(key.0).bind(key.1)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Fault::bare(
                FaultKind::Busy,
                "the lease was lost during the run",
            )),
            Err(error) => Err(Fault::new(
                FaultKind::Unavailable,
                "the lease cannot be confirmed any more",
                error,
            )),
        }
    }

    /// Process id of the session that holds it.
    pub fn pid(&self) -> i32 {
        self.session.pid()
    }

    /// Gives the lease back and waits until the server knows.
    pub fn release(self) -> Result<(), Fault> {
        Ok(self.session.close()?)
    }
}

/// Who holds the lease, as far as this role may see it.
fn holder(session: &mut Session) -> String {
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
    match session.value::<Option<String>>(question) {
        Ok(Some(who)) => format!("another run holds the lease of this database: {who}"),
        _ => "another run holds the lease of this database".to_owned(),
    }
}
