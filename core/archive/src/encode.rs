//! From text to the payload of a block: always **one** stream per run of chunks, for pg_restore 15 loops for ever over a
//! second zlib stream.
//!
//! Levels 1 to 3 of zlib are made by ISA-L where it is built in: at the sizes of zlib's levels 1 and 2 it is two to three
//! times as fast as they are, and one thread compresses more than a server sends ([`crate::EncodeOptions::in_one_stream`]).
//!
//! With several threads a zlib stream is made of pieces: each is raw deflate that ends on a byte (a sync flush), the last
//! one ends the stream, and the Adler-32 of the whole is combined from theirs. The other algorithms use one thread at most.

use std::collections::VecDeque;
use std::io::Write;

use flate2::write::ZlibEncoder;
use flate2::{Compress, FlushCompress, Status};
use lz4_flex::frame::FrameEncoder;

use crate::adler;
use crate::error::{ArchiveError, Result};
use crate::header::Compression;
use crate::igzip;
use crate::pool::{Coded, Coder, Pending, Piece, Pool};
use crate::wire::{length_of, put_int};

/// Text per piece: large enough that pieces without a common dictionary cost well under one per cent.
const PIECE: usize = 512 * 1024;
/// pg_restore holds the largest chunk in memory.
const CHUNK: usize = 256 * 1024;
/// zlib's header: deflate, 32 KiB window, default level, no dictionary.
const ZLIB_HEADER: [u8; 2] = [0x78, 0x9c];
const ZLIB_DEFAULT_LEVEL: i32 = 6;
const ZSTD_DEFAULT_LEVEL: i32 = 3;
const MAX_THREADS: usize = 64;

/// How blocks are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Level of the header's algorithm; `None` takes the header's zlib level, or the algorithm's default.
    pub level: Option<i32>,
    /// 0 compresses in the caller's thread, 1 in one of its own, more in that many (zlib above level 3 only). Each holds
    /// about 3 MiB.
    pub threads: usize,
}

impl EncodeOptions {
    /// Whether one thread compresses faster than any source delivers, so that pieces made apart are worth nothing.
    pub fn in_one_stream(self, compression: Compression) -> bool {
        Plan::new(compression, self).is_fast()
    }
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self {
            level: None,
            threads: 1,
        }
    }
}

/// Compresses run after run of an archive.
pub(crate) struct Encoder {
    plan: Plan,
    inline: Box<dyn Coder>,
    pool: Option<Pool>,
    run: Run,
}

/// What to do, decided once.
#[derive(Clone, Copy)]
struct Plan {
    compression: Compression,
    level: i32,
    threads: usize,
}

/// The state of the run at hand.
struct Run {
    buffer: Vec<u8>,
    window: VecDeque<Pending>,
    started: bool,
    adler: u32,
    plain: u64,
}

impl Run {
    fn new() -> Self {
        Self {
            buffer: Vec::new(),
            window: VecDeque::new(),
            started: false,
            adler: adler::EMPTY,
            plain: 0,
        }
    }
}

impl Plan {
    fn new(compression: Compression, options: EncodeOptions) -> Self {
        let level = level(compression, options.level);
        let threads = match compression {
            Compression::None => 0,
            Compression::Gzip(_) if igzip::has(level) => options.threads.min(1),
            Compression::Gzip(_) => options.threads.min(MAX_THREADS),
            Compression::Lz4 | Compression::Zstd => options.threads.min(1),
        };
        Self {
            compression,
            level,
            threads,
        }
    }

    fn is_fast(self) -> bool {
        matches!(self.compression, Compression::Gzip(_)) && igzip::has(self.level)
    }

    fn in_pieces(self) -> bool {
        self.threads > 1
    }

    fn coder(self) -> Box<dyn Coder> {
        if self.in_pieces() {
            return Box::new(PieceCoder(Compress::new(flate2_level(self.level), false)));
        }
        Box::new(StreamCoder(PayloadEncoder::of_plan(self)))
    }

    /// Pieces that may be under way at once: every thread has one at hand and one waiting.
    fn window(self) -> usize {
        self.threads * 2
    }
}

fn level(compression: Compression, asked: Option<i32>) -> i32 {
    match (compression, asked) {
        (Compression::Gzip(_), Some(level)) | (Compression::Gzip(level), None)
            if (1..=9).contains(&level) =>
        {
            level
        }
        (Compression::Gzip(_), _) => ZLIB_DEFAULT_LEVEL,
        (_, asked) => asked.unwrap_or(ZSTD_DEFAULT_LEVEL),
    }
}

/// The level of zlib-rs that makes as little of the rows of a realistic database as zlib does at `level`: below 7 zlib-rs
/// looks further than zlib does, and its levels 5 and 6 take 1.25 and 1.3 times as long as the ones before them.
pub(crate) fn flate2_level(level: i32) -> flate2::Compression {
    let same_size = match level {
        5 | 6 => level - 1,
        other => other,
    };
    flate2::Compression::new(same_size as u32)
}

impl Encoder {
    pub(crate) fn new(compression: Compression, options: EncodeOptions) -> Self {
        let plan = Plan::new(compression, options);
        Self {
            plan,
            inline: plan.coder(),
            pool: None,
            run: Run::new(),
        }
    }

    /// Begins a run, forgetting one that was given up.
    pub(crate) fn start(&mut self) {
        self.run = Run {
            buffer: std::mem::take(&mut self.run.buffer),
            ..Run::new()
        };
        self.run.buffer.clear();
    }

    /// Takes text, and writes the chunks that are ready.
    pub(crate) fn push(&mut self, mut text: &[u8], out: &mut impl Write) -> Result<()> {
        while !text.is_empty() {
            if self.run.buffer.len() >= PIECE {
                self.submit(Last::No, out)?;
            }
            let taken = text.len().min(PIECE - self.run.buffer.len());
            self.run.buffer.extend_from_slice(&text[..taken]);
            text = &text[taken..];
        }
        Ok(())
    }

    /// As [`Self::push`]; text that is large enough for a piece of its own becomes one.
    pub(crate) fn push_whole(&mut self, text: Vec<u8>, out: &mut impl Write) -> Result<()> {
        // Pieces without a common dictionary must not be small.
        if self.plan.in_pieces() || text.len() < PIECE / 4 {
            return self.push(&text, out);
        }
        if !self.run.buffer.is_empty() {
            self.submit(Last::No, out)?;
        }
        self.run.buffer = text;
        Ok(())
    }

    /// Ends the run; returns the bytes of its text.
    pub(crate) fn end(&mut self, out: &mut impl Write) -> Result<u64> {
        self.submit(Last::Yes, out)?;
        while self.take_front(out)? {}
        if self.plan.in_pieces() {
            put_chunks(&self.run.adler.to_be_bytes(), out)?;
        }
        put_int(out, 0)?;
        Ok(self.run.plain)
    }

    fn submit(&mut self, last: Last, out: &mut impl Write) -> Result<()> {
        let piece = Piece {
            text: std::mem::take(&mut self.run.buffer),
            is_first: !self.run.started,
            is_last: last == Last::Yes,
        };
        if piece.is_first && self.plan.in_pieces() {
            put_chunks(&ZLIB_HEADER, out)?;
        }
        self.run.started = true;
        while !self.run.window.is_empty() && self.run.window.len() >= self.plan.window() {
            self.take_front(out)?;
        }
        let pending = self.dispatch(piece)?;
        self.run.window.push_back(pending);
        Ok(())
    }

    /// A run of one piece is not worth the way to another thread and back.
    fn dispatch(&mut self, piece: Piece) -> Result<Pending> {
        if self.plan.threads == 0 || (piece.is_first && piece.is_last) {
            return Ok(Pending::Ready(self.inline.code(piece)));
        }
        let pool = match self.pool.take() {
            Some(pool) => pool,
            None => {
                let plan = self.plan;
                Pool::start(plan.threads, move || plan.coder(), plan.window())?
            }
        };
        Ok(self.pool.insert(pool).submit(piece))
    }

    /// Waits for the oldest piece under way and writes it; `false` when there is none.
    fn take_front(&mut self, out: &mut impl Write) -> Result<bool> {
        let Some(pending) = self.run.window.pop_front() else {
            return Ok(false);
        };
        let coded = pending.wait()?;
        self.run.adler = adler::combine(self.run.adler, coded.adler, coded.plain);
        self.run.plain += coded.plain;
        put_chunks(&coded.bytes, out)?;
        Ok(true)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Yes,
    No,
}

/// Writes payload as chunks, never an empty one: that would end the run.
pub(crate) fn put_chunks(payload: &[u8], out: &mut impl Write) -> Result<()> {
    for chunk in payload.chunks(CHUNK) {
        put_int(out, length_of(chunk, "a chunk")?)?;
        out.write_all(chunk)?;
    }
    Ok(())
}

/// Makes pieces of raw deflate which follow each other in one zlib stream.
struct PieceCoder(Compress);

impl Coder for PieceCoder {
    fn code(&mut self, piece: Piece) -> Result<Coded> {
        self.0.reset();
        let flush = if piece.is_last {
            FlushCompress::Finish
        } else {
            FlushCompress::Sync
        };
        let mut bytes = Vec::with_capacity(piece.text.len() / 3 + 1024);
        while !self.deflate(&piece.text, &mut bytes, flush)? {
            bytes.reserve(bytes.capacity().max(1024));
        }
        Ok(Coded {
            bytes,
            plain: piece.text.len() as u64,
            adler: adler::adler32(&piece.text),
        })
    }
}

impl PieceCoder {
    /// One step; `true` when the piece is complete, which is when the flush left room to spare.
    fn deflate(&mut self, text: &[u8], bytes: &mut Vec<u8>, flush: FlushCompress) -> Result<bool> {
        let rest = &text[self.0.total_in() as usize..];
        let status = self.0.compress_vec(rest, bytes, flush);
        let status = status.map_err(|_| ArchiveError::DamagedData("deflate refused the text"))?;
        let is_taken = self.0.total_in() == text.len() as u64;
        Ok(match flush {
            FlushCompress::Finish => status == Status::StreamEnd,
            _ => is_taken && bytes.len() < bytes.capacity(),
        })
    }
}

/// Makes one stream out of pieces given in order.
struct StreamCoder(PayloadEncoder);

impl Coder for StreamCoder {
    fn code(&mut self, piece: Piece) -> Result<Coded> {
        if piece.is_first {
            self.0.forget();
        } else if self.0.made().is_none() {
            // It failed before: what follows must not begin another stream.
            return Err(ArchiveError::WorkerGone);
        }
        self.0.push(&piece.text)?;
        let bytes = match piece.is_last {
            true => self.0.finish()?,
            false => self.0.made().map(std::mem::take).unwrap_or_default(),
        };
        Ok(Coded {
            bytes,
            plain: piece.text.len() as u64,
            adler: adler::EMPTY,
        })
    }
}

/// Makes the payload of block after block, each one stream, where the text of its rows is.
pub struct PayloadEncoder {
    plan: Plan,
    stream: Option<Stream>,
    /// From the last stream, for the next: it is half a megabyte.
    idle: Option<igzip::ZlibEncoder>,
}

impl PayloadEncoder {
    /// A coder for blocks of an archive with this compression. It has no threads of its own.
    pub fn new(compression: Compression, options: EncodeOptions) -> Self {
        Self::of_plan(Plan::new(compression, options))
    }

    fn of_plan(plan: Plan) -> Self {
        Self {
            plan,
            stream: None,
            idle: None,
        }
    }

    /// Takes text.
    pub fn push(&mut self, text: &[u8]) -> Result<()> {
        let mut stream = self.begun()?;
        stream.push(text)?;
        self.stream = Some(stream);
        Ok(())
    }

    /// Compressed bytes that are ready.
    pub fn ready(&mut self) -> usize {
        self.made().map_or(0, |made| made.len())
    }

    /// Takes the compressed bytes that are ready, in memory of just their size.
    pub fn take(&mut self) -> Vec<u8> {
        let Some(made) = self.made() else {
            return Vec::new();
        };
        let taken = made.as_slice().to_vec();
        made.clear();
        taken
    }

    /// Ends the payload, and gives its last bytes. The coder is as new.
    pub fn finish(&mut self) -> Result<Vec<u8>> {
        let (bytes, idle) = self.begun()?.finish()?;
        self.idle = idle;
        Ok(bytes)
    }

    /// Gives up a payload that was begun.
    fn forget(&mut self) {
        self.stream = None;
    }

    fn made(&mut self) -> Option<&mut Vec<u8>> {
        self.stream.as_mut().map(Stream::made)
    }

    /// The stream at hand, else a new one. It is given up where it is not put back.
    fn begun(&mut self) -> Result<Stream> {
        match (self.stream.take(), self.idle.take()) {
            (Some(stream), _) => Ok(stream),
            (None, Some(encoder)) => Ok(Stream::FastZlib(encoder)),
            (None, None) => Stream::new(self.plan),
        }
    }
}

enum Stream {
    Plain(Vec<u8>),
    FastZlib(igzip::ZlibEncoder),
    Zlib(ZlibEncoder<Vec<u8>>),
    Lz4(Box<FrameEncoder<Vec<u8>>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Stream {
    fn new(plan: Plan) -> Result<Self> {
        Ok(match plan.compression {
            Compression::None => Self::Plain(Vec::new()),
            Compression::Gzip(_) => match igzip::ZlibEncoder::of_level(plan.level) {
                Some(encoder) => Self::FastZlib(encoder),
                None => Self::Zlib(ZlibEncoder::new(Vec::new(), flate2_level(plan.level))),
            },
            Compression::Lz4 => Self::Lz4(Box::new(FrameEncoder::new(Vec::new()))),
            Compression::Zstd => {
                Self::Zstd(zstd::stream::write::Encoder::new(Vec::new(), plan.level)?)
            }
        })
    }

    fn push(&mut self, text: &[u8]) -> Result<()> {
        match self {
            Self::Plain(made) => made.write_all(text)?,
            Self::FastZlib(encoder) => encoder.push(text)?,
            Self::Zlib(encoder) => encoder.write_all(text)?,
            Self::Lz4(encoder) => encoder.write_all(text)?,
            Self::Zstd(encoder) => encoder.write_all(text)?,
        }
        Ok(())
    }

    /// What was compressed so far.
    fn made(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Plain(made) => made,
            Self::FastZlib(encoder) => encoder.made(),
            Self::Zlib(encoder) => encoder.get_mut(),
            Self::Lz4(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
        }
    }

    /// The last bytes, and an encoder that can be used again.
    fn finish(self) -> Result<(Vec<u8>, Option<igzip::ZlibEncoder>)> {
        let bytes = match self {
            Self::Plain(made) => made,
            Self::FastZlib(mut encoder) => return Ok((encoder.finish()?, Some(encoder))),
            Self::Zlib(encoder) => encoder.finish()?,
            Self::Lz4(encoder) => encoder.finish().map_err(std::io::Error::from)?,
            Self::Zstd(encoder) => encoder.finish()?,
        };
        Ok((bytes, None))
    }
}
