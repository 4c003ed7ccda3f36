//! The archive in a file: threads take block after block, each reads, hashes and writes its own, at its
//! place. A pipe takes them one after the other instead (`ahead`).

use std::cmp::Reverse;
use std::io::{self, BufWriter, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use respaldo_archive::{ArchiveError, BlockReport, Placed, PlacedBlock};
use respaldo_domain::manifest::Manifest;

use super::join::Joined;
use super::source::Source;
use super::{ExportError, ExportReport, begin_copying, blame, by_table};
use crate::faults::step;
use crate::parts::Parts;
use crate::ports::Context;
use crate::publish::{NewFile, Place};
use crate::store::io_of_fault;

const THREADS: usize = 2;

/// Writes it, each block checked as it passes.
pub(super) fn write(
    parts: &Parts,
    manifest: Manifest,
    joined: Joined,
    file: &NewFile,
    cx: &Context,
) -> Result<ExportReport, ExportError> {
    let blocks = begin_copying(&joined, cx);
    let Joined { toc, sources } = joined;
    let placed = Placed::new(toc, &blocks).map_err(ExportError::Splice)?;
    let output_failed = AtomicBool::new(false);
    let place = |at| Outward {
        place: file.place(at),
        failed: &output_failed,
    };
    let copy = |placed: &PlacedBlock, cx: &Context| -> Result<BlockReport, ArchiveError> {
        let dump_id = placed.block.dump_id;
        step("export.block").map_err(io_of_fault)?;
        // Small blocks may all have been read by now.
        cx.check().map_err(io_of_fault)?;
        let source: &Source = sources
            .get(&dump_id)
            .ok_or(ArchiveError::UnexpectedBlock(dump_id))?;
        let stored = source.open(parts, cx).map_err(io_of_fault)?;
        // Bytes that have the hash of a block are that block; others are read as what they are.
        match source.sha256 {
            Some(_) => placed.copy_known(stored, place(placed.at)),
            None => placed.copy(stored, place(placed.at)),
        }
    };
    file.reserve(placed.length()).map_err(ExportError::Output)?;
    // The largest first: no thread is left alone with one at the end.
    let mut blocks = placed.blocks().to_vec();
    blocks.sort_by_key(|placed| Reverse(placed.block.length));
    let written = write_contents(&placed, place(0)).and_then(|()| by_turns(&blocks, copy, cx));
    let reports = written.map_err(|error| match blame(error) {
        ExportError::Backup(fault) if output_failed.load(Ordering::Relaxed) => {
            ExportError::Output(fault)
        }
        other => other,
    })?;
    Ok(ExportReport {
        manifest,
        size_bytes: placed.length(),
        header_version: placed.toc().header.version.to_string(),
        tables: by_table(&sources, reports),
    })
}

fn write_contents(placed: &Placed, out: impl Write) -> Result<(), ArchiveError> {
    let mut out = BufWriter::with_capacity(256 * 1024, out);
    placed.toc().write(&mut out)?;
    Ok(out.flush()?)
}

/// Does all on a few threads, each the next one; the first error ends all.
fn by_turns<T: Sync, R: Send>(
    all: &[T],
    work: impl Fn(&T, &Context) -> Result<R, ArchiveError> + Sync,
    cx: &Context,
) -> Result<Vec<R>, ArchiveError> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new((Vec::new(), None));
    let stop = cx.interrupt().child();
    let through = || {
        let cx = cx.with_interrupt(stop.clone());
        loop {
            let one = all.get(next.fetch_add(1, Ordering::Relaxed));
            let Some(one) = one.filter(|_| !stop.is_set()) else {
                return;
            };
            let result = work(one, &cx);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            match result {
                Ok(result) => done.0.push(result),
                Err(error) => {
                    // Others are interrupted by it: theirs say nothing.
                    done.1.get_or_insert(error);
                    stop.set();
                }
            }
        }
    };
    thread::scope(|threads| {
        for _ in 0..THREADS.min(all.len()) {
            threads.spawn(through);
        }
    });
    let (results, first_error) = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    cx.check().map_err(io_of_fault)?;
    match first_error {
        Some(error) => Err(error),
        None => Ok(results),
    }
}

/// A place that knows whether it was the output that failed, and not the backup.
struct Outward<'a> {
    place: Place<'a>,
    failed: &'a AtomicBool,
}

impl Write for Outward<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.place.write(bytes).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                self.failed.store(true, Ordering::Relaxed);
            }
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.place.flush()
    }
}
