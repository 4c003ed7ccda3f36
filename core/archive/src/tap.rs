//! Input and output which know their position and, on request, the SHA-256 of what passed.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use sha2::{Digest, Sha256};

use crate::error::{ArchiveError, Result};
use crate::wire::{INT_LEN, int_from};

const BUFFER: usize = 256 * 1024;
/// Of output: less than a chunk, which so goes out as it is instead of being copied once more.
const OUT_BUFFER: usize = 64 * 1024;

/// Buffered input.
pub(crate) struct Tap<R> {
    inner: BufReader<R>,
    at: u64,
    hash: Option<Sha256>,
}

impl<R: Read> Tap<R> {
    pub(crate) fn new(source: R) -> Self {
        Self {
            inner: BufReader::with_capacity(BUFFER, source),
            at: 0,
            hash: None,
        }
    }

    pub(crate) fn position(&self) -> u64 {
        self.at
    }

    /// Starts hashing what is consumed from here on.
    pub(crate) fn start_hash(&mut self) {
        self.hash = Some(Sha256::new());
    }

    /// The hash since it was started.
    pub(crate) fn take_hash(&mut self) -> Option<[u8; 32]> {
        self.hash.take().map(|hash| hash.finalize().into())
    }

    pub(crate) fn int(&mut self, reading: &'static str) -> Result<i32> {
        let mut bytes = [0; INT_LEN];
        for byte in &mut bytes {
            *byte = self.byte(reading)?;
        }
        int_from(bytes).ok_or(ArchiveError::Damaged {
            at: self.at,
            problem: "an integer is malformed",
        })
    }

    fn byte(&mut self, reading: &'static str) -> Result<u8> {
        let next = self.fill_buf()?.first().copied();
        let byte = next.ok_or(ArchiveError::Truncated {
            at: self.at,
            reading,
        })?;
        self.consume(1);
        Ok(byte)
    }
}

impl<R: Read> BufRead for Tap<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.inner.buffer().is_empty() {
            match self.inner.fill_buf() {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Marked as ours, so that a decoder above does not take a failed read for damaged data.
                Err(error) => return Err(ArchiveError::from(error).into()),
            }
        }
        Ok(self.inner.buffer())
    }

    fn consume(&mut self, amount: usize) {
        if let Some(hash) = &mut self.hash {
            hash.update(&self.inner.buffer()[..amount]);
        }
        self.inner.consume(amount);
        self.at += amount as u64;
    }
}

impl<R: Read> Read for Tap<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, out)
    }
}

/// `Read` in terms of `BufRead`.
pub(crate) fn read_buffered(source: &mut impl BufRead, out: &mut [u8]) -> io::Result<usize> {
    let available = source.fill_buf()?;
    let taken = available.len().min(out.len());
    out[..taken].copy_from_slice(&available[..taken]);
    source.consume(taken);
    Ok(taken)
}

/// Buffered output.
pub(crate) struct Tally<W: Write> {
    inner: BufWriter<W>,
    at: u64,
    hash: Option<Sha256>,
}

impl<W: Write> Tally<W> {
    pub(crate) fn new(out: W) -> Self {
        Self {
            inner: BufWriter::with_capacity(OUT_BUFFER, out),
            at: 0,
            hash: None,
        }
    }

    pub(crate) fn position(&self) -> u64 {
        self.at
    }

    /// Starts hashing what is written from here on.
    pub(crate) fn start_hash(&mut self) {
        self.hash = Some(Sha256::new());
    }

    /// The hash since it was started.
    pub(crate) fn take_hash(&mut self) -> Option<[u8; 32]> {
        self.hash.take().map(|hash| hash.finalize().into())
    }

    pub(crate) fn into_inner(self) -> Result<W> {
        Ok(self
            .inner
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?)
    }
}

impl<W: Write + Seek> Tally<W> {
    /// Writes the first bytes once more, as many as there were, and returns to the end.
    pub(crate) fn overwrite_start(
        &mut self,
        write: impl FnOnce(&mut BufWriter<W>) -> Result<()>,
    ) -> Result<()> {
        let start = self.inner.stream_position()?.saturating_sub(self.at);
        self.inner.seek(SeekFrom::Start(start))?;
        write(&mut self.inner)?;
        self.inner.seek(SeekFrom::Start(start + self.at))?;
        Ok(())
    }
}

impl<W: Write> Write for Tally<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        if let Some(hash) = &mut self.hash {
            hash.update(&bytes[..written]);
        }
        self.at += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
