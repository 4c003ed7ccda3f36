//! Sessions that stay open for hours while nothing is said, and whose end both sides must notice.
//!
//! A connection that was cut without a word (a machine that lost its power or its network) looks
//! alive from either side. The server is told to probe it, and drops it, with all its locks, after
//! [`DROPPED_AFTER_SECONDS`] at the latest; on our side no answer is waited for longer than
//! the caller allows.

use std::time::Duration;

use respaldo_postgres::{ConnInfo, PgError, Session, SessionOptions, sql};

/// After how much silence the server probes, how often and how many times.
const PROBED_AFTER_SECONDS: u32 = 5;
const PROBED_EVERY_SECONDS: u32 = 3;
const PROBES: u32 = 4;
/// How long the server keeps what it sent and nobody acknowledged. Longer than a leader waits for
/// an answer before it gives up by itself, so that it stops before another can begin.
const UNACKNOWLEDGED_MS: u32 = 15_000;
/// When the server has dropped a connection that was cut, counted from the cut.
const DROPPED_AFTER_SECONDS: u32 = 25;
const _: () =
    assert!(PROBED_AFTER_SECONDS + PROBED_EVERY_SECONDS * PROBES <= DROPPED_AFTER_SECONDS);
const _: () = assert!(UNACKNOWLEDGED_MS / 1000 + PROBED_EVERY_SECONDS * 2 <= DROPPED_AFTER_SECONDS);

/// Connects; no answer is waited for longer than `answer_within`.
pub(crate) fn connect(source: &ConnInfo, answer_within: Duration) -> Result<Session, PgError> {
    let options = SessionOptions {
        lock_timeout: Duration::from_secs(2),
        answer_timeout: answer_within,
        ..SessionOptions::default()
    };
    let mut session = Session::connect(source, &options)?;
    watch(&mut session)?;
    Ok(session)
}

/// Sets those of the limits which this server knows.
fn watch(session: &mut Session) -> Result<(), PgError> {
    let settings = format!(
        "SELECT pg_catalog.count(pg_catalog.set_config(name, wanted.value, false)) \
         FROM pg_catalog.pg_settings JOIN (VALUES \
             ('tcp_keepalives_idle', '{PROBED_AFTER_SECONDS}'), \
             ('tcp_keepalives_interval', '{PROBED_EVERY_SECONDS}'), \
             ('tcp_keepalives_count', '{PROBES}'), \
             ('tcp_user_timeout', '{UNACKNOWLEDGED_MS}'), \
             ('idle_session_timeout', '0')) AS wanted (name, value) USING (name)"
    );
    session.value::<i64>(sql(settings)).map(drop)
}
