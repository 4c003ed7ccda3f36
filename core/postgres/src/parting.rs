//! How connections end: not without a word, of which every server's log complains inside a transaction.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::Connection;
use sqlx::postgres::PgConnection;
use tokio::runtime::{Handle, Runtime};
use tokio::time::timeout;

use crate::runtime::{block_on, spawn};

/// Longest wait for it, which is a courtesy. Over TLS the driver waits until the server has closed its end.
const LIMIT: Duration = Duration::from_millis(250);

/// The driver's connection, which says good-bye when it is dropped.
pub(crate) struct Parting(Option<PgConnection>);

impl Parting {
    pub(crate) fn new(connection: PgConnection) -> Self {
        Self(Some(connection))
    }

    /// Says good-bye, and tells whether that left.
    pub(crate) async fn close(mut self) -> sqlx::Result<()> {
        match self.0.take() {
            Some(connection) => connection.close().await,
            None => Ok(()),
        }
    }
}

#[expect(
    clippy::expect_used,
    reason = "only what consumes it takes the connection out"
)]
impl Deref for Parting {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.0.as_ref().expect("taken only at the end")
    }
}

#[expect(
    clippy::expect_used,
    reason = "only what consumes it takes the connection out"
)]
impl DerefMut for Parting {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("taken only at the end")
    }
}

impl Drop for Parting {
    fn drop(&mut self) {
        let Some(connection) = self.0.take() else {
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

/// Lets a farewell leave, if this thread may wait for it.
pub(crate) fn farewell(runtime: &Runtime, words: impl Future) {
    if is_outside_of_runtimes() {
        drop(runtime.block_on(async { timeout(LIMIT, words).await }));
    }
}

/// An asynchronous thread must not wait.
fn is_outside_of_runtimes() -> bool {
    Handle::try_current().is_err_and(|error| error.is_missing_context())
}
