//! Connections that work through the batches.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use respaldo_domain::table::Oid;
use respaldo_engine::ports::{Context, DetectionRequest, Fault, FaultKind};
use respaldo_postgres::{PgError, PgErrorKind, Session, field, sql};

use super::{Job, Scanned, lock, statement};
use crate::evidence::Print;
use crate::options::DetectorOptions;
use crate::sessions;
use crate::signals::Basis;

/// What the workers of one scan share.
pub(super) struct Shared<'s> {
    pub request: &'s DetectionRequest,
    pub basis: Basis,
    pub options: &'s DetectorOptions,
    pub cx: &'s Context,
    /// Whether a connection does without helpers of the server.
    pub each_alone: bool,
    pub waiting: Mutex<VecDeque<Vec<Job>>>,
    pub done: Mutex<Scanned>,
}

/// How soon an interruption is noticed while the server works.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Runs `workers` connections until nothing is left, or the first fault.
pub(super) fn work_through(shared: &Shared<'_>, workers: usize) -> Result<(), Fault> {
    let mut sessions = Vec::new();
    for _ in 0..workers {
        shared.cx.check()?;
        let mut session = sessions::in_snapshot(shared.request, shared.options)?;
        if shared.each_alone {
            session.batch("SET LOCAL max_parallel_workers_per_gather = 0")?;
        }
        sessions.push(session);
    }
    let pids: Vec<_> = sessions.iter().map(Session::pid).collect();
    let (ended, endings) = mpsc::channel();
    std::thread::scope(|scope| {
        for mut session in sessions {
            let ended = ended.clone();
            scope.spawn(move || {
                // Nobody listens any more once the first fault was seen.
                let _ = ended.send(work(shared, &mut session));
            });
        }
        drop(ended);
        let outcome = supervise(shared, &pids, &endings);
        lock(&shared.waiting).clear();
        outcome
    })
}

/// Waits for the workers; when the run is interrupted, or one of them fails, ends the others'
/// statements.
fn supervise(
    shared: &Shared<'_>,
    pids: &[i32],
    endings: &mpsc::Receiver<Result<(), Fault>>,
) -> Result<(), Fault> {
    let watch = || loop {
        match endings.recv_timeout(LOOK_EVERY) {
            Ok(ending) => ending?,
            Err(RecvTimeoutError::Timeout) => shared.cx.check()?,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    };
    let outcome = watch();
    if outcome.is_err() {
        lock(&shared.waiting).clear();
        // Where this fails too, the statements run to their end: nothing worse.
        let _ = cancel(shared, pids);
    }
    outcome
}

fn cancel(shared: &Shared<'_>, pids: &[i32]) -> Result<(), Fault> {
    let mut session = sessions::monitor(&shared.request.target, shared.options)?;
    for pid in pids {
        session.rows(sql("SELECT pg_catalog.pg_cancel_backend($1)").bind(*pid))?;
    }
    Ok(())
}

fn work(shared: &Shared<'_>, session: &mut Session) -> Result<(), Fault> {
    loop {
        let Some(batch) = lock(&shared.waiting).pop_front() else {
            return Ok(());
        };
        shared.cx.check()?;
        if batch.len() > 1 && scan(shared, session, &batch)?.is_none() {
            continue;
        }
        for job in &batch {
            if let Some(failure) = scan(shared, session, std::slice::from_ref(job))? {
                lock(&shared.done).failures.push((job.key, failure));
            }
        }
    }
}

/// Scans a batch; gives the reason when the server refuses, with nothing of it done.
fn scan(
    shared: &Shared<'_>,
    session: &mut Session,
    batch: &[Job],
) -> Result<Option<String>, Fault> {
    shared.cx.check()?;
    session.batch("SAVEPOINT batch")?;
    match session.rows(sql(statement::of_batch(batch, shared.basis))) {
        Ok(rows) => {
            session.batch("RELEASE SAVEPOINT batch")?;
            book(shared, batch, &rows)?;
            Ok(None)
        }
        Err(error) if concerns_the_table(&error) => {
            session.batch("ROLLBACK TO SAVEPOINT batch; RELEASE SAVEPOINT batch")?;
            Ok(Some(error.source.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

fn concerns_the_table(error: &PgError) -> bool {
    match error.kind {
        PgErrorKind::Connection | PgErrorKind::Cancelled => false,
        PgErrorKind::Denied
        | PgErrorKind::NotFound
        | PgErrorKind::LockTimeout
        | PgErrorKind::ServerFull
        | PgErrorKind::Statement => true,
    }
}

fn book(shared: &Shared<'_>, batch: &[Job], rows: &[sqlx::postgres::PgRow]) -> Result<(), Fault> {
    if rows.len() != batch.len() {
        let what = format!(
            "{} tables were scanned and {} answered",
            batch.len(),
            rows.len()
        );
        return Err(Fault::bare(FaultKind::Internal, what));
    }
    let mut done = lock(&shared.done);
    for row in rows {
        let rows: i64 = field(row, "rows")?;
        let print = Print {
            rows: rows as u64,
            sum: field(row, "sum")?,
        };
        if let Some(key) = field::<Option<i64>>(row, "key")? {
            done.prints.insert(Oid(key as u32), print);
        }
    }
    Ok(())
}
