//! Both renames in one transaction. The first takes a lock that every new connection to the old
//! database needs, so nobody enters between the two; whatever happens before the commit leaves the
//! old database under its name and open.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use respaldo_postgres::{
    ConnInfo, PgError, Session, SessionOptions, databases, quote_identifier, quote_literal,
};

use super::Restoring;
use super::scratch::Scratch;
use super::site::Site;
use crate::error::LegacyError;

/// Longest wait for the sessions inside the old database to leave.
const LEAVE_LIMIT: Duration = Duration::from_secs(30);

/// Gives the scratch database the target's name, and the old one another.
pub(super) fn swap(
    restoring: &Restoring<'_>,
    site: &Site,
    admin: &ConnInfo,
    scratch: &Scratch,
    old: Option<&str>,
) -> Result<(), LegacyError> {
    let options = SessionOptions {
        lock_timeout: LEAVE_LIMIT,
        ..restoring.session_options()
    };
    let mut session = Session::connect(admin, &options).map_err(LegacyError::Server)?;
    let statements = statements(site, scratch.name(), old);
    let (target, done) = (site.target.database(), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            databases::keep_ending_sessions(admin, &[scratch.name(), target], || {
                done.load(Ordering::SeqCst)
            });
        });
        let renamed = rename(restoring, &mut session, &statements, target);
        done.store(true, Ordering::SeqCst);
        renamed
    })
}

fn statements(site: &Site, scratch: &str, old: Option<&str>) -> Vec<String> {
    let target = quote_identifier(site.target.database());
    let scratch = quote_identifier(scratch);
    let comment = site.properties.as_ref().filter(|_| site.exists);
    let comment = comment.and_then(|properties| properties.comment.as_deref());
    let comment = comment.map_or("NULL".to_owned(), quote_literal);
    let away = old.map(|old| {
        let old = quote_identifier(old);
        format!("ALTER DATABASE {target} RENAME TO {old}")
    });
    away.into_iter()
        .chain([
            format!("ALTER DATABASE {scratch} RENAME TO {target}"),
            format!("COMMENT ON DATABASE {target} IS {comment}"),
        ])
        .collect()
}

/// A rename waits five seconds for sessions to leave before it refuses, so it is tried until the
/// limit.
fn rename(
    restoring: &Restoring<'_>,
    session: &mut Session,
    statements: &[String],
    target: &str,
) -> Result<(), LegacyError> {
    let start = Instant::now();
    loop {
        if (restoring.stop)() {
            return Err(LegacyError::Interrupted);
        }
        match in_one_transaction(session, statements) {
            Ok(()) => return Ok(()),
            // 55006: somebody is still inside.
            Err(error) if error.sqlstate.as_deref() == Some("55006") => {
                if start.elapsed() > LEAVE_LIMIT {
                    return Err(LegacyError::InUse(target.to_owned()));
                }
            }
            Err(error) => return Err(LegacyError::Server(error)),
        }
    }
}

fn in_one_transaction(session: &mut Session, statements: &[String]) -> Result<(), PgError> {
    session.batch("BEGIN")?;
    let mut all = statements.iter();
    let done = all.try_for_each(|statement| session.batch(statement));
    match done {
        Ok(()) => session.batch("COMMIT"),
        Err(error) => {
            session.batch("ROLLBACK")?;
            Err(error)
        }
    }
}
