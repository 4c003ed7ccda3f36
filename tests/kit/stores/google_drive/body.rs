//! Bodies, a piece at a time.

use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, BodyDataStream, Bytes};
use futures_core::Stream;

const PIECE_BYTES: u64 = 64 * 1024;

/// The next piece of a request's body.
pub(super) async fn next(body: &mut BodyDataStream) -> Option<Result<Bytes, axum::Error>> {
    poll_fn(|cx| Pin::new(&mut *body).poll_next(cx)).await
}

/// A small body, whole.
pub(super) async fn whole(body: Body) -> Vec<u8> {
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(Ok(piece)) = next(&mut stream).await {
        bytes.extend_from_slice(&piece);
        assert!(bytes.len() < 1 << 20, "a large body where none belongs");
    }
    bytes
}

/// Bytes of a file as a body, which breaks where it is told to.
pub(super) struct FileBody {
    file: File,
    left: u64,
    cut_after: Option<u64>,
}

impl FileBody {
    pub(super) fn open(path: &Path, at: u64, length: u64, cut_after: Option<u64>) -> Body {
        let mut file = File::open(path).unwrap();
        file.seek(SeekFrom::Start(at)).unwrap();
        Body::from_stream(Self {
            file,
            left: length,
            cut_after,
        })
    }
}

impl Stream for FileBody {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if self.cut_after == Some(0) {
            return Poll::Ready(Some(Err(io::Error::other("a planned cut"))));
        }
        let length = self
            .left
            .min(PIECE_BYTES)
            .min(self.cut_after.unwrap_or(u64::MAX));
        let mut piece = vec![0; length as usize];
        self.file.read_exact(&mut piece)?;
        self.left -= length;
        self.cut_after = self.cut_after.map(|after| after - length);
        Poll::Ready(Some(Ok(piece.into())))
    }
}
