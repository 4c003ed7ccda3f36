//! The archive of a parallel dump: the table of contents of stock pg_dump with our entries of
//! rows in it, then the blocks in the same order, whatever order the readers finish in.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::mpsc::Receiver;
use std::thread;

use respaldo_archive::{
    ArchiveError, ArchiveWriter, BlockKind, EncodeOptions, Entry, Offset, PieceJoiner, Section,
    Text, Toc,
};
use respaldo_domain::fingerprint::RowFingerprint;
use respaldo_engine::ports::{
    ArchiveFile, Context, DumpReceipt, DumpRequest, DumpedTable, Fault, FaultKind, Interrupt,
};

use super::pieces;
use super::reader::{self, Queue, Sent};
use super::scope::{Scope, Table};
use super::window::Window;
use crate::options::DumperOptions;
use crate::pg_dump::{Rewriter, Schema, faults};

/// End mark of COPY, and the two newlines pg_dump writes after it.
const END_OF_BLOCK: &[u8] = b"\\.\n\n\n";

/// Writes the whole archive.
pub(super) fn write(
    schema: Schema<'_>,
    request: &DumpRequest,
    scope: Scope,
    options: &DumperOptions,
    archive: &mut dyn ArchiveFile,
    cx: &Context,
) -> Result<DumpReceipt, Fault> {
    let (queue, results) = Queue::of(pieces::plan(&scope));
    let window = Window::default();
    let stop = cx.interrupt().child();
    let cx = &cx.with_interrupt(stop.clone());
    let level = u32::from(u8::from(options.level));
    thread::scope(|threads| {
        // Whatever way the writing ends, the readers must not wait for it for ever.
        let _stop = StopOnDrop(&stop);
        for _ in 0..options.jobs.clamp(1, 64) {
            threads.spawn(|| reader::work(request, &queue, &window, level, cx));
        }
        let rows = Rows {
            tables: scope.tables,
            results,
            window: &window,
            level,
        };
        write_blocks(schema, request, rows, options, archive, cx)
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
    results: VecDeque<(usize, Receiver<Sent>)>,
    window: &'a Window,
    level: u32,
}

/// Stock rows first, then ours, then large objects: the order of the entries, so that an archive
/// can be restored from a pipe.
fn write_blocks(
    mut schema: Schema<'_>,
    request: &DumpRequest,
    mut rows: Rows<'_>,
    options: &DumperOptions,
    archive: &mut dyn ArchiveFile,
    cx: &Context,
) -> Result<DumpReceipt, Fault> {
    let ids = add_entries(&mut schema.joined.toc, &rows.tables)?;
    let joined = schema.take_joined();
    let mut rewriter = Rewriter::create(archive, joined, request, options.level, cx)?;
    let mut ours = Some(ids);
    let mut dumped = Vec::new();
    schema.each_block(cx, |index, block| {
        if block.kind() == BlockKind::Blobs
            && let Some(ids) = ours.take()
        {
            dumped = write_ours(rewriter.writer(), &mut rows, &ids).map_err(into_archive)?;
        }
        rewriter.block(index, block)
    })?;
    if let Some(ids) = ours.take() {
        dumped = write_ours(rewriter.writer(), &mut rows, &ids)?;
    }
    schema.finish()?;
    let mut receipt = rewriter.finish(schema_version(&schema))?;
    receipt.tables.extend(dumped);
    Ok(receipt)
}
