//! The pieces of a source that promised its length.

use std::io;

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, Fault, FaultKind, PutSource};
use respaldo_engine::store::fault_of_io;

/// Gives exactly the bytes that were promised, or a fault.
pub(crate) struct Pieces<'a> {
    source: &'a mut dyn PutSource,
    key: &'a ObjectKey,
    piece_bytes: usize,
    promised: u64,
    left: u64,
}

impl<'a> Pieces<'a> {
    /// Pieces of `piece_bytes`, the last one perhaps shorter.
    pub(crate) fn of(
        source: &'a mut dyn PutSource,
        key: &'a ObjectKey,
        piece_bytes: usize,
    ) -> Self {
        let promised = source.size_bytes();
        Self {
            source,
            key,
            piece_bytes,
            promised,
            left: promised,
        }
    }

    /// The next piece; `None` at the end. [`FaultKind::Corrupt`] where the source ends before what
    /// it promised, or goes on after it.
    pub(crate) fn next(&mut self, cx: &Context) -> Result<Option<Vec<u8>>, Fault> {
        let wanted = self.left.min(self.piece_bytes as u64) as usize;
        // One byte more than promised tells a source that goes on.
        let mut piece = vec![0; wanted.max(1)];
        let got = self.fill(&mut piece, cx)?;
        if got != wanted {
            return Err(self.of_another_length());
        }
        self.left -= got as u64;
        Ok((got > 0).then_some(piece))
    }

    fn fill(&mut self, piece: &mut [u8], cx: &Context) -> Result<usize, Fault> {
        let mut filled = 0;
        while filled < piece.len() {
            cx.check()?;
            match self.source.read(&mut piece[filled..]) {
                Ok(0) => break,
                Ok(got) => filled += got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(fault_of_io(
                        format!("read the source of {}", self.key),
                        error,
                    ));
                }
            }
        }
        Ok(filled)
    }

    fn of_another_length(&self) -> Fault {
        let subject = format!(
            "the source of {} does not have the {} bytes it promised",
            self.key, self.promised
        );
        Fault::bare(FaultKind::Corrupt, subject)
    }
}
