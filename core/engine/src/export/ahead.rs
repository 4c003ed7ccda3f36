//! Blocks read ahead: threads read and hash them by turns, in the order in which they are wanted, while
//! another writes what it is handed.

use std::cell::Cell;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use super::source::Source;
use crate::parts::Parts;
use crate::ports::{Context, Fault, FaultKind};
use crate::store::io_of_fault;

const PIECE_BYTES: usize = 256 * 1024;
/// Pieces of a thread on their way at once.
const PIECES: usize = 8;
/// Threads that read. Hashing takes them longer than writing takes the other.
const READERS: usize = 2;

/// What the reading thread hands over.
enum Piece {
    Bytes(Vec<u8>),
    /// The block is over, and it is the one that the manifest names.
    End,
    /// The block cannot be read, or is another one. Nothing follows.
    Failed(io::Error),
}

/// Blocks to be taken one after the other.
pub(super) struct Ahead {
    /// They have the blocks by turns.
    readers: Vec<Reader>,
    /// Blocks begun so far.
    begun: Cell<usize>,
    /// The last block was not read to its end.
    in_block: Cell<bool>,
}

/// What comes of one thread.
struct Reader {
    pieces: Receiver<Piece>,
    /// Pieces that were used up go back, to be filled again.
    used: Sender<Vec<u8>>,
}

/// Has `sources` read one after the other while `work` takes them in the same order.
pub(super) fn reading_ahead<T>(
    parts: &Parts,
    sources: &[&Source],
    cx: &Context,
    work: impl FnOnce(&Ahead) -> T,
) -> T {
    thread::scope(|scope| {
        let begin = |first: usize| {
            let (full, pieces) = sync_channel(PIECES);
            let (used, to_fill) = channel();
            let turn = sources.iter().skip(first).step_by(READERS);
            scope.spawn(move || read_all(parts, turn.copied(), &full, &to_fill, cx));
            Reader { pieces, used }
        };
        let ahead = Ahead {
            readers: (0..READERS).map(begin).collect(),
            begun: Cell::new(0),
            in_block: Cell::new(false),
        };
        let done = work(&ahead);
        // Threads whose work was given up find nobody to hand anything to.
        drop(ahead);
        done
    })
}

fn read_all<'s>(
    parts: &Parts,
    sources: impl Iterator<Item = &'s Source>,
    full: &SyncSender<Piece>,
    to_fill: &Receiver<Vec<u8>>,
    cx: &Context,
) {
    for source in sources {
        let last = match read(parts, source, full, to_fill, cx) {
            Ok(Handed::All) => Piece::End,
            Ok(Handed::NobodyIsThere) => return,
            Err(error) => Piece::Failed(error),
        };
        let is_over = matches!(last, Piece::Failed(_));
        if full.send(last).is_err() || is_over {
            return;
        }
    }
}

enum Handed {
    All,
    NobodyIsThere,
}

fn read(
    parts: &Parts,
    source: &Source,
    full: &SyncSender<Piece>,
    to_fill: &Receiver<Vec<u8>>,
    cx: &Context,
) -> io::Result<Handed> {
    let mut block = source.open(parts, cx).map_err(io_of_fault)?;
    loop {
        let mut piece = to_fill.try_recv().unwrap_or_default();
        piece.resize(PIECE_BYTES, 0);
        let got = fill(&mut block, &mut piece)?;
        if got == 0 {
            return Ok(Handed::All);
        }
        piece.truncate(got);
        if full.send(Piece::Bytes(piece)).is_err() {
            return Ok(Handed::NobodyIsThere);
        }
    }
}

/// Reads until the piece is full or the block over.
fn fill(block: &mut impl Read, piece: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < piece.len() {
        match block.read(&mut piece[filled..]) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

impl Ahead {
    /// The next block.
    pub(super) fn next(&self) -> io::Result<impl Read + use<'_>> {
        while self.in_block.get() {
            self.take()?;
        }
        self.in_block.set(true);
        self.begun.set(self.begun.get() + 1);
        Ok(Block {
            ahead: self,
            piece: Vec::new(),
            at: 0,
        })
    }

    /// Who reads the block that was begun last.
    fn reader(&self) -> &Reader {
        &self.readers[self.begun.get().saturating_sub(1) % READERS]
    }

    /// The next piece of the block; none at its end.
    fn take(&self) -> io::Result<Vec<u8>> {
        match self.reader().pieces.recv() {
            Ok(Piece::Bytes(piece)) => Ok(piece),
            Ok(Piece::End) => {
                self.in_block.set(false);
                Ok(Vec::new())
            }
            Ok(Piece::Failed(error)) => Err(error),
            Err(_) => {
                let what = "more blocks were asked for than were to be read";
                Err(io_of_fault(Fault::bare(FaultKind::Internal, what)))
            }
        }
    }
}

/// A block as it comes.
struct Block<'a> {
    ahead: &'a Ahead,
    piece: Vec<u8>,
    at: usize,
}

impl Read for Block<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() && self.ahead.in_block.get() {
            let next = self.ahead.take()?;
            let used = std::mem::replace(&mut self.piece, next);
            // Where the thread is gone there is nothing to be filled again.
            _ = self.ahead.reader().used.send(used);
            self.at = 0;
        }
        let left = &self.piece[self.at..];
        let taken = left.len().min(out.len());
        out[..taken].copy_from_slice(&left[..taken]);
        self.at += taken;
        Ok(taken)
    }
}
