//! One stock archive of a restore point, spliced from the chain without a database: the newest
//! definitions, and of every table the block that holds its newest rows, copied compressed. Each
//! block's hash is checked as it passes, so an export that ends is right.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use respaldo_archive::{
    ArchiveError, BlockReport, Entry, Offset, Splice, SplicedBlock, Text, Toc, write_spliced,
};
use respaldo_domain::backup::ArchiveName;
use respaldo_domain::manifest::{BlockRef, Manifest, TableData, TableEntry};
use respaldo_domain::object::Sha256;
use respaldo_domain::table::{TableName, quote_identifier};

use crate::faults::step;
use crate::operations::{Parts, Selector, resolve};
use crate::ports::{Context, Fault, FaultKind, ObjectReader};
use crate::rest;
use crate::store::{HashingReader, io_of_fault};

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
}

/// Where the bytes of a block of the export lie.
struct Source {
    archive: ArchiveName,
    offset: u64,
    length: u64,
    /// Hash the block must have; large objects have none of their own.
    sha256: Option<Sha256>,
    table: Option<TableName>,
}

/// Writes the archive of a restore point. `out` may be a pipe: offsets are right all the same.
pub fn export(
    parts: &Parts,
    selector: &Selector,
    out: &mut dyn Write,
    cx: &Context,
) -> Result<ExportReport, ExportError> {
    let name = resolve(parts, selector, cx).map_err(|fault| match fault.kind {
        FaultKind::NotFound => ExportError::Nothing(fault),
        _ => ExportError::Backup(fault),
    })?;
    let manifest = parts
        .store
        .manifest(&name, &*parts.codec, cx)
        .map_err(ExportError::Backup)?;
    let (toc, sources) = join(parts, &manifest, cx)?;
    write(parts, manifest, toc, sources, out, cx)
}

/// The joined table of contents and, by dump id, where each block lies.
fn join(
    parts: &Parts,
    manifest: &Manifest,
    cx: &Context,
) -> Result<(Toc, BTreeMap<i32, Source>), ExportError> {
    let home = manifest.definitions_in();
    check_rests(parts, manifest, cx)?;
    let mut toc = read_toc(parts, home, cx)?;
    let at_home = |data: &TableData| &data.archive == home;
    let kept: BTreeMap<i32, &TableEntry> = manifest
        .tables
        .iter()
        .filter_map(|table| {
            let data = table.data.as_ref().filter(|data| at_home(data))?;
            Some((data.block.dump_id, table))
        })
        .collect();
    toc.retain(|entry| !entry.is_table_data() || kept.contains_key(&entry.dump_id));
    let mut sources = large_objects(parts, home, &toc, cx)?;
    for (dump_id, table) in kept {
        if let Some(data) = &table.data {
            sources.insert(dump_id, source(data, &table.name));
        }
    }
    let mut splice = Splice::new(toc).map_err(ExportError::Splice)?;
    for facts in manifest.archives.iter().filter(|facts| &facts.name != home) {
        step("export.archive").map_err(ExportError::Backup)?;
        let foreign = read_toc(parts, &facts.name, cx)?;
        take_from(manifest, &facts.name, &foreign, &mut splice, &mut sources)?;
        if manifest.large_objects.archive.as_ref() == Some(&facts.name) {
            let ids = splice
                .add_large_objects(&foreign)
                .map_err(ExportError::Splice)?;
            for (old, source) in large_objects(parts, &facts.name, &foreign, cx)? {
                if let Some(new) = ids.get(&old) {
                    sources.insert(*new, source);
                }
            }
        }
    }
    Ok((splice.finish(), sources))
}

/// The tables of the restore point whose rows lie in another archive.
fn take_from(
    manifest: &Manifest,
    archive: &ArchiveName,
    foreign: &Toc,
    splice: &mut Splice,
    sources: &mut BTreeMap<i32, Source>,
) -> Result<(), ExportError> {
    splice
        .check_compression(foreign.header.compression)
        .and_then(|()| splice.raise_to(foreign.header.version))
        .map_err(ExportError::Splice)?;
    for table in manifest
        .tables
        .iter()
        .filter(|table| table.holds_data_in(archive))
    {
        let Some(data) = &table.data else { continue };
        let entry = foreign.entry(data.block.dump_id).ok_or_else(|| {
            let what = format!("{archive} has no entry for table {}", table.name);
            ExportError::Backup(Fault::bare(FaultKind::Corrupt, what))
        })?;
        let renamed = under_new_name(entry, table);
        let dump_id = splice.add(&renamed).map_err(ExportError::Splice)?;
        sources.insert(dump_id, source(data, &table.name));
    }
    Ok(())
}

/// A table may have been renamed since its rows were dumped.
fn under_new_name(entry: &Entry, table: &TableEntry) -> Entry {
    let same = entry.tag == *table.name.name.as_str()
        && entry
            .namespace
            .as_ref()
            .is_some_and(|schema| *schema == *table.name.schema.as_str());
    if same {
        return entry.clone();
    }
    Entry {
        tag: Text::from(table.name.name.as_str()),
        namespace: Some(Text::from(table.name.schema.as_str())),
        copy_stmt: Some(Text::from(copy_statement(table).as_str())),
        ..entry.clone()
    }
}

fn copy_statement(table: &TableEntry) -> String {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| quote_identifier(&column.name))
        .collect();
    let name = format!(
        "{}.{}",
        quote_identifier(&table.name.schema),
        quote_identifier(&table.name.name)
    );
    match columns.is_empty() {
        true => format!("COPY {name}  FROM stdin;\n"),
        false => format!("COPY {name} ({}) FROM stdin;\n", columns.join(", ")),
    }
}

fn source(data: &TableData, table: &TableName) -> Source {
    let BlockRef {
        offset,
        length,
        sha256,
        ..
    } = data.block;
    Source {
        archive: data.archive.clone(),
        offset,
        length,
        sha256: Some(sha256),
        table: Some(table.clone()),
    }
}

/// Blocks of large objects: the manifest does not say their length, but blocks lie one after the
/// other, so each ends where the next begins.
fn large_objects(
    parts: &Parts,
    archive: &ArchiveName,
    toc: &Toc,
    cx: &Context,
) -> Result<BTreeMap<i32, Source>, ExportError> {
    let size = ObjectReader::head(&*parts.store, &archive.key(), cx)
        .map_err(ExportError::Backup)?
        .size_bytes;
    let all = read_toc(parts, archive, cx)?;
    let starts = |toc: &Toc| -> Vec<(i32, u64, bool)> {
        toc.entries
            .iter()
            .filter_map(|entry| match entry.offset {
                Offset::At(at) => Some((entry.dump_id, at, entry.is_table_data())),
                Offset::NotSet | Offset::NoData => None,
            })
            .collect()
    };
    let every: Vec<u64> = starts(&all).into_iter().map(|(_, at, _)| at).collect();
    let blocks = starts(toc).into_iter().filter(|(_, _, is_table)| !is_table);
    Ok(blocks
        .map(|(dump_id, offset, _)| {
            let end = every
                .iter()
                .copied()
                .filter(|at| *at > offset)
                .min()
                .unwrap_or(size);
            let archive = archive.clone();
            let length = end - offset;
            (
                dump_id,
                Source {
                    archive,
                    offset,
                    length,
                    sha256: None,
                    table: None,
                },
            )
        })
        .collect())
}

/// Definitions and large objects have no block that would be checked as it passes.
fn check_rests(parts: &Parts, manifest: &Manifest, cx: &Context) -> Result<(), ExportError> {
    let large_objects = manifest.large_objects.archive.as_ref();
    let needed = [Some(manifest.definitions_in()), large_objects];
    let mut archives = manifest.archives.iter();
    archives
        .try_for_each(|facts| match &facts.rest {
            None if !needed.contains(&Some(&facts.name)) => Ok(()),
            _ => rest::check(&*parts.store, facts, cx),
        })
        .map_err(ExportError::Backup)
}

fn read_toc(parts: &Parts, archive: &ArchiveName, cx: &Context) -> Result<Toc, ExportError> {
    let key = archive.key();
    let mut stream = parts
        .store
        .open(&key, None, cx)
        .map_err(ExportError::Backup)?;
    let (toc, _) = Toc::read(&mut stream)
        .map_err(|e| ExportError::Backup(Fault::new(FaultKind::Corrupt, key.to_string(), e)))?;
    Ok(toc)
}

/// Writes the joined archive, each block checked as it passes.
fn write(
    parts: &Parts,
    manifest: Manifest,
    toc: Toc,
    sources: BTreeMap<i32, Source>,
    out: &mut dyn Write,
    cx: &Context,
) -> Result<ExportReport, ExportError> {
    let blocks: Vec<SplicedBlock> = sources
        .iter()
        .map(|(dump_id, source)| SplicedBlock {
            dump_id: *dump_id,
            length: source.length,
        })
        .collect();
    let open = |dump_id: i32| {
        cx.check().map_err(io_of_fault)?;
        step("export.block").map_err(io_of_fault)?;
        let source = sources.get(&dump_id).ok_or(io::ErrorKind::NotFound)?;
        let range = source.offset..source.offset + source.length;
        let stream = parts
            .store
            .open(&source.archive.key(), Some(range), cx)
            .map_err(io_of_fault)?;
        Ok(Checked::new(stream, source))
    };
    let finished = write_spliced(out, toc, &blocks, open).map_err(blame)?;
    finished
        .out
        .flush()
        .map_err(|e| ExportError::Backup(Fault::io("writing the export", e)))?;
    let tables = finished.blocks.into_iter().filter_map(|report| {
        let table = sources.get(&report.info.dump_id)?.table.clone()?;
        Some((table, report))
    });
    Ok(ExportReport {
        manifest,
        size_bytes: finished.length,
        header_version: finished.toc.header.version.to_string(),
        tables: tables.collect(),
    })
}

/// A fault of a sink travels through the writer as an I/O error.
fn blame(error: ArchiveError) -> ExportError {
    match error {
        ArchiveError::Io(error) => {
            ExportError::Backup(crate::store::fault_of_io("copying a block", error))
        }
        other => ExportError::Splice(other),
    }
}

/// A block on its way, which must turn out to be the one the manifest names.
struct Checked<R> {
    stream: Option<HashingReader<R>>,
    left: u64,
    expected: Option<Sha256>,
    archive: ArchiveName,
}

impl<R: Read> Checked<R> {
    fn new(stream: R, source: &Source) -> Self {
        Self {
            stream: Some(HashingReader::new(stream)),
            left: source.length,
            expected: source.sha256,
            archive: source.archive.clone(),
        }
    }

    fn check(&mut self) -> io::Result<()> {
        let Some(stream) = self.stream.take() else {
            return Ok(());
        };
        let (found, _) = stream.finish();
        match self.expected {
            Some(expected) if expected != found => {
                let what = format!("a block of {} is damaged", self.archive);
                Err(io_of_fault(Fault::bare(FaultKind::Corrupt, what)))
            }
            _ => Ok(()),
        }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(stream) = &mut self.stream else {
            return Ok(0);
        };
        let got = stream.read(out)?;
        self.left = self.left.saturating_sub(got as u64);
        // The copy stops at the block's end mark and may never ask for the end of the stream.
        if self.left == 0 || got == 0 {
            self.check()?;
        }
        Ok(got)
    }
}
