//! The two kinds of session a detector opens: one in autocommit that sees the present, and ones
//! that see what the snapshot sees.

use respaldo_domain::table::quote_literal;
use respaldo_engine::ports::{DetectionRequest, Fault, SourceTarget};
use respaldo_postgres::{Session, SessionOptions, server};

use crate::options::DetectorOptions;

/// A session in autocommit: statistics are cached for the length of a transaction.
pub(crate) fn monitor(target: &SourceTarget, options: &DetectorOptions) -> Result<Session, Fault> {
    let mut session = Session::connect(&target.conninfo, &session_options(options))?;
    server::lift_time_limits(&mut session)?;
    Ok(session)
}

/// A session in autocommit whose statements may take, and wait for locks, so long.
#[cfg(feature = "logical-slot")]
pub(crate) fn waiting(
    target: &SourceTarget,
    limit: std::time::Duration,
) -> Result<Session, respaldo_postgres::PgError> {
    let options = SessionOptions {
        statement_timeout: limit,
        lock_timeout: std::time::Duration::ZERO,
        ..SessionOptions::default()
    };
    Session::connect(&target.conninfo, &options)
}

/// A session inside the snapshot.
pub(crate) fn in_snapshot(
    request: &DetectionRequest,
    options: &DetectorOptions,
) -> Result<Session, Fault> {
    let mut session = monitor(&request.target, options)?;
    session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
    let id = quote_literal(&request.snapshot);
    session.batch(&format!("SET TRANSACTION SNAPSHOT {id}"))?;
    Ok(session)
}

/// The engine holds ACCESS SHARE locks: whoever queues behind them blocks us too, and nobody but
/// we ourselves can end that.
fn session_options(options: &DetectorOptions) -> SessionOptions {
    SessionOptions {
        lock_timeout: options.lock_timeout(),
        ..SessionOptions::default()
    }
}
