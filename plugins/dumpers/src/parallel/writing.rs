//! The archive of a parallel dump: the table of contents of stock pg_dump with our entries of
//! rows in it, then the blocks in the same order, whatever order the readers finish in.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::{self, Read};
use std::thread;

use respaldo_archive::{
    ArchiveError, ArchiveWriter, BlockReport, DataWriter, Entry, Offset, PieceEncoder, PieceJoiner,
    Section, Text, Toc,
};
use respaldo_domain::fingerprint::RowFingerprint;
use respaldo_domain::manifest::BlockRef;
use respaldo_domain::object::Sha256;
use respaldo_engine::ports::{
    ArchiveFile, Context, DumpReceipt, DumpRequest, DumpedTable, Fault, FaultKind, Interrupt,
};

use respaldo_engine::store::io_of_fault;

use super::pieces;
use super::reader::{self, Coding, END_OF_BLOCK, Queue};
use super::scope::{Scope, Table};
use super::window::{End, Sent, Window};
use crate::options::DumperOptions;
use crate::pg_dump::{PgDump, Rewriter, Schema, among, faults, next_id};

/// Writes the whole archive. `request` has the tables that stock pg_dump dumps.
pub(super) fn write(
    dumper: &PgDump,
    request: &DumpRequest,
    scope: Scope,
    options: &DumperOptions,
    archive: &mut dyn ArchiveFile,
    cx: &Context,
) -> Result<DumpReceipt, Fault> {
    let coding = Coding::of(options.method);
    let planned = pieces::plan(&scope);
    let by_readers = planned.iter().filter(|piece| coding.makes_payload(piece));
    let made = by_readers.map(|piece| piece.table).collect();
    let turns: VecDeque<usize> = planned.iter().map(|piece| piece.table).collect();
    let queue = Queue::of(planned);
    let sessions = reader::sessions(request, options.jobs.clamp(1, 64).min(queue.len()))?;
    let window = Window::default();
    let stop = cx.interrupt().child();
    let cx = &cx.with_interrupt(stop.clone());
    thread::scope(|threads| {
        // Whatever way the writing ends, the readers must not wait for it for ever.
        let _stop = StopOnDrop(&stop);
        let (queue, window) = (&queue, &window);
        for mut session in sessions {
            let presence = window.reader();
            threads.spawn(move || {
                let _presence = presence;
                reader::work(&mut session, queue, window, coding, cx);
            });
        }
        let rows = Rows {
            tables: scope.tables,
            made,
            turns,
            window,
            coding,
            end: PieceEncoder::new(options.method.pieces()),
        };
        // After the readers: what pg_dump takes to read definitions they need not wait for.
        let interrupt = cx.interrupt().clone();
        let stopped = move || interrupt.is_set();
        let schema = Schema::start(dumper, request, &stopped)?;
        write_blocks(dumper, schema, request, rows, options, archive, cx)
    })
}

struct StopOnDrop<'a>(&'a Interrupt);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// What the readers will deliver.
struct Rows<'a> {
    tables: Vec<Table>,
    /// Those whose payload readers make to its end.
    made: HashSet<usize>,
    /// Of the pieces that are still to come, their tables.
    turns: VecDeque<usize>,
    window: &'a Window,
    coding: Coding,
    /// Compresses what ends a block made of pieces; one for all blocks, for it takes much memory.
    end: PieceEncoder,
}

/// Blocks of both origins in the order of the entries, so that an archive can be restored from a
/// pipe.
fn write_blocks(
    dumper: &PgDump,
    mut schema: Schema<'_>,
    request: &DumpRequest,
    mut rows: Rows<'_>,
    options: &DumperOptions,
    archive: &mut dyn ArchiveFile,
    cx: &Context,
) -> Result<DumpReceipt, Fault> {
    let mut joined = schema.take_joined()?;
    let mut ours: VecDeque<(usize, i32)> = add_entries(&mut joined.toc, &rows.tables)?
        .into_iter()
        .enumerate()
        .collect();
    let entries = joined.toc.entries.iter().enumerate();
    let places: HashMap<i32, usize> = entries
        .map(|(place, entry)| (entry.dump_id, place))
        .collect();
    let mut rewriter = Rewriter::create(archive, joined, request, options.method, cx)?;
    let mut receipts = Vec::new();
    schema.each_block(cx, |run, block| {
        let place = rewriter
            .dump_id(run, block.dump_id())
            .and_then(|id| places.get(&id));
        while let Some((index, id)) = ours.pop_front_if(|(_, id)| places.get(id) < place) {
            receipts.push(write_rows(rewriter.writer(), &mut rows, index, id, cx)?);
        }
        rewriter.block(run, block)
    })?;
    for (index, id) in ours {
        let written = write_rows(rewriter.writer(), &mut rows, index, id, cx);
        receipts.push(written.map_err(faults::of_archive)?);
    }
    let definitions = schema.definitions();
    schema.finish()?;
    let mut receipt = rewriter.finish(&dumper.tool()?.version().text, definitions)?;
    receipt.tables.extend(receipts);
    Ok(receipt)
}

/// Adds an entry of rows for each table where pg_dump would have it: after other rows, before
/// sequence values and large objects. Returns the dump ids.
fn add_entries(toc: &mut Toc, tables: &[Table]) -> Result<Vec<i32>, Fault> {
    let definitions: HashMap<u32, &Entry> = toc
        .entries
        .iter()
        .filter(|entry| entry.is("TABLE"))
        .map(|entry| (entry.oid, entry))
        .collect();
    let mut next = toc.next_dump_id().map_err(faults::of_archive)?;
    let mut added = Vec::new();
    for table in tables {
        let Some(definition) = definitions.get(&table.oid.0) else {
            let what = format!("pg_dump has no definition of table {}", table.name);
            return Err(Fault::bare(FaultKind::Internal, what));
        };
        added.push(entry(table, definition, next));
        next = next_id(next)?;
    }
    let ids = added.iter().map(|entry| entry.dump_id).collect();
    let comes_after = |entry: &Entry| {
        entry.section == Section::PostData || entry.is("SEQUENCE SET") || entry.is("BLOBS")
    };
    let place = toc.entries.iter().position(comes_after);
    let after = toc.entries.split_off(place.unwrap_or(toc.entries.len()));
    let there = std::mem::take(&mut toc.entries);
    toc.entries = among(there, added, Entry::is_table_data);
    toc.entries.extend(after);
    Ok(ids)
}

/// As pg_dump writes it: what it does not say is NULL, which is not the same as empty to pg_restore.
fn entry(table: &Table, definition: &Entry, dump_id: i32) -> Entry {
    Entry {
        dump_id,
        had_dumper: true,
        table_oid: 0,
        oid: table.oid.0,
        desc: Text::from("TABLE DATA"),
        section: Section::Data,
        defn: None,
        drop_stmt: None,
        copy_stmt: Some(Text::from(pieces::copy_statement(table))),
        dependencies: vec![definition.dump_id],
        offset: Offset::NotSet,
        tablespace: None,
        table_am: None,
        relkind: definition.relkind.map(|_| 0),
        ..definition.clone()
    }
}

/// Writes one of our blocks: they must be asked for in the order of the tables.
fn write_rows(
    writer: &mut ArchiveWriter<&mut dyn ArchiveFile>,
    rows: &mut Rows<'_>,
    index: usize,
    dump_id: i32,
    cx: &Context,
) -> Result<DumpedTable, ArchiveError> {
    if rows.turns.front() != Some(&index) {
        let what = "rows are not written in the order they are read";
        return Err(io_of_fault(Fault::bare(FaultKind::Internal, what)).into());
    }
    let mut block = RowsOfTable::begin(index, rows);
    let report = match (block.rows.coding, block.is_made) {
        (Coding::Stream { .. }, false) => block.compress_into(writer.begin_data(dump_id)?)?,
        (Coding::Stream { .. }, true) | (Coding::Plain | Coding::Pieces(_), _) => {
            writer.copy_block_raw(dump_id, &mut block)?
        }
    };
    let (plain_bytes, fingerprint) = (block.plain_bytes, block.fingerprint);
    let table = &rows.tables[index];
    cx.progress().table(&table.name.to_string());
    let sha256 = report
        .sha256
        .ok_or(ArchiveError::UnfinishedBlock(dump_id))?;
    Ok(DumpedTable {
        oid: table.oid,
        block: BlockRef {
            dump_id,
            offset: report.info.offset,
            length: report.info.length,
            sha256: Sha256(sha256),
        },
        plain_bytes,
        fingerprint,
        columns: table.columns.clone(),
    })
}

/// The payload of one table's block: the bytes of its pieces, framed into one stream.
struct RowsOfTable<'r, 'a> {
    table: usize,
    rows: &'r mut Rows<'a>,
    /// Readers make it to its end.
    is_made: bool,
    joiner: PieceJoiner,
    plain_bytes: u64,
    fingerprint: RowFingerprint,
    bytes: io::Cursor<Vec<u8>>,
    ended: bool,
}

impl<'r, 'a> RowsOfTable<'r, 'a> {
    fn begin(table: usize, rows: &'r mut Rows<'a>) -> Self {
        let header = match rows.coding {
            Coding::Pieces(_) => PieceJoiner::HEADER.to_vec(),
            Coding::Plain | Coding::Stream { .. } => Vec::new(),
        };
        let is_made = rows.made.contains(&table);
        Self {
            table,
            rows,
            is_made,
            joiner: PieceJoiner::default(),
            plain_bytes: 0,
            fingerprint: RowFingerprint::default(),
            bytes: io::Cursor::new(header),
            ended: false,
        }
    }

    /// Writes the rows, of which the readers send the text.
    fn compress_into(
        &mut self,
        mut out: DataWriter<'_, &mut dyn ArchiveFile>,
    ) -> Result<BlockReport, ArchiveError> {
        loop {
            let text = self.more()?;
            if text.is_empty() {
                return out.finish();
            }
            out.push(text)?;
        }
    }

    /// The next bytes; none at the end.
    fn more(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if self.rows.turns.front() != Some(&self.table) {
                return if self.ended {
                    Ok(Vec::new())
                } else {
                    self.end()
                };
            }
            match self.rows.window.next().map_err(io_of_fault)? {
                Sent::Bytes(bytes) if bytes.is_empty() => {}
                Sent::Bytes(bytes) => return Ok(bytes),
                Sent::End(End {
                    sum,
                    plain_bytes,
                    fingerprint,
                }) => {
                    if let Some(sum) = sum {
                        self.joiner.add(sum);
                    }
                    self.plain_bytes += plain_bytes;
                    self.fingerprint.merge(fingerprint);
                    self.rows.turns.pop_front();
                }
            }
        }
    }

    /// The end mark of COPY, in the stream like the rows, and the end of the stream.
    fn end(&mut self) -> io::Result<Vec<u8>> {
        self.ended = true;
        if self.is_made {
            return Ok(Vec::new());
        }
        self.plain_bytes += END_OF_BLOCK.len() as u64;
        let Coding::Pieces(_) = self.rows.coding else {
            return Ok(END_OF_BLOCK.to_vec());
        };
        let encoder = &mut self.rows.end;
        encoder.push(END_OF_BLOCK).map_err(io::Error::other)?;
        self.joiner.add(encoder.finish().map_err(io::Error::other)?);
        let mut bytes = encoder.take();
        bytes.extend(self.joiner.trailer());
        Ok(bytes)
    }
}

impl Read for RowsOfTable<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut got = self.bytes.read(out)?;
        while got == 0 && !out.is_empty() {
            let more = self.more()?;
            if more.is_empty() {
                return Ok(0);
            }
            self.bytes = io::Cursor::new(more);
            got = self.bytes.read(out)?;
        }
        Ok(got)
    }
}
