//! What passes over the socket of a lane: sixteen bytes, and for some frames text behind them.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use crate::request::Request;

/// Longest text behind a frame, in bytes: the verdicts' request of a large database.
const MAX_TEXT: usize = 512 << 20;
const HEAD_BYTES: usize = 16;

/// One frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// Host: do this.
    Call(Vec<u8>),
    /// Either: so many bytes lie in this slot.
    Data { slot: u32, len: u64 },
    /// Host: the stream has ended.
    End,
    /// Host: the stream has failed or the call is to stop.
    Abort,
    /// Either: this slot is empty again.
    Credit { slot: u32 },
    /// Child: documents of the result, each behind its length.
    Emit(Vec<u8>),
    /// Child: so much is done.
    Progress { done: u64 },
    /// Child: a line of log.
    Log { level: u32, message: Vec<u8> },
    /// Child: the call has returned.
    Result(Vec<u8>),
    /// Host: nothing more comes for this call.
    Over,
}

/// What the host asks of a lane.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub(super) enum Ask {
    /// Load the library and say what is in it.
    Load,
    /// Make the instance.
    Create { id: String, options: String },
    /// Call the instance.
    Call(Request),
}

/// What is told of an instance that was made.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Made {
    /// What a key is appended to so that a person finds the object.
    pub(super) location: String,
    /// Calls may come at once.
    pub(super) concurrent: bool,
}

/// How it ended.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Answer {
    /// A status of the boundary.
    pub(super) status: i32,
    /// Why, where it failed.
    pub(super) message: String,
    /// Bytes of its stream that it took.
    pub(super) read_bytes: u64,
    /// The library itself is to blame, not a call.
    pub(super) load_failed: bool,
}

impl Frame {
    fn head(&self) -> (u32, u32, u64) {
        match self {
            Self::Call(text) => (1, 0, text.len() as u64),
            Self::Data { slot, len } => (2, *slot, *len),
            Self::End => (3, 0, 0),
            Self::Abort => (4, 0, 0),
            Self::Credit { slot } => (5, *slot, 0),
            Self::Emit(text) => (6, 0, text.len() as u64),
            Self::Progress { done } => (7, 0, *done),
            Self::Log { level, message } => (8, *level, message.len() as u64),
            Self::Result(text) => (9, 0, text.len() as u64),
            Self::Over => (10, 0, 0),
        }
    }

    fn text(&self) -> &[u8] {
        match self {
            Self::Call(text) | Self::Emit(text) | Self::Result(text) => text,
            Self::Log { message, .. } => message,
            _ => &[],
        }
    }

    /// Sends it.
    pub(super) fn write(&self, mut to: impl Write) -> io::Result<()> {
        let (kind, number, len) = self.head();
        let mut head = [0; HEAD_BYTES];
        head[..4].copy_from_slice(&kind.to_le_bytes());
        head[4..8].copy_from_slice(&number.to_le_bytes());
        head[8..].copy_from_slice(&len.to_le_bytes());
        to.write_all(&head)?;
        to.write_all(self.text())
    }

    /// Takes the next one; nothing of it is believed but its form.
    pub(super) fn read(mut from: impl Read) -> io::Result<Self> {
        let mut head = [0; HEAD_BYTES];
        from.read_exact(&mut head)?;
        let four = |at: usize| {
            let bytes = head[at..].first_chunk::<4>().copied();
            u32::from_le_bytes(bytes.unwrap_or_default())
        };
        let (kind, number) = (four(0), four(4));
        let len = u64::from(four(8)) | u64::from(four(12)) << 32;
        let mut text = || text(&mut from, len);
        Ok(match kind {
            1 => Self::Call(text()?),
            2 => Self::Data { slot: number, len },
            3 => Self::End,
            4 => Self::Abort,
            5 => Self::Credit { slot: number },
            6 => Self::Emit(text()?),
            7 => Self::Progress { done: len },
            8 => Self::Log {
                level: number,
                message: text()?,
            },
            9 => Self::Result(text()?),
            10 => Self::Over,
            _ => return Err(bad("a frame of an unknown kind")),
        })
    }
}

fn text(from: &mut impl Read, len: u64) -> io::Result<Vec<u8>> {
    if len > MAX_TEXT as u64 {
        return Err(bad("a frame that is too long"));
    }
    // Grows as bytes come: a length alone takes no memory.
    let mut text = Vec::new();
    let got = from.take(len).read_to_end(&mut text)?;
    if got as u64 == len {
        Ok(text)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Puts a document behind others.
pub(super) fn append(batch: &mut Vec<u8>, json: &str) {
    batch.extend_from_slice(&(json.len() as u64).to_le_bytes());
    batch.extend_from_slice(json.as_bytes());
}

/// The documents of a batch; `None` where it is none.
pub(super) fn documents(batch: &[u8]) -> Option<Vec<&str>> {
    let mut documents = Vec::new();
    let mut rest = batch;
    while !rest.is_empty() {
        let (len, behind) = rest.split_first_chunk::<8>()?;
        let len = usize::try_from(u64::from_le_bytes(*len)).ok()?;
        let (document, behind) = behind.split_at_checked(len)?;
        documents.push(std::str::from_utf8(document).ok()?);
        rest = behind;
    }
    Some(documents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_comes_back_as_it_went() {
        let frames = [
            Frame::Call(b"{}".to_vec()),
            Frame::Data { slot: 3, len: 7 },
            Frame::End,
            Frame::Abort,
            Frame::Credit { slot: 1 },
            Frame::Emit(vec![1, 2]),
            Frame::Progress { done: u64::MAX },
            Frame::Log {
                level: 2,
                message: b"hola".to_vec(),
            },
            Frame::Result(Vec::new()),
            Frame::Over,
        ];
        for frame in frames {
            let mut bytes = Vec::new();
            frame.write(&mut bytes).unwrap();
            assert_eq!(Frame::read(bytes.as_slice()).unwrap(), frame);
        }
    }

    #[test]
    fn no_bytes_at_all_make_it_panic_or_take_memory() {
        for kind in 0..12_u32 {
            for len in [0, 1, u64::MAX] {
                let mut bytes = kind.to_le_bytes().to_vec();
                bytes.extend_from_slice(&[0xFF; 4]);
                bytes.extend_from_slice(&len.to_le_bytes());
                let _ = Frame::read(bytes.as_slice());
            }
        }
    }

    #[test]
    fn documents_come_back_and_half_ones_do_not() {
        let mut batch = Vec::new();
        append(&mut batch, "{}");
        append(&mut batch, "\"ñ\"");
        assert_eq!(documents(&batch), Some(vec!["{}", "\"ñ\""]));
        assert_eq!(documents(&batch[..batch.len() - 1]), None);
        assert_eq!(documents(&u64::MAX.to_le_bytes()), None);
    }
}
