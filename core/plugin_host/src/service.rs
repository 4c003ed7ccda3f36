//! Where calls go: an instance of a plugin, wherever it runs.

use std::io::{self, BufRead, Read, Write};

use respaldo_engine::ports::Context;

use crate::error::PluginErrorKind;
use crate::request::Request;

/// An instance of a plugin. Calls block; several at once are put in order where the plugin wants it.
pub(crate) trait Service: Send + Sync {
    /// Makes the call with these streams.
    fn call(
        &self,
        request: &Request,
        streams: &mut Streams<'_>,
        cx: &Context,
    ) -> Result<(), PluginErrorKind>;

    /// What a key is appended to so that a person finds the object; empty where it did not say.
    fn location(&self) -> String;

    /// Memory of its process, where it has one of its own, in bytes.
    fn resident_bytes(&self) -> Option<u64> {
        None
    }
}

/// What a call reads, writes and tells.
pub(crate) struct Streams<'a> {
    /// What it reads, where it reads.
    pub(crate) source: Option<&'a mut (dyn Read + Send)>,
    /// Where it writes, where it writes.
    pub(crate) into: Option<&'a mut (dyn Write + Send)>,
    /// Takes each document of its result; an error ends the call.
    pub(crate) emit: Emit<'a>,
}

/// Takes a document.
pub(crate) type Emit<'a> = &'a mut (dyn FnMut(&str) -> Result<(), PluginErrorKind> + Send);

/// A source that lends its bytes, of which a failure is told once.
pub(crate) trait Lender: BufRead + Send {}

impl<T: BufRead + Send> Lender for T {}

/// A destination that lends room.
pub(crate) trait Borrower: Send {
    /// At least one byte of room.
    fn reserve(&mut self) -> io::Result<&mut [u8]>;
    /// So many bytes of the room were written.
    fn commit(&mut self, len: usize) -> io::Result<()>;
    /// Hands on what is kept back.
    fn finish(&mut self) -> io::Result<()>;
}

/// Lends a buffer and writes it on.
pub(crate) struct Buffered<W> {
    inner: W,
    room: Vec<u8>,
    used: usize,
}

/// Bytes of a buffer between a plugin and us.
pub(crate) const BUFFER_BYTES: usize = 256 << 10;

impl<W: Write> Buffered<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self {
            inner,
            room: vec![0; BUFFER_BYTES],
            used: 0,
        }
    }

    fn empty(&mut self) -> io::Result<()> {
        let used = std::mem::take(&mut self.used);
        self.inner.write_all(&self.room[..used])
    }
}

impl<W: Write + Send> Borrower for Buffered<W> {
    fn reserve(&mut self) -> io::Result<&mut [u8]> {
        if self.used == self.room.len() {
            self.empty()?;
        }
        Ok(&mut self.room[self.used..])
    }

    fn commit(&mut self, len: usize) -> io::Result<()> {
        self.used = (self.used + len).min(self.room.len());
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.empty()
    }
}
