//! The source of a put, cut into pieces.

use std::io;

use bytes::Bytes;
use respaldo_engine::ports::{Context, Fault, FaultKind, PutSource};
use respaldo_engine::store::fault_of_io;

use super::upload::Piece;

/// Size of a piece: a multiple of 256 KiB, as Drive asks of all but the last.
const PIECE_BYTES: u64 = 8 * 1024 * 1024;
/// How much is read between two looks at whether to stop.
const STEP_BYTES: usize = 256 * 1024;

/// Cuts a source; gives its last piece only when it ended where it promised to.
pub(super) struct Cutter<'a> {
    source: &'a mut dyn PutSource,
    subject: &'a str,
    total: u64,
    at: u64,
}

impl<'a> Cutter<'a> {
    pub(super) fn new(source: &'a mut dyn PutSource, subject: &'a str) -> Self {
        let total = source.size_bytes();
        Self {
            source,
            subject,
            total,
            at: 0,
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// The next piece; of an empty source one empty piece.
    pub(super) fn piece(&mut self, cx: &Context) -> Result<Piece, Fault> {
        let wanted = (self.total - self.at).min(PIECE_BYTES) as usize;
        let mut bytes = vec![0; wanted];
        for step in bytes.chunks_mut(STEP_BYTES) {
            self.fill(step, cx)?;
        }
        let piece = Piece {
            at: self.at,
            bytes: Bytes::from(bytes),
        };
        self.at += wanted as u64;
        if self.at == self.total {
            self.ensure_end(cx)?;
        }
        Ok(piece)
    }

    fn fill(&mut self, mut into: &mut [u8], cx: &Context) -> Result<(), Fault> {
        while !into.is_empty() {
            match self.read(into, cx)? {
                0 => return Err(self.corrupt("ended early")),
                read => into = &mut into[read..],
            }
        }
        Ok(())
    }

    fn ensure_end(&mut self, cx: &Context) -> Result<(), Fault> {
        match self.read(&mut [0], cx)? {
            0 => Ok(()),
            _ => Err(self.corrupt("goes on")),
        }
    }

    fn read(&mut self, into: &mut [u8], cx: &Context) -> Result<usize, Fault> {
        loop {
            cx.check()?;
            match self.source.read(into) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read.map_err(|error| fault_of_io(self.subject.to_owned(), error)),
            }
        }
    }

    fn corrupt(&self, what: &str) -> Fault {
        let why = format!("the source of {} bytes {what}", self.total);
        Fault::new(FaultKind::Corrupt, self.subject, why)
    }
}
