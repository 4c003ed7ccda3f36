//! Readers: each has a connection on the snapshot and takes piece after piece, counts and
//! fingerprints its rows, and sends them to the window. Small tables they compress to their end, pieces of large ones
//! where those can be joined; else the writer compresses, beside them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use respaldo_archive::{
    ArchiveError, Compression, CopyLines, EncodeOptions, PayloadEncoder, PieceEncoder, PieceSum,
};
use respaldo_domain::fingerprint::Fingerprinting;
use respaldo_engine::ports::{Context, DumpRequest, Fault, FaultKind};
use respaldo_engine::row_parts::add_part;
use respaldo_postgres::CopySession;

use super::pieces::Piece;
use super::window::{End, Slot, Window};
use crate::options::Method;
use crate::pg_dump::copying_in_snapshot;

/// Bytes sent at once.
const CHUNK_BYTES: usize = 128 * 1024;
/// What ends the COPY text of a block.
const END_MARK: &[u8] = b"\\.\n";
/// End mark of COPY, and the two newlines pg_dump writes after it.
pub(super) const END_OF_BLOCK: &[u8] = b"\\.\n\n\n";

/// A piece and its place in the archive.
struct Job {
    index: usize,
    piece: Piece,
}

/// Pieces not begun yet.
pub(super) struct Queue(Mutex<VecDeque<Job>>);

impl Queue {
    /// A queue of all pieces.
    pub(super) fn of(pieces: Vec<Piece>) -> Self {
        let jobs = pieces.into_iter().enumerate();
        let jobs = jobs.map(|(index, piece)| Job { index, piece });
        Self(Mutex::new(jobs.collect()))
    }

    /// Pieces that are left.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn next(&self) -> Option<Job> {
        self.lock().pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Connections on the snapshot, as many as are wanted. Where server or role have no room for all of them, fewer
/// do: pg_dump would need one, too.
pub(super) fn sessions(request: &DumpRequest, wanted: usize) -> Result<Vec<CopySession>, Fault> {
    let mut sessions = Vec::new();
    while sessions.len() < wanted {
        match copying_in_snapshot(request) {
            Ok(session) => sessions.push(session),
            Err(fault) if fault.kind == FaultKind::Full && !sessions.is_empty() => {
                tracing::warn!(connections = sessions.len(), %fault, "rows are copied over fewer connections");
                break;
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(sessions)
}

/// Works until no piece is left, or the first failure, which the writer meets in its turn.
pub(super) fn work(
    session: &mut CopySession,
    queue: &Queue,
    window: &Window,
    coding: Coding,
    cx: &Context,
) {
    let mut coders = Coders::new(coding);
    while let Some(job) = queue.next() {
        let to = window.piece(job.index);
        let coder = coders.of(&job.piece);
        match read(session, &job.piece, &to, coder, cx) {
            Ok(end) => to.end(end),
            Err(fault) => return to.fail(fault),
        }
    }
}

fn read(
    session: &mut CopySession,
    piece: &Piece,
    to: &Slot<'_>,
    coder: &mut Coder,
    cx: &Context,
) -> Result<End, Fault> {
    to.may_begin(cx)?;
    let mut lines = CopyLines::new();
    let mut fingerprint = Fingerprinting::default();
    session.copy_out_pieces(&piece.statement, |text| {
        cx.check()?;
        cx.progress().bytes(text.len() as u64);
        lines
            .push(text, |part| add_part(&mut fingerprint, part))
            .map_err(of_archive)?;
        coder.push(text).map_err(of_archive)?;
        if coder.ready() >= CHUNK_BYTES {
            to.send(coder.take(), cx)?;
        }
        Ok::<(), Fault>(())
    })?;
    // The server sends no end mark; without one the last line would not count as whole.
    lines.push(END_MARK, |_| {}).map_err(of_archive)?;
    lines.finish().map_err(of_archive)?;
    let Finished {
        bytes,
        sum,
        plain_bytes,
    } = coder.finish().map_err(of_archive)?;
    to.send(bytes, cx)?;
    Ok(End {
        sum,
        plain_bytes,
        fingerprint: fingerprint.finish(),
    })
}

fn of_archive(error: ArchiveError) -> Fault {
    Fault::new(FaultKind::Internal, "compressing rows", error)
}

/// The highest level of zstd to which readers compress: an encoder of level 6 takes some 6 MiB, one of level 19
/// ninety (the tables of its parameters, for input of unknown length, in zstd's clevels.h).
const LIGHT_ZSTD: u8 = 6;

/// Who compresses the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// Nobody: the archive is plain.
    Plain,
    /// The writer, each table to one stream.
    Stream {
        /// How the readers make the streams of small tables, if they do.
        of_small: Option<(Compression, EncodeOptions)>,
    },
    /// The readers, to this level; the writer joins their pieces into one stream.
    Pieces(u32),
}

impl Coding {
    /// What suits a method. Frames of zstd made apart could not be joined to one.
    pub(super) fn of(method: Method) -> Self {
        let by_readers = Some((method.header(), method.encoding()));
        match method {
            Method::None => Self::Plain,
            Method::Zstd(level) => Self::Stream {
                of_small: by_readers.filter(|_| level <= LIGHT_ZSTD),
            },
            Method::Gzip(_) if method.encoding().in_one_stream(method.header()) => Self::Stream {
                of_small: by_readers,
            },
            Method::Gzip(_) => Self::Pieces(method.pieces()),
        }
    }

    /// Whether a reader makes all of a table's payload of a piece.
    pub(super) fn makes_payload(self, piece: &Piece) -> bool {
        matches!(self, Self::Stream { of_small: Some(_) }) && piece.is_small_table
    }
}

/// The coders of one reader.
struct Coders {
    coding: Coding,
    usual: Coder,
    of_small: Option<Coder>,
}

impl Coders {
    fn new(coding: Coding) -> Self {
        let usual = match coding {
            Coding::Plain | Coding::Stream { .. } => Coder::Plain {
                made: Vec::new(),
                plain: 0,
            },
            Coding::Pieces(level) => Coder::Zlib(PieceEncoder::new(level)),
        };
        let of_small = match coding {
            Coding::Stream { of_small } => of_small,
            Coding::Plain | Coding::Pieces(_) => None,
        };
        let of_small = of_small.map(|(compression, options)| Coder::Payload {
            encoder: PayloadEncoder::new(compression, options),
            plain: 0,
        });
        Self {
            coding,
            usual,
            of_small,
        }
    }

    fn of(&mut self, piece: &Piece) -> &mut Coder {
        match &mut self.of_small {
            Some(of_small) if self.coding.makes_payload(piece) => of_small,
            _ => &mut self.usual,
        }
    }
}

/// Text that waits for the writer takes little more memory than it is counted with.
fn fitting(mut text: Vec<u8>) -> Vec<u8> {
    if text.capacity() - text.len() > text.len() / 8 {
        text.shrink_to_fit();
    }
    text
}

/// Compresses, or passes on.
enum Coder {
    Plain {
        made: Vec<u8>,
        plain: u64,
    },
    Zlib(PieceEncoder),
    /// All of a block's payload, end mark and all.
    Payload {
        encoder: PayloadEncoder,
        plain: u64,
    },
}

impl Coder {
    /// Takes text, as it is where nothing is compressed here and nothing waits.
    fn push(&mut self, text: &mut Vec<u8>) -> Result<(), ArchiveError> {
        match self {
            Self::Plain { made, plain } => {
                *plain += text.len() as u64;
                if made.is_empty() {
                    std::mem::swap(made, text);
                } else {
                    made.extend_from_slice(text);
                }
                Ok(())
            }
            Self::Zlib(encoder) => encoder.push(text),
            Self::Payload { encoder, plain } => {
                *plain += text.len() as u64;
                encoder.push(text)
            }
        }
    }

    fn ready(&mut self) -> usize {
        match self {
            Self::Plain { made, .. } => made.len(),
            Self::Zlib(encoder) => encoder.ready(),
            Self::Payload { encoder, .. } => encoder.ready(),
        }
    }

    fn take(&mut self) -> Vec<u8> {
        match self {
            Self::Plain { made, .. } => fitting(std::mem::take(made)),
            Self::Zlib(encoder) => encoder.take(),
            Self::Payload { encoder, .. } => encoder.take(),
        }
    }

    fn finish(&mut self) -> Result<Finished, ArchiveError> {
        Ok(match self {
            Self::Plain { made, plain } => Finished {
                bytes: fitting(std::mem::take(made)),
                sum: None,
                plain_bytes: std::mem::take(plain),
            },
            Self::Zlib(encoder) => {
                let sum = encoder.finish()?;
                Finished {
                    bytes: encoder.take(),
                    sum: Some(sum),
                    plain_bytes: sum.plain_bytes,
                }
            }
            Self::Payload { encoder, plain } => {
                encoder.push(END_OF_BLOCK)?;
                Finished {
                    bytes: fitting(encoder.finish()?),
                    sum: None,
                    plain_bytes: std::mem::take(plain) + END_OF_BLOCK.len() as u64,
                }
            }
        })
    }
}

/// The end of a piece.
struct Finished {
    /// Its last bytes.
    bytes: Vec<u8>,
    /// To join it; `None` where it is text, or all of a payload.
    sum: Option<PieceSum>,
    /// Bytes of its text.
    plain_bytes: u64,
}
