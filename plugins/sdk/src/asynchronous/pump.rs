//! What lies between a blocking stream of the host and a future's: bounded channels that fail closed. A
//! channel whose other end is just gone is an error, never an end.

use std::io::{self, BufRead, Write};
use std::pin::Pin;
use std::task::{Context as Waker, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::error::{Error, Result, Status, StreamFailed};
use crate::records::ObjectInfo;

/// Pieces on their way to a future.
const PIECES: usize = 4;
/// Bytes of a piece, and on their way from a future.
const PIECE: usize = 256 * 1024;
/// Records on their way from a future.
const RECORDS: usize = 256;

/// The object that a `put` is given.
#[derive(Debug)]
pub struct Source {
    pieces: Receiver<Vec<u8>>,
    piece: Vec<u8>,
    taken: usize,
    ended: bool,
}

/// The host's end of a [`Source`]. An empty piece is the end of the stream.
pub(super) struct Feed(Sender<Vec<u8>>);

pub(super) fn source() -> (Feed, Source) {
    let (sender, pieces) = channel(PIECES);
    let source = Source {
        pieces,
        piece: Vec::new(),
        taken: 0,
        ended: false,
    };
    (Feed(sender), source)
}

impl Source {
    /// The next piece, `None` at the end.
    pub async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.ended {
            return Ok(None);
        }
        if self.taken < self.piece.len() {
            let taken = std::mem::take(&mut self.taken);
            return Ok(Some(std::mem::take(&mut self.piece).split_off(taken)));
        }
        let piece = self.pieces.recv().await;
        self.noted(piece)
    }

    /// `None` of the channel: the host's end is gone.
    fn noted(&mut self, piece: Option<Vec<u8>>) -> io::Result<Option<Vec<u8>>> {
        let piece = piece.ok_or_else(StreamFailed::error)?;
        self.ended = piece.is_empty();
        Ok((!self.ended).then_some(piece))
    }
}

impl AsyncRead for Source {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Waker<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.taken == self.piece.len() && !self.ended {
            let piece = ready!(self.pieces.poll_recv(cx));
            self.piece = self.noted(piece)?.unwrap_or_default();
            self.taken = 0;
        }
        let rest = &self.piece[self.taken..];
        let count = rest.len().min(buf.remaining());
        buf.put_slice(&rest[..count]);
        self.taken += count;
        Poll::Ready(Ok(()))
    }
}

impl Feed {
    /// Gives a stream to its end. It is the pump that owns the sender, so that a failure closes the channel.
    pub(super) async fn of(self, from: &mut dyn BufRead) -> Result<()> {
        loop {
            let bytes = from.fill_buf()?;
            let piece = &bytes[..bytes.len().min(PIECE)];
            let len = piece.len();
            // A future that is gone has a result of its own.
            if self.0.send(piece.to_vec()).await.is_err() || len == 0 {
                return Ok(());
            }
            from.consume(len);
        }
    }
}

/// Where a `get` writes.
#[derive(Debug)]
pub struct Into(DuplexStream);

/// The host's end of an [`Into`].
pub(super) struct Drain(DuplexStream);

pub(super) fn into() -> (Drain, Into) {
    let (ours, theirs) = tokio::io::duplex(PIECE);
    (Drain(ours), Into(theirs))
}

impl AsyncWrite for Into {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Waker<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Waker<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Waker<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl Drain {
    /// Takes until the future's end is gone; whether that was an end its result says. Ours is dropped at once
    /// where the host fails, so that the future is not left waiting for room.
    pub(super) async fn to(mut self, into: &mut dyn Write) -> Result<()> {
        let mut piece = vec![0; PIECE];
        loop {
            let count = self.0.read(&mut piece).await?;
            if count == 0 {
                return Ok(());
            }
            into.write_all(&piece[..count])?;
        }
    }
}

/// Where a `list` puts what it finds.
#[derive(Debug)]
pub struct Found(Sender<ObjectInfo>);

/// The host's end of a [`Found`].
pub(super) struct Records(Receiver<ObjectInfo>);

pub(super) fn found() -> (Records, Found) {
    let (sender, records) = channel(RECORDS);
    (Records(records), Found(sender))
}

impl Found {
    /// Gives one object to the host. An error ends the enumeration.
    pub async fn give(&self, object: ObjectInfo) -> Result<()> {
        let given = self.0.send(object).await;
        given.map_err(|_| Error::new(Status::Stream, "the host takes no more records"))
    }
}

impl Records {
    pub(super) async fn to(mut self, each: &mut dyn FnMut(ObjectInfo) -> Result<()>) -> Result<()> {
        while let Some(record) = self.0.recv().await {
            each(record)?;
        }
        Ok(())
    }
}
