//! How connections end: not without a word, of which every server's log complains inside a transaction.

use std::io::ErrorKind;
use std::time::Duration;

use sqlx::Connection;
use sqlx::postgres::PgConnection;
use tokio::runtime::{Handle, Runtime};
use tokio::time::timeout;

use crate::runtime::{block_on, spawn};

/// Longest wait for a good-bye, which is a courtesy. Over TLS the driver waits until the server has closed its end.
const LIMIT: Duration = Duration::from_millis(250);

/// The driver's connection, which says good-bye when it is dropped.
pub(crate) struct Parting {
    connection: Option<PgConnection>,
    is_lost: bool,
}

impl Parting {
    pub(crate) fn new(connection: PgConnection) -> Self {
        Self {
            connection: Some(connection),
            is_lost: false,
        }
    }

    /// The connection, which is there until the end, unless it was lost.
    pub(crate) fn live(&mut self) -> sqlx::Result<&mut PgConnection> {
        self.live_or_lost().map(|(connection, _)| connection)
    }

    /// The same, and what to set when its answers are no longer those to our questions.
    pub(crate) fn live_or_lost(&mut self) -> sqlx::Result<(&mut PgConnection, &mut bool)> {
        let gone = || sqlx::Error::Io(ErrorKind::NotConnected.into());
        match (&mut self.connection, &mut self.is_lost) {
            (Some(connection), is_lost @ false) => Ok((connection, is_lost)),
            _ => Err(gone()),
        }
    }

    /// Whether it was lost.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Says good-bye, and tells whether that left.
    pub(crate) async fn close(mut self) -> sqlx::Result<()> {
        match self.connection.take() {
            Some(connection) => connection.close().await,
            None => Ok(()),
        }
    }
}

impl Drop for Parting {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let parting = async { timeout(LIMIT, connection.close()).await };
        // Whether it leaves does not matter: the server notices by itself, too.
        if is_outside_of_runtimes() {
            drop(block_on(parting));
        } else {
            spawn(parting);
        }
    }
}

/// Lets a farewell leave where this thread may wait for it; elsewhere nothing is said.
pub(crate) fn farewell(runtime: &Runtime, words: impl Future) {
    if is_outside_of_runtimes() {
        drop(runtime.block_on(async { timeout(LIMIT, words).await }));
    }
}

/// An asynchronous thread must not wait.
fn is_outside_of_runtimes() -> bool {
    Handle::try_current().is_err_and(|error| error.is_missing_context())
}
