//! Dumping: one custom-format archive from an exported snapshot.

use std::io::{Seek, Write};
use std::path::PathBuf;

use respaldo_domain::fingerprint::RowFingerprint;
use respaldo_domain::manifest::{BlockRef, Compression};
use respaldo_domain::table::{Oid, TableName};

use super::{Context, Fault, SourceTarget};

/// Writes the archive of a backup.
pub trait Dumper: Send + Sync {
    /// Name in the configuration and in manifests.
    fn name(&self) -> &str;

    /// Compression of the archives it writes; a chain keeps to one.
    fn compression(&self) -> Compression;

    /// Checks that it can dump this source and returns the version of the pg_dump it uses.
    fn probe(&self, target: &SourceTarget, cx: &Context) -> Result<String, Fault>;

    /// Writes one custom-format archive that stock pg_restore reads: the complete schema, sequence
    /// values, large objects where asked for, and the rows of the tables in scope, all as the
    /// snapshot sees them. The schema may be that of [`DumpRequest::contents`]. On any error what was written is worthless and the caller drops it.
    fn dump(
        &self,
        request: &DumpRequest,
        archive: &mut dyn ArchiveFile,
        cx: &Context,
    ) -> Result<DumpReceipt, Fault>;
}

/// Where an archive is written: a file, because offsets are filled in at the end.
pub trait ArchiveFile: Write + Seek + Send {}

impl<T: Write + Seek + Send> ArchiveFile for T {}

/// What to dump.
#[derive(Debug, Clone)]
pub struct DumpRequest {
    /// The source.
    pub target: SourceTarget,
    /// Id of the exported snapshot, held open by the engine.
    pub snapshot: String,
    /// Tables whose rows are dumped.
    pub tables: Vec<DumpTable>,
    /// Tables whose definition alone is dumped.
    pub definition_only: Vec<TableName>,
    /// Relations left out altogether, because this role may not even lock them.
    pub leave_out: Vec<TableName>,
    /// Whether large objects are dumped.
    pub large_objects: bool,
    /// Schemas left out altogether.
    pub exclude_schemas: Vec<String>,
    /// Milliseconds to wait for a lock.
    pub lock_timeout_ms: u64,
    /// A file on this machine with the table of contents of an older archive whose definitions are proven to be those under the
    /// snapshot, as this dumper would write them. Its data entries are old: rows, sequence values.
    pub contents: Option<PathBuf>,
}

/// A table in scope.
#[derive(Debug, Clone)]
pub struct DumpTable {
    /// Identity, as in the archive's TABLE DATA entry.
    pub oid: Oid,
    /// Name.
    pub name: TableName,
}

/// What a dumper wrote.
#[derive(Debug, Clone)]
pub struct DumpReceipt {
    /// Version of pg_dump that supplied the definitions.
    pub pg_dump: String,
    /// Header version, for example "1.14.0".
    pub header_version: String,
    /// Compression of the blocks.
    pub compression: Compression,
    /// One for each table in scope that has an entry in the archive.
    pub tables: Vec<DumpedTable>,
    /// Bytes of the table of contents: where the first block begins.
    pub contents_bytes: u64,
    /// Where the definitions came from.
    pub definitions: Definitions,
}

/// Where the definitions of an archive came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Definitions {
    /// pg_dump wrote them.
    Written,
    /// They are those of [`DumpRequest::contents`].
    TakenOver,
}

/// A dumped table.
#[derive(Debug, Clone)]
pub struct DumpedTable {
    /// Identity.
    pub oid: Oid,
    /// Its block.
    pub block: BlockRef,
    /// Size of its COPY text.
    pub plain_bytes: u64,
    /// Its rows.
    pub fingerprint: RowFingerprint,
    /// Columns of the COPY statement.
    pub columns: Vec<String>,
}
