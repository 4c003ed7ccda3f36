//! Writing an archive: the table of contents first, then one block after the other, in any order.
//!
//! Offsets are not known before the blocks are written. On a file the table of contents is written again at the end, with
//! offsets, in the same place; on a pipe they stay "not set", and pg_restore then restores serially. A crash leaves a file
//! which lacks promised blocks, and every reader here says so.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Seek, Write};

use crate::block::{BlockInfo, BlockKind, BlockReport, Framed};
use crate::encode::{EncodeOptions, Encoder, put_chunks};
use crate::error::{ArchiveError, Result};
use crate::reader::Block;
use crate::tap::Tally;
use crate::toc::Toc;
use crate::wire::put_int;

const BUFFER: usize = 256 * 1024;

/// Writes an archive.
pub struct ArchiveWriter<W: Write> {
    out: Tally<W>,
    toc: Toc,
    encoder: Encoder,
    expected: HashSet<i32>,
    open: Option<Open>,
    /// Room for a piece of a block, kept from one to the next: thousands made and dropped among small
    /// things that stay would take the memory apart.
    piece: Vec<u8>,
    /// Whether blocks are hashed as they are written.
    hashes: bool,
    /// The block at hand misses text that was given: it must never look finished.
    is_spoilt: bool,
    blocks: Vec<BlockReport>,
}

/// The block being written.
#[derive(Clone, Copy)]
struct Open {
    kind: BlockKind,
    dump_id: i32,
    offset: u64,
}

/// A finished archive.
#[derive(Debug)]
pub struct Finished<W> {
    /// What it was written to, flushed.
    pub out: W,
    /// Its table of contents, offsets included even where the archive itself does not say them.
    pub toc: Toc,
    /// Its blocks, in the order they are stored.
    pub blocks: Vec<BlockReport>,
    /// Its bytes.
    pub length: u64,
}

impl<W: Write> ArchiveWriter<W> {
    /// Writes the table of contents with offsets "not set". Every entry that has a block must get it before the end.
    pub fn create(out: W, mut toc: Toc, options: EncodeOptions) -> Result<Self> {
        toc.clear_offsets();
        Self::with_offsets(out, toc, options)
    }

    /// The same with the offsets as they are: whoever knows the lengths can say them ahead.
    pub(crate) fn with_offsets(out: W, toc: Toc, options: EncodeOptions) -> Result<Self> {
        let mut out = Tally::new(out);
        toc.write(&mut out)?;
        let encoder = Encoder::new(toc.header.compression, options);
        Ok(Self {
            out,
            expected: toc.block_ids(),
            toc,
            encoder,
            open: None,
            piece: Vec::new(),
            hashes: true,
            is_spoilt: false,
            blocks: Vec::new(),
        })
    }

    /// Spares the hashes of the blocks, for whoever checks what is read.
    pub(crate) fn without_hashes(self) -> Self {
        Self {
            hashes: false,
            ..self
        }
    }

    /// The table of contents.
    pub fn toc(&self) -> &Toc {
        &self.toc
    }

    /// Begins the block of a table's rows; what is written to it is COPY text, end mark included.
    pub fn begin_data(&mut self, dump_id: i32) -> Result<DataWriter<'_, W>> {
        self.begin(BlockKind::Data, dump_id)?;
        self.encoder.start();
        Ok(DataWriter { archive: self })
    }

    /// Begins a block of large objects.
    pub fn begin_blobs(&mut self, dump_id: i32) -> Result<BlobsWriter<'_, W>> {
        self.begin(BlockKind::Blobs, dump_id)?;
        Ok(BlobsWriter {
            archive: self,
            plain: 0,
            is_blob_open: false,
        })
    }

    /// Writes a block of rows from payload which is already compressed as this archive's header says.
    pub fn copy_block_raw(&mut self, dump_id: i32, payload: &mut impl Read) -> Result<BlockReport> {
        self.begin(BlockKind::Data, dump_id)?;
        let out = &mut self.out;
        each_piece(payload, &mut self.piece, |piece| put_chunks(piece, out))?;
        put_int(&mut self.out, 0)?;
        self.end(None)
    }

    /// Copies a block of either kind as it is, under another dump id, from an archive of the same compression.
    pub fn copy_block<R: Read>(
        &mut self,
        dump_id: i32,
        block: Block<'_, R>,
    ) -> Result<BlockReport> {
        let (ours, theirs) = (
            self.toc.header.compression.algorithm(),
            block.compression().algorithm(),
        );
        if ours != theirs {
            return Err(ArchiveError::MixedCompression { ours, theirs });
        }
        self.begin(block.kind(), dump_id)?;
        block.copy_body(&mut self.out)?;
        self.end(None)
    }

    /// Copies a block from its stored bytes, of an archive of the same compression, under another dump id.
    pub fn copy_stored(&mut self, dump_id: i32, stored: impl Read) -> Result<BlockReport> {
        let (mut framed, kind, _) = Framed::of_block(stored)?;
        self.begin(kind, dump_id)?;
        framed.copy_body(kind, &mut self.out)?;
        self.end(None)
    }

    /// Decodes a block of either kind and compresses it anew. `rows` sees the text of a table's rows as it passes.
    pub fn rewrite_block<R: Read>(
        &mut self,
        dump_id: i32,
        mut block: Block<'_, R>,
        mut rows: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<BlockReport> {
        if block.kind() == BlockKind::Blobs {
            return self.rewrite_blobs(dump_id, block);
        }
        let mut piece = std::mem::take(&mut self.piece);
        let mut out = self.begin_data(dump_id)?;
        each_piece(&mut block.decoded()?, &mut piece, |piece| {
            rows(piece)?;
            Ok(out.write_all(piece)?)
        })?;
        let report = out.finish();
        self.piece = piece;
        report
    }

    fn rewrite_blobs<R: Read>(
        &mut self,
        dump_id: i32,
        mut block: Block<'_, R>,
    ) -> Result<BlockReport> {
        let mut blobs = self.begin_blobs(dump_id)?;
        while let Some(mut blob) = block.next_blob()? {
            let mut out = blobs.begin_blob(blob.oid())?;
            io::copy(&mut blob.decoded()?, &mut out)?;
            out.finish()?;
        }
        blobs.finish()
    }

    /// Ends an archive on a pipe, which keeps its offsets as first written.
    pub fn finish_unseekable(mut self) -> Result<Finished<W>> {
        self.check_complete()?;
        let offsets = self.offsets();
        self.toc.set_offsets(&offsets);
        let length = self.out.position();
        Ok(Finished {
            out: self.out.into_inner()?,
            toc: self.toc,
            blocks: self.blocks,
            length,
        })
    }

    fn begin(&mut self, kind: BlockKind, dump_id: i32) -> Result<()> {
        self.check_closed()?;
        if !self.expected.remove(&dump_id) {
            return Err(ArchiveError::UnexpectedBlock(dump_id));
        }
        self.open = Some(Open {
            kind,
            dump_id,
            offset: self.out.position(),
        });
        if self.hashes {
            self.out.start_hash();
        }
        self.out.write_all(&[kind.byte()])?;
        Ok(put_int(&mut self.out, dump_id)?)
    }

    fn push(&mut self, text: &[u8]) -> Result<()> {
        let pushed = self.encoder.push(text, &mut self.out);
        self.is_spoilt |= pushed.is_err();
        pushed
    }

    fn push_whole(&mut self, text: Vec<u8>) -> Result<()> {
        let pushed = self.encoder.push_whole(text, &mut self.out);
        self.is_spoilt |= pushed.is_err();
        pushed
    }

    /// Ends a run of chunks.
    fn end_run(&mut self) -> Result<u64> {
        let plain = self.encoder.end(&mut self.out);
        self.is_spoilt |= plain.is_err();
        plain
    }

    fn end(&mut self, plain_bytes: Option<u64>) -> Result<BlockReport> {
        let open = self.open.filter(|_| !self.is_spoilt);
        let Open {
            kind,
            dump_id,
            offset,
        } = open.ok_or(self.unfinished())?;
        self.open = None;
        let info = BlockInfo {
            dump_id,
            offset,
            length: self.out.position() - offset,
        };
        let report = BlockReport {
            info,
            kind,
            sha256: self.out.take_hash(),
            plain_bytes,
        };
        self.blocks.push(report.clone());
        Ok(report)
    }

    /// A block given up half way spoils the archive: nothing may follow it.
    fn check_closed(&self) -> Result<()> {
        if self.open.is_some() {
            Err(self.unfinished())
        } else {
            Ok(())
        }
    }

    fn unfinished(&self) -> ArchiveError {
        ArchiveError::UnfinishedBlock(self.open.map_or(0, |open| open.dump_id))
    }

    fn check_complete(&self) -> Result<()> {
        self.check_closed()?;
        match self.expected.iter().min() {
            Some(&first) => Err(ArchiveError::MissingBlocks {
                count: self.expected.len(),
                first,
            }),
            None => Ok(()),
        }
    }

    /// Where the blocks are.
    fn offsets(&self) -> HashMap<i32, u64> {
        self.blocks
            .iter()
            .map(|block| (block.info.dump_id, block.info.offset))
            .collect()
    }
}

impl<W: Write + Seek> ArchiveWriter<W> {
    /// Ends an archive on a file: writes the offsets into its table of contents.
    pub fn finish(mut self) -> Result<Finished<W>> {
        self.check_complete()?;
        self.toc.set_offsets(&self.offsets());
        let toc = &self.toc;
        self.out.overwrite_start(|out| toc.write(out))?;
        self.finish_unseekable()
    }
}

/// Takes the COPY text of one table.
pub struct DataWriter<'a, W: Write> {
    archive: &'a mut ArchiveWriter<W>,
}

impl<W: Write> DataWriter<'_, W> {
    /// Takes text whole, without copying it where that is worth something.
    pub fn push(&mut self, text: Vec<u8>) -> Result<()> {
        self.archive.push_whole(text)
    }

    /// Ends the block. Dropped without this, the archive cannot be finished.
    pub fn finish(self) -> Result<BlockReport> {
        let plain = self.archive.end_run()?;
        self.archive.end(Some(plain))
    }
}

impl<W: Write> Write for DataWriter<'_, W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.archive.push(text)?;
        Ok(text.len())
    }

    /// Nothing can be flushed before its piece is whole.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes one large object after the other.
pub struct BlobsWriter<'a, W: Write> {
    archive: &'a mut ArchiveWriter<W>,
    plain: u64,
    is_blob_open: bool,
}

impl<'a, W: Write> BlobsWriter<'a, W> {
    /// Begins a large object, which must be finished before the next. Oid 0 is none.
    pub fn begin_blob(&mut self, oid: u32) -> Result<BlobWriter<'_, 'a, W>> {
        if oid == 0 {
            return Err(ArchiveError::DamagedData("a large object has oid 0"));
        }
        self.check_between()?;
        self.is_blob_open = true;
        put_int(&mut self.archive.out, oid as i32)?;
        self.archive.encoder.start();
        Ok(BlobWriter { blobs: self })
    }

    /// Ends the block.
    pub fn finish(self) -> Result<BlockReport> {
        self.check_between()?;
        put_int(&mut self.archive.out, 0)?;
        self.archive.end(Some(self.plain))
    }

    fn check_between(&self) -> Result<()> {
        if self.is_blob_open {
            Err(self.archive.unfinished())
        } else {
            Ok(())
        }
    }
}

/// Takes the bytes of one large object.
pub struct BlobWriter<'b, 'a, W: Write> {
    blobs: &'b mut BlobsWriter<'a, W>,
}

impl<W: Write> BlobWriter<'_, '_, W> {
    /// Ends the large object.
    pub fn finish(self) -> Result<()> {
        self.blobs.plain += self.blobs.archive.end_run()?;
        self.blobs.is_blob_open = false;
        Ok(())
    }
}

impl<W: Write> Write for BlobWriter<'_, '_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.blobs.archive.push(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn each_piece(
    source: &mut impl Read,
    buffer: &mut Vec<u8>,
    mut take: impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    buffer.resize(BUFFER, 0);
    loop {
        match source.read(buffer) {
            Ok(0) => return Ok(()),
            Ok(got) => take(&buffer[..got])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}
