//! One stock archive of a restore point, spliced from the chain without a database: the newest
//! definitions, and of every table the block that holds its newest rows, copied compressed. Each
//! block's hash is checked as it passes, so an export that ends is right. A file is written beside
//! its place and renamed last: one that was interrupted has no name that anybody asked for.

mod ahead;
pub(crate) mod join;
pub(crate) mod names;
mod placed;
pub(crate) mod source;

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::path::Path;

use respaldo_archive::{ArchiveError, BlockReport, Entry, Hashes, SplicedBlock, write_spliced};
use respaldo_domain::manifest::Manifest;
use respaldo_domain::table::TableName;

use self::ahead::reading_ahead;
use self::join::{Joined, join};
use self::source::Source;
use crate::faults::step;
use crate::parts::Parts;
use crate::ports::{Context, Fault, FaultKind};
use crate::publish::NewFile;
pub use crate::publish::{Durability, Existing};
use crate::reading::{self, Reading};
use crate::selector::{Selector, resolve};
use crate::store::{fault_of_io, io_of_fault};

/// What was exported.
#[derive(Debug)]
pub struct ExportReport {
    /// The restore point.
    pub manifest: Manifest,
    /// Size of the archive.
    pub size_bytes: u64,
    /// Header version of the archive, for example "1.14.0".
    pub(crate) header_version: String,
    /// Where each table's rows lie in it.
    pub(crate) tables: BTreeMap<TableName, BlockReport>,
}

/// Why nothing whole was exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// No such restore point.
    #[error("there is nothing to export")]
    Nothing(#[source] Fault),
    /// The backup cannot be read.
    #[error("the backup cannot be read")]
    Backup(#[source] Fault),
    /// Its archives do not fit together.
    #[error("the archives of the chain cannot be joined")]
    Splice(#[source] ArchiveError),
    /// What was to be made cannot be written.
    #[error("the output cannot be written")]
    Output(#[source] Fault),
}

/// Writes the archive of a restore point. `out` may be a pipe: offsets are right all the same.
pub fn export(
    parts: &Parts,
    selector: &Selector,
    out: &mut dyn Write,
    cx: &Context,
) -> Result<ExportReport, ExportError> {
    export_with(parts, selector, Hashes::Spared, out, cx)
}

/// The same, with the hash of every block as it lies in the new archive where that is asked for.
pub(crate) fn export_with(
    parts: &Parts,
    selector: &Selector,
    hashes: Hashes,
    out: &mut dyn Write,
    cx: &Context,
) -> Result<ExportReport, ExportError> {
    let manifest = find(parts, selector, cx)?;
    let _reading = hold(parts, &manifest, cx)?;
    let joined = join(parts, &manifest, cx)?;
    let mut out = Outward { out, failed: false };
    write(parts, manifest, joined, hashes, &mut out, cx).map_err(|error| match error {
        ExportError::Backup(fault) if out.failed => ExportError::Output(fault),
        other => other,
    })
}

/// The same into a file, which is there whole or not at all.
pub fn export_to_file(
    parts: &Parts,
    selector: &Selector,
    path: &Path,
    existing: Existing,
    durability: Durability,
    cx: &Context,
) -> Result<ExportReport, ExportError> {
    let file = NewFile::begin(path, existing, durability).map_err(ExportError::Output)?;
    let manifest = find(parts, selector, cx)?;
    let reading = hold(parts, &manifest, cx)?;
    let joined = join(parts, &manifest, cx)?;
    let report = placed::write(parts, manifest, joined, &file, cx)?;
    drop(reading);
    step("export.publish").map_err(ExportError::Output)?;
    // A small archive is read and written before a signal is looked at.
    cx.check().map_err(ExportError::Output)?;
    file.publish().map_err(ExportError::Output)?;
    Ok(report)
}

/// The manifest of a restore point.
pub(crate) fn find(
    parts: &Parts,
    selector: &Selector,
    cx: &Context,
) -> Result<Manifest, ExportError> {
    let name = resolve(parts, selector, cx).map_err(|fault| match fault.kind {
        FaultKind::NotFound => ExportError::Nothing(fault),
        _ => ExportError::Backup(fault),
    })?;
    parts
        .store
        .manifest(&name, &*parts.codec, cx)
        .map_err(ExportError::Backup)
}

/// Keeps retention away from what is read.
pub(crate) fn hold(
    parts: &Parts,
    manifest: &Manifest,
    cx: &Context,
) -> Result<Reading, ExportError> {
    let held = reading::hold(parts, manifest, cx).map_err(ExportError::Backup)?;
    Ok(held.warned())
}

/// Writes the joined archive, each block checked as it passes.
fn write(
    parts: &Parts,
    manifest: Manifest,
    joined: Joined,
    hashes: Hashes,
    out: &mut Outward<'_>,
    cx: &Context,
) -> Result<ExportReport, ExportError> {
    let blocks = begin_copying(&joined, cx);
    let Joined { toc, sources } = joined;
    let wanted: Vec<&Source> = blocks
        .iter()
        .filter_map(|block| sources.get(&block.dump_id))
        .collect();
    let finished = reading_ahead(parts, &wanted, cx, |ahead| {
        let open = |_| {
            step("export.block").map_err(io_of_fault)?;
            // Small blocks may all have been read by now.
            cx.check().map_err(io_of_fault)?;
            ahead.next()
        };
        write_spliced(&mut *out, toc, &blocks, hashes, open)
    });
    let finished = finished.map_err(blame)?;
    finished
        .out
        .flush()
        .map_err(|e| ExportError::Backup(Fault::io("writing the export", e)))?;
    Ok(ExportReport {
        manifest,
        size_bytes: finished.length,
        header_version: finished.toc.header.version.to_string(),
        tables: by_table(&sources, finished.blocks),
    })
}

/// Announces all blocks, and gives them in the order of the entries: that is how pg_restore takes them from a pipe.
fn begin_copying(joined: &Joined, cx: &Context) -> Vec<SplicedBlock> {
    let block = |entry: &Entry| {
        let (dump_id, source) = joined.sources.get_key_value(&entry.dump_id)?;
        Some(SplicedBlock {
            dump_id: *dump_id,
            length: source.length,
        })
    };
    let blocks: Vec<_> = joined.toc.entries.iter().filter_map(block).collect();
    let total = blocks.iter().map(|block| block.length).sum();
    cx.progress().step("export.copy", Some(total));
    blocks
}

fn by_table(
    sources: &HashMap<i32, Source>,
    reports: Vec<BlockReport>,
) -> BTreeMap<TableName, BlockReport> {
    let named = |report: BlockReport| {
        let table = sources.get(&report.info.dump_id)?.table.clone()?;
        Some((table, report))
    };
    reports.into_iter().filter_map(named).collect()
}

/// A fault of a sink travels through the writer as an I/O error.
pub(crate) fn blame(error: ArchiveError) -> ExportError {
    match error {
        ArchiveError::Io(error) => ExportError::Backup(fault_of_io("copying a block", error)),
        other => ExportError::Splice(other),
    }
}

/// Knows whether it was the output that failed, and not the backup.
struct Outward<'a> {
    out: &'a mut dyn Write,
    failed: bool,
}

impl Outward<'_> {
    fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        self.failed |= matches!(&result, Err(error) if error.kind() != io::ErrorKind::Interrupted);
        result
    }
}

impl Write for Outward<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes);
        self.note(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        self.note(flushed)
    }
}
