//! The COPY text of a block, a piece at a time, without the mark at its end.

use std::io::Read;

use crate::ports::{Context, Fault, FaultKind};

/// What ends the COPY text of a block: the end mark, and two newlines of pg_dump's.
const END_MARK: &[u8] = b"\\.\n\n\n";

/// Text at hand at once, in bytes: what a processor's cache holds on the way through decoder and driver.
const PIECE_BYTES: usize = 128 * 1024;

/// Room for the sake of one row, in bytes: one of half as many fits for sure.
const MOST_BYTES: usize = 2 * 1024 * 1024;

/// Reads a block's text.
pub(super) struct CopyText<R> {
    decoded: R,
    piece: Vec<u8>,
    /// What is at hand of the piece. Its last few bytes may be the end mark, until nothing more comes.
    begin: usize,
    end: usize,
    is_ended: bool,
}

impl<R: Read> CopyText<R> {
    /// Nothing read yet.
    pub(super) fn new(decoded: R) -> Self {
        Self {
            decoded,
            piece: vec![0; PIECE_BYTES],
            begin: 0,
            end: 0,
            is_ended: false,
        }
    }

    /// Reads on behind what was not taken. `false`: there is no more.
    pub(super) fn fill(&mut self, cx: &Context) -> Result<bool, Fault> {
        self.piece.copy_within(self.begin..self.end, 0);
        self.end -= self.begin;
        self.begin = 0;
        while !self.is_ended && self.end <= self.piece.len() / 2 {
            cx.check()?;
            let read = self.decoded.read(&mut self.piece[self.end..]);
            let count = read.map_err(undecoded)?;
            cx.progress().bytes(count as u64);
            self.end += count;
            self.is_ended = count == 0;
            if self.is_ended {
                self.take_off_the_mark()?;
            }
        }
        Ok(!self.ready().is_empty())
    }

    fn take_off_the_mark(&mut self) -> Result<(), Fault> {
        let rows = self.piece[..self.end].strip_suffix(END_MARK);
        let what = "a block does not end with the end mark of COPY";
        self.end = rows
            .ok_or_else(|| Fault::bare(FaultKind::Corrupt, what))?
            .len();
        Ok(())
    }

    /// What is rows for sure.
    pub(super) fn ready(&self) -> &[u8] {
        let kept = if self.is_ended { 0 } else { END_MARK.len() };
        &self.piece[self.begin..self.end.saturating_sub(kept).max(self.begin)]
    }

    /// So many bytes of what is ready are done with.
    pub(super) fn take(&mut self, bytes: usize) {
        self.begin += bytes;
    }

    /// Makes room for a row that is longer than what is at hand. `false`: more would not help, or would be too much.
    pub(super) fn grow(&mut self) -> bool {
        let grows = !self.is_ended && self.piece.len() < MOST_BYTES;
        if grows {
            self.piece.resize(self.piece.len() * 2, 0);
        }
        grows
    }
}

/// Storage's own fault where reading failed, else a block that is no block.
fn undecoded(error: std::io::Error) -> Fault {
    error
        .downcast::<Fault>()
        .unwrap_or_else(|error| Fault::new(FaultKind::Corrupt, "a block cannot be decoded", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives what it holds in reads of so many bytes.
    struct Drops<'a>(&'a [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(into.len());
            self.0.read(&mut into[..count])
        }
    }

    fn all(text: &[u8], drop: usize) -> Result<Vec<u8>, Fault> {
        let cx = Context::quiet();
        let (mut text, mut all) = (CopyText::new(Drops(text, drop)), Vec::new());
        while text.fill(&cx)? {
            let ready = text.ready().len();
            all.extend_from_slice(text.ready());
            text.take(ready);
        }
        Ok(all)
    }

    #[test]
    fn a_blocks_text_comes_without_its_end_mark_however_it_is_read() {
        let rows = "1\tone\n".repeat(50_000);
        let block = format!("{rows}\\.\n\n\n");
        for drop in [1, 5, 4096, usize::MAX] {
            assert_eq!(all(block.as_bytes(), drop).unwrap(), rows.as_bytes());
        }
        assert_eq!(all(END_MARK, 1).unwrap(), b"");
    }

    #[test]
    fn text_without_the_mark_at_its_end_is_damage() {
        for text in ["", "1\n", "1\n\\.\n", "1\n\\.\n\n\n1\n"] {
            assert_eq!(
                all(text.as_bytes(), 2).unwrap_err().kind,
                FaultKind::Corrupt
            );
        }
    }

    #[test]
    fn what_is_not_taken_stays_and_a_long_row_finds_room_up_to_a_bound() {
        let row = "x".repeat(MOST_BYTES * 2);
        let block = format!("{row}\n\\.\n\n\n");
        let cx = Context::quiet();
        let mut text = CopyText::new(block.as_bytes());
        let mut last = 0;
        while text.fill(&cx).unwrap() && text.grow() {
            assert!(text.ready().len() > last);
            last = text.ready().len();
        }
        assert!((MOST_BYTES / 2..=MOST_BYTES).contains(&text.ready().len()));
        let mut left = 0;
        while text.fill(&cx).unwrap() {
            left += text.ready().len();
            let ready = text.ready().len();
            text.take(ready);
        }
        assert_eq!(left, row.len() + 1);
    }
}
