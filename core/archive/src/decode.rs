//! From the payload of a block to its text. What is cut, damaged, or goes on after its end is an error, never a short text.

use std::io::{self, BufRead, Read};

use flate2::{Decompress, FlushDecompress, Status};
use lz4_flex::frame::FrameDecoder;

use crate::block::{BlockKind, Framed};
use crate::error::{ArchiveError, Result};
use crate::header::Compression;

/// Reads the plain text of one payload.
pub struct Decoder<S: BufRead> {
    codec: Codec<S>,
    is_broken: bool,
}

enum Codec<S: BufRead> {
    Plain(S),
    Zlib(Inflate<S>),
    Lz4(Lz4<S>),
    Zstd(zstd::stream::read::Decoder<'static, S>),
}

impl<S: BufRead> Decoder<S> {
    /// Decodes `payload`. One without any byte is an empty text: newer pg_dumps write empty large objects so.
    pub fn new(mut payload: S, compression: Compression) -> Result<Self> {
        let empty = payload.fill_buf()?.is_empty();
        let codec = match compression {
            Compression::None => Codec::Plain(payload),
            _ if empty => Codec::Plain(payload),
            Compression::Gzip(_) => Codec::Zlib(Inflate::new(payload)),
            Compression::Lz4 => Codec::Lz4(Lz4::new(payload)),
            Compression::Zstd => {
                Codec::Zstd(zstd::stream::read::Decoder::with_buffer(payload)?.single_frame())
            }
        };
        Ok(Self {
            codec,
            is_broken: false,
        })
    }

    fn source(&mut self) -> &mut S {
        match &mut self.codec {
            Codec::Plain(source) => source,
            Codec::Zlib(inflate) => &mut inflate.source,
            Codec::Lz4(lz4) => &mut lz4.frame.get_mut().source,
            Codec::Zstd(decoder) => decoder.get_mut(),
        }
    }

    fn read_codec(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match &mut self.codec {
            Codec::Plain(source) => source.read(out),
            Codec::Zlib(inflate) => inflate.read(out),
            Codec::Lz4(lz4) => lz4.read(out),
            Codec::Zstd(decoder) => decoder
                .read(out)
                .map_err(|error| as_damage(error, "its zstd frame is broken")),
        }
    }
}

impl<S: BufRead> Decoder<S> {
    fn read_checked(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let got = self.read_codec(out)?;
        if got == 0 && !out.is_empty() && !self.source().fill_buf()?.is_empty() {
            return Err(ArchiveError::DamagedData("it goes on after the end of its stream").into());
        }
        Ok(got)
    }
}

impl<S: BufRead> Read for Decoder<S> {
    /// After an error there is no more text, only errors: a codec left in the middle may say anything.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.is_broken {
            return Err(ArchiveError::DamagedData("reading went on after damage").into());
        }
        let got = self.read_checked(out);
        self.is_broken = got.is_err();
        got
    }
}

/// An error of ours came from below and stays; any other is the decoder's opinion of the bytes.
fn as_damage(error: io::Error, problem: &'static str) -> io::Error {
    if error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<ArchiveError>())
        .is_some()
    {
        return error;
    }
    ArchiveError::DamagedData(problem).into()
}

/// One zlib stream. flate2's own reader takes a cut stream for a finished one, which here would be lost rows.
struct Inflate<S> {
    source: S,
    state: Decompress,
    done: bool,
}

impl<S: BufRead> Inflate<S> {
    fn new(source: S) -> Self {
        Self {
            source,
            state: Decompress::new(true),
            done: false,
        }
    }

    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.done && !out.is_empty() {
            let (taken, given) = self.step(out)?;
            if given > 0 {
                return Ok(given);
            }
            if taken == 0 && !self.done {
                return Err(ArchiveError::DamagedData("its zlib stream is cut").into());
            }
        }
        Ok(0)
    }

    fn step(&mut self, out: &mut [u8]) -> io::Result<(usize, usize)> {
        let (taken_before, given_before) = (self.state.total_in(), self.state.total_out());
        let input = self.source.fill_buf()?;
        let status = self.state.decompress(input, out, FlushDecompress::None);
        let status = status.map_err(|_| ArchiveError::DamagedData("its zlib stream is broken"))?;
        self.done = status == Status::StreamEnd;
        let taken = (self.state.total_in() - taken_before) as usize;
        self.source.consume(taken);
        Ok((taken, (self.state.total_out() - given_before) as usize))
    }
}

/// One LZ4 frame. lz4_flex takes one that is cut between two blocks for a finished one; but it only reads on from a
/// frame whose end mark it has not seen.
struct Lz4<S: Read> {
    frame: Box<FrameDecoder<Watched<S>>>,
    done: bool,
}

/// Input that remembers having been asked for more than there was.
struct Watched<S> {
    source: S,
    is_dry: bool,
}

impl<S: Read> Read for Watched<S> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let got = self.source.read(out)?;
        self.is_dry |= got == 0 && !out.is_empty();
        Ok(got)
    }
}

impl<S: Read> Lz4<S> {
    fn new(source: S) -> Self {
        let watched = Watched {
            source,
            is_dry: false,
        };
        Self {
            frame: Box::new(FrameDecoder::new(watched)),
            done: false,
        }
    }

    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.done || out.is_empty() {
            return Ok(0);
        }
        let got = self.frame.read(out);
        let got = got.map_err(|error| as_damage(error, "its LZ4 frame is broken"))?;
        if got == 0 && self.frame.get_ref().is_dry {
            return Err(ArchiveError::DamagedData("its LZ4 frame is cut").into());
        }
        self.done = got == 0;
        Ok(got)
    }
}

/// One block of rows, decoded from its own bytes.
pub struct DecodedBlock<R: Read> {
    dump_id: i32,
    decoder: Decoder<Framed<R>>,
}

/// Decodes the block of rows which begins at the first byte of `stored`, as fetched by offset and length.
pub fn decode_block<R: Read>(stored: R, compression: Compression) -> Result<DecodedBlock<R>> {
    let (mut framed, kind, dump_id) = Framed::of_block(stored)?;
    if kind != BlockKind::Data {
        return Err(ArchiveError::WrongKind(dump_id));
    }
    framed.start_run();
    Ok(DecodedBlock {
        dump_id,
        decoder: Decoder::new(framed, compression)?,
    })
}

impl<R: Read> DecodedBlock<R> {
    /// The dump id that the block itself says.
    pub fn dump_id(&self) -> i32 {
        self.dump_id
    }

    /// Reads what is left, and returns the block's stored length once its end mark is seen.
    pub fn finish(mut self) -> Result<u64> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(self.decoder.source().position())
    }
}

impl<R: Read> Read for DecodedBlock<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(out)
    }
}
