//! One zlib stream out of pieces that were compressed apart, on other threads or from other connections.
//!
//! A piece is raw deflate ended by a sync flush, so pieces can follow each other; an empty last block and the checksum of
//! the whole end the stream. A block of an archive made this way is one zlib stream like any other.

use flate2::{Compress, FlushCompress};

use crate::adler;
use crate::encode::flate2_level;
use crate::error::{ArchiveError, Result};

/// Room kept free in the output, in bytes.
const STEP: usize = 64 * 1024;

/// Compresses one piece.
pub struct PieceEncoder {
    deflate: Compress,
    made: Vec<u8>,
    adler: u32,
    plain: u64,
}

/// What is to be known of a piece to join it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PieceSum {
    adler: u32,
    /// Bytes of its text.
    pub plain_bytes: u64,
}

impl PieceEncoder {
    /// A coder for pieces of zlib level 1 to 9.
    pub fn new(level: u32) -> Self {
        Self {
            deflate: Compress::new(flate2_level(level as i32), false),
            made: Vec::new(),
            adler: adler::EMPTY,
            plain: 0,
        }
    }

    /// Takes text.
    pub fn push(&mut self, mut text: &[u8]) -> Result<()> {
        self.adler = adler::combine(self.adler, adler::adler32(text), text.len() as u64);
        self.plain += text.len() as u64;
        while !text.is_empty() {
            let taken = self.step(text, FlushCompress::None)?;
            text = &text[taken..];
        }
        Ok(())
    }

    /// Compressed bytes that are ready.
    pub fn ready(&self) -> usize {
        self.made.len()
    }

    /// Takes the compressed bytes that are ready, in memory of just their size: many small pieces may
    /// wait for their turn.
    pub fn take(&mut self) -> Vec<u8> {
        let taken = self.made.as_slice().to_vec();
        self.made.clear();
        taken
    }

    /// Ends the piece; its last bytes are ready then. The coder is as new.
    pub fn finish(&mut self) -> Result<PieceSum> {
        loop {
            self.step(&[], FlushCompress::Sync)?;
            if self.made.len() < self.made.capacity() {
                break;
            }
        }
        let sum = PieceSum {
            adler: self.adler,
            plain_bytes: self.plain,
        };
        self.deflate.reset();
        (self.adler, self.plain) = (adler::EMPTY, 0);
        Ok(sum)
    }

    fn step(&mut self, text: &[u8], flush: FlushCompress) -> Result<usize> {
        self.made.reserve(STEP);
        let before = self.deflate.total_in();
        self.deflate
            .compress_vec(text, &mut self.made, flush)
            .map_err(|_| ArchiveError::DamagedData("deflate refused the text"))?;
        Ok((self.deflate.total_in() - before) as usize)
    }
}

/// The frame around pieces that follow each other.
#[derive(Debug, Clone, Copy)]
pub struct PieceJoiner {
    adler: u32,
    plain: u64,
}

impl Default for PieceJoiner {
    fn default() -> Self {
        Self {
            adler: adler::EMPTY,
            plain: 0,
        }
    }
}

impl PieceJoiner {
    /// What comes before the first piece: deflate, 32 KiB window, default level, no dictionary.
    pub const HEADER: [u8; 2] = [0x78, 0x9c];

    /// Counts a piece, in the order of the stream.
    pub fn add(&mut self, piece: PieceSum) {
        self.adler = adler::combine(self.adler, piece.adler, piece.plain_bytes);
        self.plain += piece.plain_bytes;
    }

    /// Bytes of text so far.
    pub fn plain_bytes(&self) -> u64 {
        self.plain
    }

    /// What comes after the last piece: an empty last block, and the checksum.
    pub fn trailer(&self) -> [u8; 6] {
        let [a, b, c, d] = self.adler.to_be_bytes();
        [0x03, 0x00, a, b, c, d]
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn pieces_compressed_apart_are_one_stream() {
        let text: Vec<u8> = (0..3_000_000_u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 27) as u8)
            .collect();
        let mut encoder = PieceEncoder::new(2);
        let mut joiner = PieceJoiner::default();
        let mut stream = PieceJoiner::HEADER.to_vec();
        for piece in [
            &text[..0],
            &text[..1],
            &text[1..900_000],
            &text[900_000..],
            &text[..0],
        ] {
            for part in piece.chunks(70_000) {
                encoder.push(part).unwrap();
                stream.extend(encoder.take());
            }
            joiner.add(encoder.finish().unwrap());
            stream.extend(encoder.take());
        }
        stream.extend(joiner.trailer());
        let mut decoded = Vec::new();
        let mut zlib = flate2::read::ZlibDecoder::new(&stream[..]);
        zlib.read_to_end(&mut decoded).unwrap();
        assert!(decoded == text, "the stream decodes to other bytes");
        assert_eq!(
            (zlib.total_in(), joiner.plain_bytes()),
            (stream.len() as u64, text.len() as u64)
        );
    }
}
