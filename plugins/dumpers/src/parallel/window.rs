//! How far readers may run ahead of the writer: bounded in bytes, so that memory is bounded
//! whatever the tables. The piece the writer waits for is held back by nothing but its own bytes.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use respaldo_engine::ports::{Context, Fault};

/// Bytes waiting for the writer.
const LIMIT_BYTES: usize = 40 << 20;
/// Bytes of the piece being written that may wait beyond that: it sends text, where the writer compresses.
const LIMIT_BYTES_OF_HEAD: usize = 4 << 20;
/// Pieces that may be ahead of the one being written.
const LIMIT_PIECES: usize = 512;
/// How soon an interruption is noticed.
const LOOK_EVERY: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
struct State {
    /// The piece being written.
    head: usize,
    /// Bytes sent and not written.
    waiting: usize,
    /// Of those, the ones sent since it is being written.
    of_head: usize,
}

impl State {
    fn has_room(&self, index: usize, bytes: usize) -> bool {
        if index == self.head {
            self.of_head == 0 || self.of_head + bytes <= LIMIT_BYTES_OF_HEAD
        } else {
            self.waiting + bytes <= LIMIT_BYTES
        }
    }

    fn sent(&mut self, index: usize, bytes: usize) {
        self.waiting += bytes;
        if index == self.head {
            self.of_head += bytes;
        }
    }

    fn written(&mut self, bytes: usize) {
        self.waiting = self.waiting.saturating_sub(bytes);
        self.of_head = self.of_head.saturating_sub(bytes);
    }
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
        let has_room = |state: &State| state.has_room(index, bytes);
        self.wait_until(cx, has_room, |state| state.sent(index, bytes))
    }

    /// The writer took bytes.
    pub(super) fn written(&self, bytes: usize) {
        self.change(|state| state.written(bytes));
    }

    /// The writer is done with a piece.
    pub(super) fn advance(&self) {
        self.change(|state| {
            state.head += 1;
            state.of_head = 0;
        });
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
