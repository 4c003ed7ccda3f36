//! The body of an upload: pieces that are handed over while it is sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// How many pieces may wait to be sent.
const WAITING: usize = 4;

/// A body of known size whose pieces come through a channel. It fails when they end before: a
/// server must not take half of an upload for the whole.
pub(super) struct Streamed {
    pieces: Receiver<Bytes>,
    left: u64,
}

/// A body of so many bytes, and where to put them.
pub(super) fn streamed(size_bytes: u64) -> (Sender<Bytes>, Streamed) {
    let (sender, pieces) = channel(WAITING);
    let left = size_bytes;
    (sender, Streamed { pieces, left })
}

impl Body for Streamed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.pieces.poll_recv(cx).map(|piece| match piece {
            Some(piece) => {
                self.left = self.left.saturating_sub(piece.len() as u64);
                Some(Ok(Frame::data(piece)))
            }
            None => Some(Err(io::Error::other("the upload was given up"))),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
