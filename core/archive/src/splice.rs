//! Joining archives: the schema of one, the rows of many.
//!
//! Blocks are copied as stored; only their dump ids change, which are of fixed length. So every block's place in the
//! joined archive is known before its first byte, and the table of contents has offsets even on a pipe.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Write};

use crate::block::{BlockInfo, BlockKind, BlockReport, Framed};
use crate::encode::EncodeOptions;
use crate::entry::{Entry, Offset, Section};
use crate::error::{ArchiveError, Result};
use crate::header::{Compression, Version};
use crate::tap::Tally;
use crate::text::Text;
use crate::toc::Toc;
use crate::wire::{INT_LEN, int_bytes, put_int};
use crate::writer::{ArchiveWriter, Finished};

type TableName = (Option<Text>, Text);

/// A table of contents under construction: a schema which takes in the TABLE DATA entries of other archives.
pub struct Splice {
    toc: Toc,
    /// Places of the TABLE entries.
    tables: HashMap<TableName, usize>,
    data: HashMap<TableName, i32>,
    added: Vec<Entry>,
    next_id: i32,
}

impl Splice {
    /// Begins with a schema, whose own data entries stay.
    pub fn new(schema: Toc) -> Result<Self> {
        let next_id = schema.next_dump_id()?;
        let tables = named(&schema, "TABLE")
            .map(|(place, entry)| (name_of(entry), place))
            .collect();
        let data = named(&schema, "TABLE DATA")
            .map(|(_, entry)| (name_of(entry), entry.dump_id))
            .collect();
        Ok(Self {
            tables,
            data,
            added: Vec::new(),
            next_id,
            toc: schema,
        })
    }

    /// Raises the archive to the header version of an archive whose entries it takes, where that one is newer.
    pub fn raise_to(&mut self, version: Version) -> Result<()> {
        let newest = version.check_supported()?.max(self.toc.header.version);
        self.toc.upgrade(newest)
    }

    /// Whether blocks of this compression can be copied into the archive.
    pub fn check_compression(&self, theirs: Compression) -> Result<()> {
        let (ours, theirs) = (self.toc.header.compression.algorithm(), theirs.algorithm());
        if ours == theirs {
            Ok(())
        } else {
            Err(ArchiveError::MixedCompression { ours, theirs })
        }
    }

    /// Takes in the rows of a table, matched by schema and name, and returns the dump id its block must have. That the
    /// table still has the columns its rows were dumped with is for the caller to know.
    pub fn add(&mut self, foreign: &Entry) -> Result<i32> {
        let name = name_of(foreign);
        if self.data.contains_key(&name) {
            return Err(ArchiveError::UnexpectedBlock(foreign.dump_id));
        }
        let (owner, dependencies) = self.table_of(foreign, &name)?;
        let dump_id = self.next_id;
        self.next_id = dump_id.checked_add(1).ok_or(ArchiveError::NoFreeId)?;
        self.added.push(Entry {
            dump_id,
            had_dumper: true,
            owner,
            dependencies,
            offset: Offset::NotSet,
            ..foreign.clone()
        });
        self.data.insert(name, dump_id);
        Ok(dump_id)
    }

    /// Owner and dependencies of a table's rows. A configuration table of an extension has no entry: the extension, which
    /// is made before any row is loaded, makes it.
    fn table_of(&self, rows: &Entry, name: &TableName) -> Result<(Option<Text>, Vec<i32>)> {
        match self.tables.get(name) {
            Some(&place) => {
                let table = &self.toc.entries[place];
                Ok((table.owner.clone(), vec![table.dump_id]))
            }
            None if named(&self.toc, "EXTENSION").next().is_some() => {
                Ok((rows.owner.clone(), Vec::new()))
            }
            None => Err(ArchiveError::NoSuchTable(display_name(rows))),
        }
    }

    /// Takes in all large objects of another archive with their comments and grants; a schema that has its own must not
    /// be given others. Returns the new dump ids by the old ones.
    pub fn add_large_objects(&mut self, foreign: &Toc) -> Result<HashMap<i32, i32>> {
        let mut ids = HashMap::new();
        for entry in foreign
            .entries
            .iter()
            .filter(|entry| entry.is_of_large_objects())
        {
            let dump_id = self.next_id;
            self.next_id = dump_id.checked_add(1).ok_or(ArchiveError::NoFreeId)?;
            ids.insert(entry.dump_id, dump_id);
            let offset = match entry.offset {
                Offset::NoData => Offset::NoData,
                Offset::NotSet | Offset::At(_) => Offset::NotSet,
            };
            self.added.push(Entry {
                dump_id,
                dependencies: entry
                    .dependencies
                    .iter()
                    .filter_map(|id| ids.get(id))
                    .copied()
                    .collect(),
                offset,
                ..entry.clone()
            });
        }
        Ok(ids)
    }

    /// The joined table of contents: new data entries right before the first entry of section post-data.
    pub fn finish(mut self) -> Toc {
        let post_data = self
            .toc
            .entries
            .iter()
            .position(|entry| entry.section == Section::PostData);
        let place = post_data.unwrap_or(self.toc.entries.len());
        self.toc.entries.splice(place..place, self.added);
        self.toc.fill_relkinds();
        self.toc.make_exact();
        self.toc
    }
}

fn named<'a>(toc: &'a Toc, desc: &'a str) -> impl Iterator<Item = (usize, &'a Entry)> {
    toc.entries
        .iter()
        .enumerate()
        .filter(move |(_, entry)| entry.is(desc))
}

fn name_of(entry: &Entry) -> TableName {
    (entry.namespace.clone(), entry.tag.clone())
}

fn display_name(entry: &Entry) -> String {
    match &entry.namespace {
        Some(namespace) => format!("{namespace}.{}", entry.tag),
        None => entry.tag.to_string(),
    }
}

/// A stored block that goes into a joined archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplicedBlock {
    /// Its entry in the joined archive.
    pub dump_id: i32,
    /// Its stored bytes.
    pub length: u64,
}

/// Whether the blocks of an archive are hashed as they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hashes {
    /// They are, and the report has their hashes.
    Taken,
    /// They are not: whoever reads the blocks checks them.
    Spared,
}

/// Writes an archive of stored blocks, offsets included, to a pipe too. `open` gives a block's stored bytes by its dump
/// id, one block at a time, in the order of `blocks`; they must be of the archive's compression and of the length said.
pub fn write_spliced<W: Write, R: Read>(
    out: W,
    toc: Toc,
    blocks: &[SplicedBlock],
    hashes: Hashes,
    mut open: impl FnMut(i32) -> io::Result<R>,
) -> Result<Finished<W>> {
    let Placed { toc, blocks, .. } = Placed::new(toc, blocks)?;
    let mut writer = ArchiveWriter::with_offsets(
        out,
        toc,
        EncodeOptions {
            level: None,
            threads: 0,
        },
    )?;
    if hashes == Hashes::Spared {
        writer = writer.without_hashes();
    }
    for PlacedBlock { block, .. } in blocks {
        let report = writer.copy_stored(block.dump_id, open(block.dump_id)?)?;
        if report.info.length != block.length {
            return Err(another_length(report.info.offset));
        }
    }
    writer.finish_unseekable()
}

/// A joined archive before it is written: where everything goes. In a file its blocks may be written in any order and by
/// several at once.
#[derive(Debug)]
pub struct Placed {
    toc: Toc,
    blocks: Vec<PlacedBlock>,
    length: u64,
}

/// A block and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedBlock {
    /// The block.
    pub block: SplicedBlock,
    /// Its first byte, counted from the start of the archive.
    pub at: u64,
}

impl Placed {
    /// Says where every block goes.
    pub fn new(mut toc: Toc, blocks: &[SplicedBlock]) -> Result<Self> {
        check_all_given(&toc, blocks)?;
        let (blocks, length) = place(toc.encoded_len()?, blocks)?;
        let offsets = blocks
            .iter()
            .map(|placed| (placed.block.dump_id, placed.at))
            .collect();
        toc.set_offsets(&offsets);
        Ok(Self {
            toc,
            blocks,
            length,
        })
    }

    /// The table of contents, which goes to the start of the file.
    pub fn toc(&self) -> &Toc {
        &self.toc
    }

    /// The blocks in their order.
    pub fn blocks(&self) -> &[PlacedBlock] {
        &self.blocks
    }

    /// Bytes of the whole archive.
    pub fn length(&self) -> u64 {
        self.length
    }
}

impl PlacedBlock {
    /// Writes it to `out`, which is its place, from its stored bytes.
    pub fn copy(&self, stored: impl Read, out: impl Write) -> Result<BlockReport> {
        let SplicedBlock { dump_id, length } = self.block;
        let (mut framed, kind, _) = Framed::of_block(stored)?;
        let mut out = Tally::new(Bounded {
            out,
            left: length,
            at: self.at,
        });
        out.write_all(&[kind.byte()])?;
        put_int(&mut out, dump_id)?;
        framed.copy_body(kind, &mut out)?;
        let written = out.position();
        out.into_inner()?;
        if written != length {
            return Err(another_length(self.at));
        }
        Ok(self.report(kind))
    }

    /// Writes it to `out` without looking into it: `stored` must itself fail, with its last byte at the latest, where its
    /// bytes have not the hash that they were written with. What follows the head lies in every archive alike, and goes
    /// in pieces that begin where pages of the file do.
    pub fn copy_known(&self, mut stored: impl Read, mut out: impl Write) -> Result<BlockReport> {
        let length = self.block.length;
        let mut piece = vec![0; length.min(KNOWN_PIECE as u64) as usize];
        let mut kind = None;
        let (mut at, end) = (self.at, self.at + length);
        while at < end {
            let until_page = KNOWN_PIECE as u64 - at % KNOWN_PIECE as u64;
            let wanted = until_page.max(HEAD_BYTES as u64).min(end - at);
            let piece = &mut piece[..wanted as usize];
            stored.read_exact(piece).map_err(|error| cut(error, at))?;
            if kind.is_none() {
                kind = Some(self.rename(piece)?);
            }
            out.write_all(piece)?;
            at += wanted;
        }
        let kind = kind.ok_or_else(|| another_length(self.at))?;
        Ok(self.report(kind))
    }

    fn report(&self, kind: BlockKind) -> BlockReport {
        let SplicedBlock { dump_id, length } = self.block;
        BlockReport {
            info: BlockInfo {
                dump_id,
                offset: self.at,
                length,
            },
            kind,
            sha256: None,
            plain_bytes: None,
        }
    }

    /// Puts the dump id into the head of stored bytes.
    fn rename(&self, stored: &mut [u8]) -> Result<BlockKind> {
        let Some((head, _)) = stored.split_first_chunk_mut::<HEAD_BYTES>() else {
            return Err(another_length(self.at));
        };
        let [kind, id @ ..] = head;
        let problem = "no block begins here";
        let kind = BlockKind::from_byte(*kind).ok_or(ArchiveError::Damaged {
            at: self.at,
            problem,
        })?;
        *id = int_bytes(self.block.dump_id);
        Ok(kind)
    }
}

/// Bytes of a known block copied at once.
const KNOWN_PIECE: usize = 256 * 1024;
/// What a block begins with: its kind, and its dump id.
const HEAD_BYTES: usize = 1 + INT_LEN;

/// A place that must not be written beyond: another block follows.
struct Bounded<W> {
    out: W,
    left: u64,
    at: u64,
}

impl<W: Write> Write for Bounded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.left {
            return Err(another_length(self.at).into());
        }
        let written = self.out.write(bytes)?;
        self.left -= written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn cut(error: io::Error, at: u64) -> ArchiveError {
    let reading = "a block";
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ArchiveError::Truncated { at, reading },
        _ => error.into(),
    }
}

fn another_length(at: u64) -> ArchiveError {
    ArchiveError::Damaged {
        at,
        problem: "a block has another length than said",
    }
}

/// Each block's place, and where the last one ends. Lengths come from elsewhere and may be nonsense.
fn place(start: u64, blocks: &[SplicedBlock]) -> Result<(Vec<PlacedBlock>, u64)> {
    let mut next = start;
    let mut placed = Vec::with_capacity(blocks.len());
    for &block in blocks {
        placed.push(PlacedBlock { block, at: next });
        let end = next.checked_add(block.length);
        next = end.ok_or(ArchiveError::TooLong("the sum of all blocks"))?;
    }
    Ok((placed, next))
}

/// Every block that the table of contents tells of, once. Said before the first byte is written: the pipe's reader would
/// notice at the end only.
fn check_all_given(toc: &Toc, blocks: &[SplicedBlock]) -> Result<()> {
    let mut expected: HashSet<i32> = toc.block_ids();
    let unexpected = blocks.iter().find(|block| !expected.remove(&block.dump_id));
    if let Some(block) = unexpected {
        return Err(ArchiveError::UnexpectedBlock(block.dump_id));
    }
    match expected.iter().min() {
        Some(&first) => Err(ArchiveError::MissingBlocks {
            count: expected.len(),
            first,
        }),
        None => Ok(()),
    }
}
