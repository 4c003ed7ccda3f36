//! Reading objects for validation: hashed as they pass, and with faults of the store kept apart
//! from damage, because decoders take any error for damage.

use std::io::{self, Read};
use std::ops::Range;

use respaldo_domain::object::{ObjectKey, Sha256};
use respaldo_engine::ports::{Context, Fault, ObjectReader};
use respaldo_engine::store::{HashingReader, fault_of_io};

const PIECE_BYTES: usize = 256 * 1024;

/// A stream that is hashed and remembers why it failed.
pub(crate) struct Watched<'a> {
    key: ObjectKey,
    inner: HashingReader<Box<dyn Read + Send + 'a>>,
    fault: Option<Fault>,
}

impl<'a> Watched<'a> {
    /// Opens an object, or a part of it.
    pub(crate) fn open(
        objects: &'a dyn ObjectReader,
        key: &ObjectKey,
        range: Option<Range<u64>>,
        cx: &Context,
    ) -> Result<Self, Fault> {
        let inner = HashingReader::new(objects.open(key, range, cx)?);
        Ok(Self {
            key: key.clone(),
            inner,
            fault: None,
        })
    }

    /// The store's fault, if reading met one.
    pub(crate) fn into_fault(self) -> Option<Fault> {
        self.fault
    }

    /// Reads what is left; gives the hash and the size of everything, or the store's fault.
    pub(crate) fn finish(mut self) -> Result<(Sha256, u64), Fault> {
        let mut buffer = vec![0; PIECE_BYTES];
        while self.fault.is_none() && self.read(&mut buffer).is_ok_and(|got| got > 0) {}
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok(self.inner.finish()),
        }
    }
}

impl Read for Watched<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inner.read(out) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.fault = Some(fault_of_io(format!("read {}", self.key), error));
                    return Err(io::Error::other("the store failed"));
                }
                Ok(got) => return Ok(got),
            }
        }
    }
}
