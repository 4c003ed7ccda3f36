//! Data blocks and their framing.
//!
//! Rows: `0x01`, dump id, chunks, 0. Large objects: `0x03`, dump id, then per object its oid, chunks, 0; oid 0 ends the
//! block. A chunk is its length and its bytes.

use std::io::{self, BufRead, Read, Write};

use crate::error::{ArchiveError, Result};
use crate::tap::{Tap, read_buffered};
use crate::wire::put_int;

/// What a data block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlockKind {
    /// Rows of a table.
    Data,
    /// Large objects.
    Blobs,
}

impl BlockKind {
    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Data),
            3 => Some(Self::Blobs),
            _ => None,
        }
    }

    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::Data => 1,
            Self::Blobs => 3,
        }
    }
}

/// Where a block is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockInfo {
    /// The entry it belongs to.
    pub dump_id: i32,
    /// Its first byte, counted from the start of the archive.
    pub offset: u64,
    /// Its bytes, from the kind to the end mark.
    pub length: u64,
}

/// A block that was read or written to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockReport {
    /// Where it is.
    pub info: BlockInfo,
    /// What it holds.
    pub kind: BlockKind,
    /// SHA-256 of its stored bytes, where it was asked for.
    pub sha256: Option<[u8; 32]>,
    /// Bytes of text before compression, where they passed through.
    pub plain_bytes: Option<u64>,
}

/// A stream of blocks. Reading from it gives the payload of the current run of chunks, without the framing.
pub struct Framed<R> {
    tap: Tap<R>,
    left: usize,
    ended: bool,
    broken: bool,
}

impl<R: Read> Framed<R> {
    pub(crate) fn new(tap: Tap<R>) -> Self {
        Self {
            tap,
            left: 0,
            ended: true,
            broken: false,
        }
    }

    /// One stored block, read past its head: what it holds, and the dump id that it says itself.
    pub(crate) fn of_block(stored: R) -> Result<(Self, BlockKind, i32)> {
        let mut framed = Self::new(Tap::new(stored));
        let head = framed.head()?;
        let (kind, dump_id) = head.ok_or(ArchiveError::Truncated {
            at: 0,
            reading: "a block",
        })?;
        Ok((framed, kind, dump_id))
    }

    pub(crate) fn tap(&mut self) -> &mut Tap<R> {
        &mut self.tap
    }

    pub(crate) fn position(&self) -> u64 {
        self.tap.position()
    }

    /// The start of a block; `None` at the end of the input.
    pub(crate) fn head(&mut self) -> Result<Option<(BlockKind, i32)>> {
        self.whole()?;
        let Some(&byte) = self.tap.fill_buf()?.first() else {
            return Ok(None);
        };
        let kind =
            BlockKind::from_byte(byte).ok_or_else(|| self.damaged("no block begins here"))?;
        self.tap.consume(1);
        Ok(Some((kind, self.int("a block's dump id")?)))
    }

    /// The next large object's oid; `None` at the end of the block.
    pub(crate) fn oid(&mut self) -> Result<Option<u32>> {
        // The format writes oids as ints, those above 2^31 as negative ones.
        let oid = self.int("a large object's oid")? as u32;
        Ok((oid != 0).then_some(oid))
    }

    /// Begins a run of chunks.
    pub(crate) fn start_run(&mut self) {
        self.ended = false;
        self.left = 0;
    }

    /// Passes over the rest of the run.
    pub(crate) fn skip_run(&mut self) -> Result<()> {
        loop {
            let available = self.fill_buf()?.len();
            if available == 0 {
                return Ok(());
            }
            self.consume(available);
        }
    }

    /// Copies what follows a block's head, framing and all.
    pub(crate) fn copy_body(&mut self, kind: BlockKind, out: &mut impl Write) -> Result<()> {
        if kind == BlockKind::Data {
            return self.copy_run(out);
        }
        while let Some(oid) = self.oid()? {
            put_int(out, oid as i32)?;
            self.copy_run(out)?;
        }
        Ok(put_int(out, 0)?)
    }

    fn copy_run(&mut self, out: &mut impl Write) -> Result<()> {
        self.start_run();
        while self.next_chunk()? {
            put_int(out, self.left as i32)?;
            while self.left > 0 {
                let available = self.fill_buf()?;
                out.write_all(available)?;
                let taken = available.len();
                self.consume(taken);
            }
        }
        Ok(put_int(out, 0)?)
    }

    /// Steps to the next chunk once the last one is used up; `false` at the end of the run.
    fn next_chunk(&mut self) -> Result<bool> {
        if self.left > 0 {
            return Ok(true);
        }
        if self.ended {
            return Ok(false);
        }
        let length = self.int("a chunk's length")?;
        self.left =
            usize::try_from(length).map_err(|_| self.damaged("a chunk's length is negative"))?;
        self.ended = length == 0;
        Ok(!self.ended)
    }

    fn int(&mut self, reading: &'static str) -> Result<i32> {
        self.whole()?;
        let int = self.tap.int(reading);
        self.broken |= int.is_err();
        int
    }

    fn damaged(&mut self, problem: &'static str) -> ArchiveError {
        self.broken = true;
        ArchiveError::Damaged {
            at: self.tap.position(),
            problem,
        }
    }

    /// After damage nothing further may be taken for data.
    fn whole(&self) -> Result<()> {
        if self.broken {
            return Err(ArchiveError::Damaged {
                at: self.tap.position(),
                problem: "reading went on after damage",
            });
        }
        Ok(())
    }
}

impl<R: Read> BufRead for Framed<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if !self.next_chunk()? {
            return Ok(&[]);
        }
        if self.tap.fill_buf()?.is_empty() {
            self.broken = true;
            return Err(ArchiveError::Truncated {
                at: self.tap.position(),
                reading: "a chunk",
            }
            .into());
        }
        let available = self.tap.fill_buf()?;
        Ok(&available[..available.len().min(self.left)])
    }

    fn consume(&mut self, amount: usize) {
        self.tap.consume(amount);
        self.left -= amount;
    }
}

impl<R: Read> Read for Framed<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, out)
    }
}
