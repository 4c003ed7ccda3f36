//! Giving way: a dump holds ACCESS SHARE locks on everything, and a session that waits for an
//! exclusive lock behind it makes everybody else wait too (the existing application gives up
//! after 120 s). A watcher looks for such sessions and stops the dump.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use respaldo_postgres::{ConnInfo, PgError, Session, SessionOptions, sql};

use crate::ports::{Context, Fault, Interrupt};

/// How often the watcher looks.
const INTERVAL: Duration = Duration::from_secs(1);

/// How long work is left alone at first: most days' is over by then, and needs no session more.
const AT_FIRST: Duration = Duration::from_millis(50);

/// How a watched piece of work ended.
pub(super) enum Watched<T> {
    /// By itself.
    Done(Result<T, Fault>),
    /// It was stopped, because somebody waited for its locks.
    GaveWay,
}

/// Runs `work` and stops it when a session waits for a lock that a session of this run holds.
/// With `hold`, waiters are counted but nothing is stopped.
pub(super) fn run<T: Send>(
    source: &ConnInfo,
    hold: bool,
    cx: &Context,
    work: impl FnOnce(&Context) -> Result<T, Fault> + Send,
) -> (Watched<T>, bool) {
    let stop = cx.interrupt().child();
    let (working, finished) = channel();
    let seen_by = stop.clone();
    thread::scope(|scope| {
        let watcher = scope.spawn(move || watch(source, hold, &seen_by, &finished));
        let result = work(&cx.with_interrupt(stop));
        drop(working);
        let waited_for = watcher.join().unwrap_or(false);
        let gave_way = waited_for && !hold && result.is_err() && !cx.interrupt().is_set();
        let outcome = if gave_way {
            Watched::GaveWay
        } else {
            Watched::Done(result)
        };
        (outcome, waited_for)
    })
}

/// Looks for waiters until the work is finished; returns whether there was one.
fn watch(source: &ConnInfo, hold: bool, stop: &Interrupt, finished: &Receiver<()>) -> bool {
    let goes_on = |pause| finished.recv_timeout(pause) == Err(RecvTimeoutError::Timeout);
    if !goes_on(AT_FIRST) {
        return false;
    }
    // A watcher that cannot connect watches nothing; the dump is right all the same.
    let Ok(mut session) = Session::connect(source, &SessionOptions::default()) else {
        return false;
    };
    let mut seen = false;
    let mut pause = Duration::ZERO;
    while goes_on(pause) {
        pause = INTERVAL;
        if somebody_waits(&mut session).unwrap_or(false) {
            seen = true;
            if !hold {
                stop.set();
                return true;
            }
        }
    }
    seen
}

/// Sessions of one run share an application name. A waiter that is itself one of them does not
/// count: it is our own next lock.
fn somebody_waits(session: &mut Session) -> Result<bool, PgError> {
    session.value(sql(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks w \
           WHERE NOT w.granted AND w.mode = 'AccessExclusiveLock' \
             AND w.database = (SELECT oid FROM pg_catalog.pg_database \
                               WHERE datname = pg_catalog.current_database()) \
             AND EXISTS (SELECT FROM pg_catalog.pg_stat_activity a \
                         WHERE a.pid = ANY (pg_catalog.pg_blocking_pids(w.pid)) \
                           AND a.application_name = pg_catalog.current_setting('application_name')))",
    ))
}
