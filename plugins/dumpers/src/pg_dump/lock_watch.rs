//! Looks whether a pg_dump waits for a lock: when it then fails, that is why.
//!
//! pg_dump's exit status is 1 whatever went wrong and its words are not for matching, but the
//! server says of each session what it waits for - of our own role's to anyone of that role.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use respaldo_postgres::{ConnInfo, PgError, Session, SessionOptions, field, sql};

/// Most dumps have their locks before this, and need no second connection.
const FIRST_LOOK: Duration = Duration::from_millis(200);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A session whose statement failed has nothing more to say: its last wait counts.
const WAITS: &str = "SELECT coalesce(wait_event_type = 'Lock', false) AS waits \
    FROM pg_catalog.pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid() \
    AND state IS DISTINCT FROM 'idle in transaction (aborted)'";

/// Looks until it is dropped.
pub(super) struct LockWatch {
    waits: Arc<AtomicBool>,
    _stop: Sender<()>,
}

impl LockWatch {
    /// Watches the session of that name.
    pub(super) fn start(info: &ConnInfo, application_name: String) -> Self {
        let (stop, stopped) = channel();
        let waits = Arc::new(AtomicBool::new(false));
        let (seen, info) = (Arc::clone(&waits), info.clone());
        let look = move || {
            if let Err(error) = watch(&info, &application_name, &seen, &stopped) {
                tracing::debug!(%error, "cannot see whether pg_dump waits for a lock");
            }
        };
        if let Err(error) = thread::Builder::new()
            .name("lock watch".to_owned())
            .spawn(look)
        {
            tracing::debug!(%error, "cannot see whether pg_dump waits for a lock");
        }
        Self { waits, _stop: stop }
    }

    /// Whether it waited for a lock when last seen.
    pub(super) fn was_waiting(&self) -> bool {
        self.waits.load(Ordering::SeqCst)
    }
}

fn watch(
    info: &ConnInfo,
    name: &str,
    waits: &AtomicBool,
    stopped: &Receiver<()>,
) -> Result<(), PgError> {
    let goes_on = |pause| matches!(stopped.recv_timeout(pause), Err(RecvTimeoutError::Timeout));
    if !goes_on(FIRST_LOOK) {
        return Ok(());
    }
    let mut session = Session::connect(info, &SessionOptions::default())?;
    let mut waited = false;
    loop {
        // A session that is gone leaves the last word about it standing; one that was seen to go
        // on twice does not wait, where once may be the instant between its wait and its failure.
        if let Some(row) = session.optional_row(sql(WAITS).bind(name))? {
            let now = field(&row, "waits")?;
            waits.store(now || waited, Ordering::SeqCst);
            waited = now;
        }
        if !goes_on(LOOK_EVERY) {
            return session.close();
        }
    }
}
