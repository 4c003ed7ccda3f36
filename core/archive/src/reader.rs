//! Reading an archive from a pipe: the table of contents, then block after block, in the order they come.

use std::collections::HashMap;
use std::io::{BufRead, Read, Write};

use crate::block::{BlockInfo, BlockKind, BlockReport, Framed};
use crate::decode::Decoder;
use crate::entry::Offset;
use crate::error::{ArchiveError, Result};
use crate::header::Compression;
use crate::tap::Tap;
use crate::toc::Toc;

/// Streams an archive. It buffers by itself.
pub struct ArchiveReader<R> {
    toc: Toc,
    toc_len: u64,
    framed: Framed<R>,
    /// Blocks still to come, and where the table of contents says they are.
    expected: HashMap<i32, Offset>,
    open: Option<Open>,
    hashing: bool,
}

/// The block being read.
struct Open {
    kind: BlockKind,
    dump_id: i32,
    offset: u64,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Right after the block's head.
    Fresh,
    /// In the rows, or in a large object.
    Inside,
    /// Behind the block's end mark.
    Ended,
}

impl<R: Read> ArchiveReader<R> {
    /// Reads the table of contents.
    pub fn new(source: R) -> Result<Self> {
        let mut tap = Tap::new(source);
        let (toc, toc_len) = Toc::read(&mut tap)?;
        let blocks = toc.entries.iter().filter(|entry| entry.has_block());
        let expected = blocks.map(|entry| (entry.dump_id, entry.offset)).collect();
        Ok(Self {
            toc,
            toc_len,
            framed: Framed::new(tap),
            expected,
            open: None,
            hashing: false,
        })
    }

    /// From here on the report of a block has its SHA-256.
    #[must_use]
    pub fn with_hashes(mut self) -> Self {
        self.hashing = true;
        self
    }

    /// The table of contents.
    pub fn toc(&self) -> &Toc {
        &self.toc
    }

    /// Takes the table of contents out, which can be large; the reader goes on to know its blocks. A second table of contents
    /// at the end, which some builds of pg_dump write to a file though not to a pipe, then counts as damage.
    pub fn take_toc(&mut self) -> Toc {
        let header = self.toc.header.clone();
        let entries = std::mem::take(&mut self.toc.entries);
        Toc { header, entries }
    }

    /// Its bytes: where the first block begins.
    pub fn toc_len(&self) -> u64 {
        self.toc_len
    }

    /// How the blocks are compressed.
    pub fn compression(&self) -> Compression {
        self.toc.header.compression
    }

    /// The next block, after passing over what is left of the last one. `None` only when every promised block came.
    pub fn next_block(&mut self) -> Result<Option<Block<'_, R>>> {
        self.drain()?;
        self.open = None;
        if self.expected.is_empty() {
            return self.end().map(|()| None);
        }
        let offset = self.framed.position();
        if self.hashing {
            self.framed.tap().start_hash();
        }
        let Some((kind, dump_id)) = self.framed.head()? else {
            return self.complete().map(|()| None);
        };
        self.expect(dump_id, offset)?;
        let open = self.open.insert(Open {
            kind,
            dump_id,
            offset,
            stage: Stage::Fresh,
        });
        Ok(Some(Block {
            framed: &mut self.framed,
            open,
            compression: self.toc.header.compression,
        }))
    }

    fn expect(&mut self, dump_id: i32, offset: u64) -> Result<()> {
        match self.expected.remove(&dump_id) {
            None => Err(ArchiveError::UnexpectedBlock(dump_id)),
            Some(Offset::At(at)) if at != offset => Err(ArchiveError::Damaged {
                at: offset,
                problem: "a block is not where its entry says",
            }),
            Some(_) => Ok(()),
        }
    }

    fn complete(&self) -> Result<()> {
        match self.expected.keys().min() {
            Some(&first) => Err(ArchiveError::MissingBlocks {
                count: self.expected.len(),
                first,
            }),
            None => Ok(()),
        }
    }

    /// After the last block. Builds of pg_dump 16 to 18 have been seen which, redirected to a file, append the table of contents with
    /// offsets instead of overwriting the first one; stock pg_restore takes no notice of it.
    fn end(&mut self) -> Result<()> {
        match self.framed.tap().fill_buf()?.first() {
            None => Ok(()),
            Some(0) => self.toc.read_repeated(self.framed.tap()),
            Some(_) => self
                .framed
                .head()
                .and_then(|head| Err(ArchiveError::UnexpectedBlock(head.map_or(0, |h| h.1)))),
        }
    }

    fn drain(&mut self) -> Result<()> {
        match &mut self.open {
            Some(open) => open.drain(&mut self.framed),
            None => Ok(()),
        }
    }
}

impl Open {
    /// Enters the rows of a block, once.
    fn enter_rows<R: Read>(&mut self, framed: &mut Framed<R>) -> Result<()> {
        if self.kind != BlockKind::Data {
            return Err(ArchiveError::WrongKind(self.dump_id));
        }
        if self.stage == Stage::Fresh {
            framed.start_run();
            self.stage = Stage::Inside;
        }
        Ok(())
    }

    /// Passes to the next large object.
    fn next_oid<R: Read>(&mut self, framed: &mut Framed<R>) -> Result<Option<u32>> {
        match self.stage {
            Stage::Ended => return Ok(None),
            Stage::Inside => framed.skip_run()?,
            Stage::Fresh => {}
        }
        let oid = framed.oid()?;
        self.stage = if oid.is_some() {
            Stage::Inside
        } else {
            Stage::Ended
        };
        framed.start_run();
        Ok(oid)
    }

    fn drain<R: Read>(&mut self, framed: &mut Framed<R>) -> Result<()> {
        if self.stage == Stage::Ended {
            return Ok(());
        }
        match self.kind {
            BlockKind::Blobs => while self.next_oid(framed)?.is_some() {},
            BlockKind::Data => {
                self.enter_rows(framed)?;
                framed.skip_run()?;
            }
        }
        self.stage = Stage::Ended;
        Ok(())
    }
}

/// A block of the stream.
pub struct Block<'a, R> {
    framed: &'a mut Framed<R>,
    open: &'a mut Open,
    compression: Compression,
}

impl<R: Read> Block<'_, R> {
    /// What it holds.
    pub fn kind(&self) -> BlockKind {
        self.open.kind
    }

    /// The entry it belongs to.
    pub fn dump_id(&self) -> i32 {
        self.open.dump_id
    }

    /// Where it begins in the archive.
    pub fn offset(&self) -> u64 {
        self.open.offset
    }

    /// How its payload is compressed.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// The compressed rows, without framing. Only for rows.
    pub fn raw(&mut self) -> Result<impl BufRead> {
        self.open.enter_rows(self.framed)?;
        Ok(&mut *self.framed)
    }

    /// The rows as COPY text. Only for rows, from their beginning.
    pub fn decoded(&mut self) -> Result<impl Read> {
        let compression = self.compression;
        Decoder::new(self.raw()?, compression)
    }

    /// The next large object, after passing over what is left of the last one. Only for large objects.
    pub fn next_blob(&mut self) -> Result<Option<Blob<'_, R>>> {
        if self.open.kind != BlockKind::Blobs {
            return Err(ArchiveError::WrongKind(self.open.dump_id));
        }
        let oid = self.open.next_oid(self.framed)?;
        Ok(oid.map(|oid| Blob {
            oid,
            framed: self.framed,
            compression: self.compression,
        }))
    }

    /// Reads what is left.
    pub fn finish(self) -> Result<BlockReport> {
        self.open.drain(self.framed)?;
        let Open {
            kind,
            dump_id,
            offset,
            ..
        } = *self.open;
        let info = BlockInfo {
            dump_id,
            offset,
            length: self.framed.position() - offset,
        };
        Ok(BlockReport {
            info,
            kind,
            sha256: self.framed.tap().take_hash(),
            plain_bytes: None,
        })
    }

    /// Copies everything after the head, framing and all.
    pub(crate) fn copy_body(self, out: &mut impl Write) -> Result<()> {
        if self.open.stage != Stage::Fresh {
            return Err(ArchiveError::UnfinishedBlock(self.open.dump_id));
        }
        self.framed.copy_body(self.open.kind, out)?;
        self.open.stage = Stage::Ended;
        Ok(())
    }
}

/// One large object of a block.
pub struct Blob<'a, R> {
    oid: u32,
    framed: &'a mut Framed<R>,
    compression: Compression,
}

impl<R: Read> Blob<'_, R> {
    /// Its oid.
    pub fn oid(&self) -> u32 {
        self.oid
    }

    /// Its compressed bytes, without framing.
    pub fn raw(&mut self) -> impl BufRead {
        &mut *self.framed
    }

    /// Its bytes.
    pub fn decoded(&mut self) -> Result<impl Read> {
        Decoder::new(&mut *self.framed, self.compression)
    }
}
