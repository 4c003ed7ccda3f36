//! What was opened, with damage told from faults of the store beneath.

use std::io::{self, Read, Seek, SeekFrom};

use age::stream::StreamReader;
use respaldo_engine::ports::{Fault, FaultKind};

/// The inside of an encrypted stream.
pub(crate) struct Opened<R>(pub(crate) StreamReader<R>);

impl<R: Read> Read for Opened<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        self.0.read(out).map_err(told)
    }
}

impl<R: Read + Seek> Seek for Opened<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to).map_err(told)
    }
}

fn told(error: io::Error) -> io::Error {
    io::Error::other(fault(error))
}

/// The store's own fault, or damage: nothing else fails here.
pub(crate) fn fault(error: io::Error) -> Fault {
    error.downcast::<Fault>().unwrap_or_else(|error| {
        let subject = "what is encrypted was changed, cut off or damaged";
        Fault::new(FaultKind::Corrupt, subject, error)
    })
}
