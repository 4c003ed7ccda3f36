//! Our own dumper: stock pg_dump writes the definitions, we copy the rows over several connections
//! on the same snapshot, large tables in ranges, and compress them on all cores.
//!
//! The archive is the one pg_dump would have written: the same entries, the same order, one zlib
//! stream per table. Rows come from COPY under the settings pg_dump sets. What pg_dump knows
//! better stays with it: large objects, extensions' configuration tables, and leaves of
//! hash-partitioned tables, which may have to be loaded through their root.

mod pieces;
mod reader;
mod scope;
mod window;
mod writing;

use respaldo_domain::manifest::Compression;
use respaldo_engine::ports::{
    ArchiveFile, Context, DumpReceipt, DumpRequest, Dumper, Fault, SourceTarget,
};
use respaldo_postgres::LazyTools;

use crate::options::DumperOptions;
use crate::pg_dump::PgDump;
use scope::Scope;

/// Its name in the configuration.
pub const NAME: &str = "parallel";

/// Servers from which on their catalogs tell what a COPY of ours needs to know. Older ones are left to pg_dump.
const SINCE: u32 = 120_000;

/// Dumps with several connections.
#[derive(Debug)]
pub struct Parallel {
    stock: PgDump,
    options: DumperOptions,
}

impl Parallel {
    /// A dumper whose definitions come from `tools`.
    pub fn new(tools: &LazyTools, options: &DumperOptions) -> Self {
        Self {
            stock: PgDump::new(tools.clone(), options),
            options: options.clone(),
        }
    }
}

impl Dumper for Parallel {
    fn name(&self) -> &str {
        NAME
    }

    fn compression(&self) -> Compression {
        self.stock.compression()
    }

    fn probe(&self, target: &SourceTarget, cx: &Context) -> Result<String, Fault> {
        self.stock.probe(target, cx)
    }

    fn dump(
        &self,
        request: &DumpRequest,
        archive: &mut dyn ArchiveFile,
        cx: &Context,
    ) -> Result<DumpReceipt, Fault> {
        cx.check()?;
        if request.target.facts.server_version_num < SINCE {
            return self.stock.dump(request, archive, cx);
        }
        if let Some(receipt) = self.stock.dump_without_rows(request, archive)? {
            return Ok(receipt);
        }
        let scope = Scope::read(request)?;
        let for_stock = DumpRequest {
            tables: scope.stock.clone(),
            ..request.clone()
        };
        writing::write(&self.stock, &for_stock, scope, &self.options, archive, cx)
    }
}
