//! Between the readers and the writer: what was read waits here for its turn, which is the order of the
//! archive. Bounded in bytes, so that memory is bounded whatever the tables. The piece whose turn it is
//! is held back by nothing but its own bytes.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use respaldo_archive::PieceSum;
use respaldo_domain::fingerprint::RowFingerprint;
use respaldo_engine::ports::{Context, Fault, FaultKind};

/// Bytes waiting for the writer.
const LIMIT_BYTES: usize = 40 << 20;
/// Bytes of the piece being written that may wait beyond that: it sends text, where the writer compresses.
const LIMIT_BYTES_OF_HEAD: usize = 4 << 20;
/// Pieces that may be ahead of the one being written: a few hundred bytes each, beside their own.
const LIMIT_PIECES: usize = 8 * 1024;
/// How soon an interruption is noticed.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What comes of a piece.
pub(super) enum Sent {
    /// Bytes of the piece: compressed, or its text.
    Bytes(Vec<u8>),
    /// Its end.
    End(End),
}

/// What is known at the end of a piece.
pub(super) struct End {
    /// To join it; `None` where it is text, or all of a payload.
    pub(super) sum: Option<PieceSum>,
    /// Bytes of its text.
    pub(super) plain_bytes: u64,
    /// Its rows.
    pub(super) fingerprint: RowFingerprint,
}

#[derive(Default)]
struct State {
    /// The piece being written.
    head: usize,
    /// Bytes sent and not written.
    waiting: usize,
    /// Of those, the ones sent since it is being written.
    of_head: usize,
    /// Readers at work.
    readers: usize,
    /// The writer was told of a failure.
    has_failed: bool,
    /// What was sent and not taken.
    sent: HashMap<usize, VecDeque<Result<Sent, Fault>>>,
}

impl State {
    fn has_room(&self, index: usize, bytes: usize) -> bool {
        if index == self.head {
            self.of_head == 0 || self.of_head + bytes <= LIMIT_BYTES_OF_HEAD
        } else {
            self.waiting + bytes <= LIMIT_BYTES
        }
    }

    fn count(&mut self, index: usize, bytes: usize) {
        self.waiting += bytes;
        if index == self.head {
            self.of_head += bytes;
        }
    }

    /// Takes what comes next of the piece being written.
    fn take(&mut self) -> Option<Result<Sent, Fault>> {
        let sent = self.sent.get_mut(&self.head)?.pop_front()?;
        match &sent {
            Ok(Sent::Bytes(bytes)) => {
                self.waiting = self.waiting.saturating_sub(bytes.len());
                self.of_head = self.of_head.saturating_sub(bytes.len());
            }
            Ok(Sent::End(_)) => {
                self.sent.remove(&self.head);
                self.head += 1;
                self.of_head = 0;
            }
            // Nothing comes after it.
            Err(_) => self.has_failed = true,
        }
        Some(sent)
    }
}

/// Shared by the readers and the writer.
#[derive(Default)]
pub(super) struct Window {
    state: Mutex<State>,
    /// Readers may go on.
    moved: Condvar,
    /// There is something of the piece being written.
    arrived: Condvar,
}

impl Window {
    /// Where a reader puts a piece.
    pub(super) fn piece(&self, index: usize) -> Slot<'_> {
        Slot {
            window: self,
            index,
            is_open: true,
        }
    }

    /// Counts a reader, until it is dropped.
    pub(super) fn reader(&self) -> Presence<'_> {
        self.lock().readers += 1;
        Presence(self)
    }

    /// What comes next, of all pieces in their order; waits for it. A piece's failure comes in its turn,
    /// and that of readers that are gone when there is nothing else.
    pub(super) fn next(&self) -> Result<Sent, Fault> {
        let mut state = self.lock();
        loop {
            if let Some(sent) = state.take() {
                self.moved.notify_all();
                return sent;
            }
            if state.readers == 0 || state.has_failed {
                return Err(gone());
            }
            let woken = self.arrived.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn put(&self, state: &mut State, index: usize, sent: Result<Sent, Fault>) {
        state.sent.entry(index).or_default().push_back(sent);
        if index == state.head {
            self.arrived.notify_all();
        }
    }

    fn wait_until(
        &self,
        cx: &Context,
        ready: impl Fn(&State) -> bool,
    ) -> Result<MutexGuard<'_, State>, Fault> {
        let mut state = self.lock();
        while !ready(&state) {
            cx.check()?;
            let waited = self.moved.wait_timeout(state, LOOK_EVERY);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(state)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one piece. Whoever drops it before its end has failed it.
pub(super) struct Slot<'a> {
    window: &'a Window,
    index: usize,
    is_open: bool,
}

impl Slot<'_> {
    /// Waits until the piece may be begun.
    pub(super) fn may_begin(&self, cx: &Context) -> Result<(), Fault> {
        let is_near = |state: &State| self.index < state.head + LIMIT_PIECES;
        self.window.wait_until(cx, is_near).map(drop)
    }

    /// Sends bytes once there is room for them.
    pub(super) fn send(&self, bytes: Vec<u8>, cx: &Context) -> Result<(), Fault> {
        let has_room = |state: &State| state.has_room(self.index, bytes.len());
        let mut state = self.window.wait_until(cx, has_room)?;
        state.count(self.index, bytes.len());
        self.window
            .put(&mut state, self.index, Ok(Sent::Bytes(bytes)));
        Ok(())
    }

    /// The piece is whole.
    pub(super) fn end(self, end: End) {
        self.last(Ok(Sent::End(end)));
    }

    /// It failed.
    pub(super) fn fail(self, fault: Fault) {
        self.last(Err(fault));
    }

    fn last(mut self, sent: Result<Sent, Fault>) {
        self.is_open = false;
        self.window.put(&mut self.window.lock(), self.index, sent);
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        if self.is_open {
            let mut state = self.window.lock();
            self.window.put(&mut state, self.index, Err(gone()));
        }
    }
}

/// A reader at work. The writer does not wait for those that are gone.
pub(super) struct Presence<'a>(&'a Window);

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        self.0.lock().readers -= 1;
        self.0.arrived.notify_all();
    }
}

fn gone() -> Fault {
    Fault::bare(FaultKind::Internal, "a thread that copied rows is gone")
}

#[cfg(test)]
mod tests {
    use std::thread;

    use respaldo_engine::ports::Interrupt;

    use super::*;

    fn end() -> End {
        End {
            sum: None,
            plain_bytes: 0,
            fingerprint: RowFingerprint::default(),
        }
    }

    /// What the writer gets: bytes as their number, ends and failures as they are.
    fn all(window: &Window, count: usize) -> Vec<String> {
        let told = |sent: Result<Sent, Fault>| match sent {
            Ok(Sent::Bytes(bytes)) => bytes.len().to_string(),
            Ok(Sent::End(_)) => "end".to_owned(),
            Err(fault) => fault.to_string(),
        };
        (0..count).map(|_| told(window.next())).collect()
    }

    /// A window whose readers are at work, whoever plays them.
    fn window() -> Window {
        let window = Window::default();
        window.lock().readers = 2;
        window
    }

    #[test]
    fn pieces_come_out_in_their_order_whatever_order_they_come_in() {
        let (window, cx) = (window(), Context::quiet());
        let (first, second) = (window.piece(0), window.piece(1));
        second.send(vec![0; 7], &cx).unwrap();
        second.end(end());
        first.send(vec![0; 3], &cx).unwrap();
        first.send(vec![0; 4], &cx).unwrap();
        first.end(end());
        assert_eq!(all(&window, 5), ["3", "4", "end", "7", "end"]);
    }

    #[test]
    fn the_piece_whose_turn_it_is_goes_on_where_others_take_all_of_the_room() {
        let (window, cx) = (window(), Context::quiet());
        let (first, second) = (window.piece(0), window.piece(1));
        second.send(vec![0; LIMIT_BYTES], &cx).unwrap();
        first.send(vec![0; 9], &cx).unwrap();
        thread::scope(|threads| {
            let more = threads.spawn(|| second.send(vec![0; 1], &cx));
            first.end(end());
            let all = all(&window, 4);
            assert_eq!(all, ["9", "end", &LIMIT_BYTES.to_string(), "1"]);
            more.join().unwrap().unwrap();
        });
        second.end(end());
    }

    #[test]
    fn a_piece_that_nobody_ends_has_failed_in_its_turn() {
        let (window, cx) = (window(), Context::quiet());
        drop(window.piece(1));
        let first = window.piece(0);
        first.send(vec![0; 2], &cx).unwrap();
        first.end(end());
        let all = all(&window, 3);
        assert_eq!(all[..2], ["2", "end"]);
        assert!(all[2].contains("is gone"), "{all:?}");
    }

    #[test]
    fn a_failure_comes_in_its_turn_and_nothing_after_it() {
        let (window, cx) = (window(), Context::quiet());
        let full = || Fault::bare(FaultKind::Full, "it is full");
        window.piece(1).fail(full());
        window.piece(2).end(end());
        let first = window.piece(0);
        first.send(vec![0; 2], &cx).unwrap();
        first.end(end());
        assert_eq!(all(&window, 3), ["2", "end", &full().to_string()]);
        assert!(all(&window, 1)[0].contains("is gone"));
    }

    #[test]
    fn the_writer_does_not_wait_for_readers_that_are_gone() {
        let window = Window::default();
        let reader = window.reader();
        thread::scope(|threads| {
            let written = threads.spawn(|| all(&window, 1));
            drop(reader);
            assert!(written.join().unwrap()[0].contains("is gone"));
        });
    }

    #[test]
    fn an_interruption_ends_the_wait_for_room() {
        let window = Window::default();
        let stop = Interrupt::default();
        let cx = Context::quiet().with_interrupt(stop.clone());
        let second = window.piece(1);
        second.send(vec![0; LIMIT_BYTES], &cx).unwrap();
        stop.set();
        assert!(second.send(vec![0; 1], &cx).is_err());
        assert!(window.piece(LIMIT_PIECES).may_begin(&cx).is_err());
    }
}
