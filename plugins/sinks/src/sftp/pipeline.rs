//! Several requests under way at once, their answers in order: not one round trip per piece.

use std::collections::VecDeque;

use russh_sftp::client::error::Error;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// How many requests wait for their answers; with pieces of 32 KiB that is 2 MiB.
const UNDER_WAY: usize = 64;

/// Requests under way; given up when dropped.
pub(super) struct Pipeline<T> {
    runtime: Handle,
    lanes: VecDeque<Lane<T>>,
}

struct Lane<T>(JoinHandle<Result<T, Error>>);

impl<T> Drop for Lane<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T: Send + 'static> Pipeline<T> {
    pub(super) fn new(runtime: &Handle) -> Self {
        Self {
            runtime: runtime.clone(),
            lanes: VecDeque::with_capacity(UNDER_WAY),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.lanes.len() >= UNDER_WAY
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// Starts a request.
    pub(super) fn start(
        &mut self,
        request: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) {
        self.lanes.push_back(Lane(self.runtime.spawn(request)));
    }

    /// The answer to the oldest request; `None` where none is under way.
    pub(super) async fn next(&mut self) -> Option<Result<T, Error>> {
        let lane = self.lanes.front_mut()?;
        let answer = (&mut lane.0).await;
        self.lanes.pop_front();
        Some(answer.unwrap_or_else(|error| Err(Error::UnexpectedBehavior(error.to_string()))))
    }
}
