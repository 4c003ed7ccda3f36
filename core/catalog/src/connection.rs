//! Sessions on the catalog's database, and the promise that no call takes longer than its limit.
//!
//! A server that vanishes without closing its connections leaves a blocked read behind, which no
//! setting of the server can end. So each piece of work runs on a thread of its own, which is left
//! to itself when it does not report in time.

use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use respaldo_engine::ports::{Fault, FaultKind};
use respaldo_postgres::{ConnInfo, PgError, Session, SessionOptions};

use crate::error::CatalogError;

/// How long the catalog may take.
#[derive(Debug, Clone)]
pub struct CatalogLimits {
    /// For a connection.
    pub connect: Duration,
    /// For one statement.
    pub statement: Duration,
    /// For a lock.
    pub lock: Duration,
    /// For a whole call, connection included.
    pub call: Duration,
}

impl Default for CatalogLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            statement: Duration::from_secs(20),
            lock: Duration::from_secs(10),
            call: Duration::from_mins(1),
        }
    }
}

impl CatalogLimits {
    fn session_options(&self) -> SessionOptions {
        SessionOptions {
            connect_timeout: self.connect,
            statement_timeout: self.statement,
            lock_timeout: self.lock,
            ..SessionOptions::default()
        }
    }
}

/// Sessions that wait for the next call.
pub(crate) struct Connection {
    info: ConnInfo,
    limits: CatalogLimits,
    idle: Mutex<Vec<Session>>,
}

/// More sessions at once are opened when asked for, but not kept.
const KEPT_SESSIONS: usize = 2;

impl Connection {
    pub(crate) fn new(info: ConnInfo, limits: CatalogLimits) -> Self {
        Self {
            info,
            limits,
            idle: Mutex::new(Vec::new()),
        }
    }

    pub(crate) fn info(&self) -> &ConnInfo {
        &self.info
    }

    pub(crate) fn limits(&self) -> &CatalogLimits {
        &self.limits
    }

    /// Does `work` on a session. One that broke since its last use is replaced; one on which
    /// work failed is not used again.
    pub(crate) fn run<T, W>(&self, doing: &str, work: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: FnOnce(&mut Session) -> Result<T, CatalogError> + Send + 'static,
    {
        let subject = format!("{doing} in the catalog {}", self.info.display_url());
        let kept = self.take();
        let (info, options) = (self.info.clone(), self.limits.session_options());
        let outcome = bounded(self.limits.call, move || {
            let mut session = open(kept, &info, &options)?;
            let value = work(&mut session)?;
            Ok((session, value))
        });
        match outcome {
            Some(Ok((session, value))) => {
                self.keep(session);
                Ok(value)
            }
            Some(Err(error)) => Err(CatalogError::into_fault(error, subject)),
            None => {
                let seconds = self.limits.call.as_secs();
                let why = format!("no answer within {seconds} s");
                Err(Fault::new(FaultKind::Unavailable, subject, why))
            }
        }
    }

    /// Ends the sessions that wait for the next call.
    pub(crate) fn let_go(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.clear();
    }

    fn take(&self) -> Option<Session> {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    fn keep(&self, session: Session) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT_SESSIONS {
            idle.push(session);
        }
    }
}

fn open(
    kept: Option<Session>,
    info: &ConnInfo,
    options: &SessionOptions,
) -> Result<Session, PgError> {
    if let Some(mut session) = kept
        && session.batch("SELECT 1").is_ok()
    {
        return Ok(session);
    }
    Session::connect(info, options)
}

/// What `work` gives, or `None` when it takes longer than `limit`.
fn bounded<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (report, reported) = mpsc::channel();
    thread::spawn(move || {
        // Nobody listens once the limit has passed.
        let _ = report.send(work());
    });
    reported.recv_timeout(limit).ok()
}

/// Does `work` in one transaction.
pub(crate) fn transaction<T>(
    session: &mut Session,
    work: impl FnOnce(&mut Session) -> Result<T, CatalogError>,
) -> Result<T, CatalogError> {
    session.batch("BEGIN ISOLATION LEVEL READ COMMITTED")?;
    match work(session) {
        Ok(value) => {
            session.batch("COMMIT")?;
            Ok(value)
        }
        Err(error) => {
            // Where this fails too the session is dropped, which ends the transaction as well.
            let _ = session.batch("ROLLBACK");
            Err(error)
        }
    }
}
