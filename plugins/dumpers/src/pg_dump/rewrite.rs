//! Passing blocks on: plain in, compressed out, rows counted and fingerprinted on the way.

use std::collections::HashMap;
use std::io::Read;

use respaldo_archive::{ArchiveError, ArchiveWriter, Block, BlockReport, CopyLines, Toc};
use respaldo_domain::fingerprint::Fingerprinting;
use respaldo_domain::manifest::BlockRef;
use respaldo_domain::object::Sha256;
use respaldo_domain::table::{Oid, TableName};
use respaldo_engine::ports::{
    ArchiveFile, Context, Definitions, DumpReceipt, DumpRequest, DumpedTable, Fault, FaultKind,
};
use respaldo_engine::row_parts::add_part;

use super::faults;
use super::merge::Joined;
use crate::options::Method;

/// Writes the archive of a dump.
pub(crate) struct Rewriter<'a> {
    writer: ArchiveWriter<&'a mut dyn ArchiveFile>,
    ids: Vec<HashMap<i32, i32>>,
    scope: HashMap<i32, InScope>,
    tables: Vec<DumpedTable>,
    method: Method,
    cx: &'a Context,
}

/// A table whose rows are fingerprinted.
struct InScope {
    oid: Oid,
    name: TableName,
    columns: Vec<String>,
}

impl<'a> Rewriter<'a> {
    /// Writes the table of contents.
    pub(crate) fn create(
        archive: &'a mut dyn ArchiveFile,
        joined: Joined,
        request: &DumpRequest,
        method: Method,
        cx: &'a Context,
    ) -> Result<Self, Fault> {
        let scope = in_scope(&joined.toc, request)?;
        let mut toc = joined.toc.with_compression(method.header());
        toc.make_exact();
        let writer =
            ArchiveWriter::create(archive, toc, method.encoding()).map_err(faults::of_archive)?;
        Ok(Self {
            writer,
            ids: joined.ids,
            scope,
            tables: Vec::new(),
            method,
            cx,
        })
    }

    /// The archive, for blocks of another origin.
    pub(crate) fn writer(&mut self) -> &mut ArchiveWriter<&'a mut dyn ArchiveFile> {
        &mut self.writer
    }

    /// The entry of the archive that a block of a run belongs to.
    pub(crate) fn dump_id(&self, run: usize, there: i32) -> Option<i32> {
        self.ids.get(run)?.get(&there).copied()
    }

    /// Takes a block of a run.
    pub(crate) fn block(
        &mut self,
        run: usize,
        block: Block<'_, impl Read>,
    ) -> Result<(), ArchiveError> {
        let there = block.dump_id();
        let Some(dump_id) = self.dump_id(run, there) else {
            return Err(ArchiveError::UnexpectedBlock(there));
        };
        match self.scope.remove(&dump_id) {
            Some(table) => self.rows(dump_id, block, table),
            None => self.pass(dump_id, block),
        }
    }

    fn rows(
        &mut self,
        dump_id: i32,
        block: Block<'_, impl Read>,
        table: InScope,
    ) -> Result<(), ArchiveError> {
        let mut lines = CopyLines::new();
        let mut fingerprint = Fingerprinting::default();
        let progress = self.cx.progress();
        let report = self.writer.rewrite_block(dump_id, block, |piece| {
            progress.bytes(piece.len() as u64);
            lines.push(piece, |part| add_part(&mut fingerprint, part))
        })?;
        lines.finish()?;
        progress.table(&table.name.to_string());
        let block = block_ref(&report).ok_or(ArchiveError::UnfinishedBlock(dump_id))?;
        let plain_bytes = report.plain_bytes.unwrap_or_default();
        let InScope { oid, columns, .. } = table;
        self.tables.push(DumpedTable {
            oid,
            block,
            plain_bytes,
            fingerprint: fingerprint.finish(),
            columns,
        });
        Ok(())
    }

    /// Large objects, and rows of extensions.
    fn pass(&mut self, dump_id: i32, block: Block<'_, impl Read>) -> Result<(), ArchiveError> {
        let report = self.writer.rewrite_block(dump_id, block, |_| Ok(()))?;
        self.cx
            .progress()
            .bytes(report.plain_bytes.unwrap_or_default());
        Ok(())
    }

    /// Writes the offsets. Fails when a promised block did not come.
    pub(crate) fn finish(
        self,
        pg_dump: &str,
        definitions: Definitions,
    ) -> Result<DumpReceipt, Fault> {
        if let Some(table) = self.scope.values().next() {
            let what = format!("no rows of table {} came", table.name);
            return Err(Fault::bare(FaultKind::Corrupt, what));
        }
        let toc = self.writer.toc();
        let header_version = toc.header.version.to_string();
        let contents_bytes = toc.encoded_len().map_err(faults::of_archive)?;
        self.writer.finish().map_err(faults::of_archive)?;
        Ok(DumpReceipt {
            pg_dump: pg_dump.to_owned(),
            header_version,
            compression: self.method.compression(),
            tables: self.tables,
            contents_bytes,
            definitions,
        })
    }
}

fn in_scope(toc: &Toc, request: &DumpRequest) -> Result<HashMap<i32, InScope>, Fault> {
    let mut names: HashMap<Oid, &TableName> = request
        .tables
        .iter()
        .map(|table| (table.oid, &table.name))
        .collect();
    let mut scope = HashMap::new();
    for entry in toc.table_data() {
        let oid = Oid(entry.oid);
        let Some(name) = names.remove(&oid).cloned() else {
            continue;
        };
        let columns = entry.copy_columns().ok_or_else(|| {
            let what = format!("the COPY statement of table {name} is not understood");
            Fault::bare(FaultKind::Corrupt, what)
        })?;
        scope.insert(entry.dump_id, InScope { oid, name, columns });
    }
    Ok(scope)
}

fn block_ref(report: &BlockReport) -> Option<BlockRef> {
    Some(BlockRef {
        dump_id: report.info.dump_id,
        offset: report.info.offset,
        length: report.info.length,
        sha256: Sha256(report.sha256?),
    })
}
