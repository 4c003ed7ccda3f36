//! How far readers may run ahead of the writer: bounded in bytes, so that memory is bounded
//! whatever the tables. The piece the writer waits for is never held back.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use respaldo_engine::ports::{Context, Fault};

/// Compressed bytes waiting for the writer.
const LIMIT_BYTES: usize = 40 << 20;
/// Pieces that may be ahead of the one being written.
const LIMIT_PIECES: usize = 64;
/// How soon an interruption is noticed.
const LOOK_EVERY: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
struct State {
    /// The piece being written.
    head: usize,
    /// Bytes sent and not written.
    waiting: usize,
}

/// Shared by the readers and the writer.
#[derive(Debug, Default)]
pub(super) struct Window {
    state: Mutex<State>,
    moved: Condvar,
}

impl Window {
    /// Waits until piece `index` may be begun.
    pub(super) fn may_begin(&self, index: usize, cx: &Context) -> Result<(), Fault> {
        self.wait_until(cx, |state| index < state.head + LIMIT_PIECES, |_| {})
    }

    /// Waits until piece `index` may send so many bytes, and counts them.
    pub(super) fn may_send(&self, index: usize, bytes: usize, cx: &Context) -> Result<(), Fault> {
        let fits = |state: &State| index == state.head || state.waiting + bytes <= LIMIT_BYTES;
        self.wait_until(cx, fits, |state| state.waiting += bytes)
    }

    /// The writer took bytes.
    pub(super) fn written(&self, bytes: usize) {
        self.change(|state| state.waiting = state.waiting.saturating_sub(bytes));
    }

    /// The writer is done with a piece.
    pub(super) fn advance(&self) {
        self.change(|state| state.head += 1);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.moved.notify_all();
    }

    fn wait_until(
        &self,
        cx: &Context,
        ready: impl Fn(&State) -> bool,
        then: impl FnOnce(&mut State),
    ) -> Result<(), Fault> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !ready(&state) {
            cx.check()?;
            let waited = self.moved.wait_timeout(state, LOOK_EVERY);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        then(&mut state);
        Ok(())
    }
}
