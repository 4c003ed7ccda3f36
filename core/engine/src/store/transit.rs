//! Bytes on their way: hashed as they pass, and faults that travel through `Read` and `Write`.

use std::io::{self, Read, Write};

use respaldo_domain::object::Sha256;
use sha2::Digest;

use crate::ports::{Fault, FaultKind};

const PIECE_BYTES: usize = 256 * 1024;

/// Hashes and counts what is read through it.
pub struct HashingReader<R> {
    inner: R,
    hash: sha2::Sha256,
    bytes: u64,
}

impl<R: Read> HashingReader<R> {
    /// Nothing read yet.
    pub fn new(inner: R) -> Self {
        Self {
            inner,
            hash: sha2::Sha256::new(),
            bytes: 0,
        }
    }

    /// Bytes read so far.
    pub fn count(&self) -> u64 {
        self.bytes
    }

    /// What is read.
    pub fn inner(&self) -> &R {
        &self.inner
    }

    /// Begins anew where `rewind` brings what is read back to its first byte.
    pub fn rewind_with(&mut self, rewind: impl FnOnce(&mut R) -> bool) -> bool {
        let done = rewind(&mut self.inner);
        if done {
            self.hash = sha2::Sha256::new();
            self.bytes = 0;
        }
        done
    }

    /// Reads what is left.
    pub fn drain(&mut self) -> io::Result<()> {
        drain(self)
    }

    /// The hash and the count of what was read.
    pub fn finish(self) -> (Sha256, u64) {
        (Sha256(self.hash.finalize().into()), self.bytes)
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(out)?;
        self.hash.update(&out[..got]);
        self.bytes += got as u64;
        Ok(got)
    }
}

/// Reads what is left of a stream, in pieces that suit a hash.
pub(super) fn drain(stream: &mut impl Read) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Hashes and counts what is written to it, and keeps nothing.
#[derive(Default)]
pub struct HashingWriter {
    hash: sha2::Sha256,
    bytes: u64,
}

impl HashingWriter {
    /// The hash and the count of what was written.
    pub fn finish(self) -> (Sha256, u64) {
        (Sha256(self.hash.finalize().into()), self.bytes)
    }
}

impl Write for HashingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Packs a fault for a `Read` or `Write`. Never as `Interrupted`, which callers retry for ever.
pub fn io_of_fault(fault: Fault) -> io::Error {
    let kind = match fault.kind {
        FaultKind::NotFound => io::ErrorKind::NotFound,
        FaultKind::Denied => io::ErrorKind::PermissionDenied,
        FaultKind::Full => io::ErrorKind::StorageFull,
        FaultKind::Corrupt => io::ErrorKind::InvalidData,
        FaultKind::Invalid => io::ErrorKind::InvalidInput,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, fault)
}

/// The fault that travelled in an error, or one made from it.
pub fn fault_of_io(subject: impl Into<String>, error: io::Error) -> Fault {
    error
        .downcast::<Fault>()
        .unwrap_or_else(|error| Fault::io(subject, error))
}
