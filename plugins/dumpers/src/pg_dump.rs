//! The stock pg_dump: its plain stream passes through our archive writer, which compresses on
//! another core, counts rows and fingerprints them.
//!
//! Normally one pg_dump writes everything, told by exact names whose rows to leave out, or by schemas
//! where that spares it many names. Where the names do not fit its arguments, one run writes the
//! definitions and large objects, further ones the rows in scope, sequence values and refreshes (which
//! a run that leaves out all data leaves out too), all from the same snapshot, and their archives are
//! joined.
//!
//! Where the request brings definitions that are proven to be those of the snapshot, only rows are
//! left for pg_dump to write; where there are none of those either, it is not run at all.
//!
//! An archive counts only when every pg_dump ended with success, every block that its table of
//! contents promises came, and every table in scope is among them.

mod bare;
mod catalog;
pub(crate) mod faults;
mod lock_watch;
mod merge;
mod names;
mod plan;
mod rewrite;
mod run;
mod sequences;
mod taken_over;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write};
use std::thread;

use respaldo_archive::{ArchiveError, Block, Skimmed, Toc};
use respaldo_domain::manifest::Compression;
use respaldo_domain::table::TableName;
use respaldo_engine::ports::{
    ArchiveFile, Context, Definitions, DumpReceipt, DumpRequest, Dumper, Fault, FaultKind,
    SourceTarget,
};
use respaldo_postgres::{LazyTools, StopFlag, Tool};

use crate::options::DumperOptions;
use bare::BareSchemas;
pub(crate) use catalog::Relations;
#[cfg(feature = "parallel")]
pub(crate) use catalog::{copying_in_snapshot, in_snapshot};
pub(crate) use merge::Joined;
#[cfg(feature = "parallel")]
pub(crate) use merge::{among, next_id};
pub(crate) use rewrite::Rewriter;
use run::Run;
pub(crate) use run::Stream;

/// Its name in the configuration.
pub const NAME: &str = "pg-dump";

/// Dumps with the stock tool.
#[derive(Debug)]
pub struct PgDump {
    tools: LazyTools,
    options: DumperOptions,
}

impl PgDump {
    /// A dumper that runs the pg_dump of `tools`.
    pub fn new(tools: LazyTools, options: &DumperOptions) -> Self {
        Self {
            tools,
            options: options.clone(),
        }
    }

    /// The tool.
    pub(crate) fn tool(&self) -> Result<&Tool, Fault> {
        Ok(&self.tools.get()?.pg_dump)
    }

    /// Writes an archive of definitions that are there, where no rows are to be dumped;
    /// `None` where nothing was written.
    pub(crate) fn dump_without_rows(
        &self,
        request: &DumpRequest,
        archive: &mut dyn ArchiveFile,
    ) -> Result<Option<DumpReceipt>, Fault> {
        let contents = request.contents.as_ref();
        let contents = contents.filter(|_| request.tables.is_empty() && !request.large_objects);
        let Some(file) = contents else {
            return Ok(None);
        };
        thread::scope(|threads| {
            // The server is asked while the table of contents is looked through: few databases have no sequence.
            let asked = threads.spawn(|| sequence_values(request, sequences::Of::All));
            let Ok(bytes) = fs::read(file) else {
                return Ok(None);
            };
            let compression = self.options.method.header();
            let values = || asked.join().unwrap_or_default();
            match taken_over::without_rows(&bytes, compression, values) {
                Some(definitions) => self.write_definitions(&definitions, archive).map(Some),
                None => Ok(None),
            }
        })
    }

    fn write_definitions(
        &self,
        definitions: &Skimmed<'_>,
        archive: &mut dyn ArchiveFile,
    ) -> Result<DumpReceipt, Fault> {
        let mut out = BufWriter::with_capacity(256 * 1024, archive);
        let contents_bytes = definitions.write(&mut out).map_err(faults::of_archive)?;
        out.flush()
            .map_err(|error| faults::of_archive(error.into()))?;
        Ok(DumpReceipt {
            pg_dump: self.tool()?.version().text.clone(),
            header_version: definitions.header.version.to_string(),
            compression: self.options.method.compression(),
            tables: Vec::new(),
            contents_bytes,
            definitions: Definitions::TakenOver,
        })
    }

    /// Starts all runs; each holds still once its table of contents is read.
    fn start<'s>(
        &self,
        request: &DumpRequest,
        runs: Vec<Vec<String>>,
        stop: StopFlag<'s>,
    ) -> Result<Vec<Run<'s>>, Fault> {
        let tool = self.tool()?;
        runs.into_iter()
            .map(|arguments| Run::start(tool, request, arguments, stop))
            .collect()
    }
}

impl Dumper for PgDump {
    fn name(&self) -> &str {
        NAME
    }

    fn compression(&self) -> Compression {
        self.options.method.compression()
    }

    fn probe(&self, target: &SourceTarget, _cx: &Context) -> Result<String, Fault> {
        let tool = self.tool()?;
        let (version, tool) = (tool.version(), tool.path().display());
        let refuse = |what| {
            Fault::new(
                FaultKind::Invalid,
                what,
                format!("it is of version {version}"),
            )
        };
        if !version.can_read(target.facts.server_version_num) {
            return Err(refuse(format!("{tool} is older than the server")));
        }
        let oldest = self.options.method.oldest_tools();
        if oldest.is_some_and(|oldest| version.major < oldest) {
            let what =
                "cannot read archives compressed by zstd; those of PostgreSQL 16 and later can";
            return Err(refuse(format!("{tool} {what}")));
        }
        Ok(version.text.clone())
    }

    fn dump(
        &self,
        request: &DumpRequest,
        archive: &mut dyn ArchiveFile,
        cx: &Context,
    ) -> Result<DumpReceipt, Fault> {
        cx.check()?;
        if let Some(receipt) = self.dump_without_rows(request, archive)? {
            return Ok(receipt);
        }
        let interrupt = cx.interrupt().clone();
        let stop = move || interrupt.is_set();
        let mut schema = Schema::start(self, request, &stop)?;
        let joined = schema.take_joined()?;
        let mut rewriter = Rewriter::create(archive, joined, request, self.options.method, cx)?;
        schema.each_block(cx, |index, block| rewriter.block(index, block))?;
        let definitions = schema.definitions();
        schema.finish()?;
        rewriter.finish(&self.tool()?.version().text, definitions)
    }
}

/// Running pg_dumps and what they announce: the part of a dump that another dumper may build on.
pub(crate) struct Schema<'s> {
    runs: Vec<Run<'s>>,
    joined: Option<Joined>,
    definitions: Definitions,
}

/// The definitions of the request, with values of sequences as they are now; `None` where there are
/// none, or something is in the way: they are then written anew.
fn taken_over(request: &DumpRequest) -> Option<Toc> {
    let file = File::open(request.contents.as_ref()?).ok()?;
    let values = sequence_values(request, sequences::Of::All)?;
    taken_over::definitions(BufReader::new(file), &values)
}

/// `None` where they cannot be read.
fn sequence_values(
    request: &DumpRequest,
    of: sequences::Of<'_>,
) -> Option<HashMap<TableName, sequences::Value>> {
    sequences::values(request, of)
        .inspect_err(|fault| {
            tracing::debug!(%fault, "values of sequences were not read; pg_dump reads them");
        })
        .ok()
}

impl<'s> Schema<'s> {
    /// Starts them; each holds still once its table of contents is read.
    pub(crate) fn start(
        dumper: &PgDump,
        request: &DumpRequest,
        stop: StopFlag<'s>,
    ) -> Result<Self, Fault> {
        let relations = Relations::read(request)?;
        if let Some(plan) = plan::of_data(request, &relations, dumper.options.argument_bytes)
            && let Some(definitions) = taken_over(request)
        {
            let mut runs = dumper.start(request, plan, stop)?;
            let joined = Some(Joined::with(definitions, &mut runs, request, &relations)?);
            let definitions = Definitions::TakenOver;
            return Ok(Self {
                runs,
                joined,
                definitions,
            });
        }
        let bare = BareSchemas::of(request, &relations);
        let space = dumper.options.argument_bytes;
        let (plan, bare) = match plan::in_one(request, &relations, &bare.schemas, space) {
            Some(run) => (vec![run], bare),
            None => {
                let runs = plan::in_several(request, &relations, space)?;
                (runs, BareSchemas::default())
            }
        };
        let mut runs = dumper.start(request, plan, stop)?;
        let mut joined = Joined::of(&mut runs, request, &relations)?;
        bare.add_values(&mut joined.toc, &relations)?;
        Ok(Self {
            runs,
            joined: Some(joined),
            definitions: Definitions::Written,
        })
    }

    /// Where the definitions come from.
    pub(crate) fn definitions(&self) -> Definitions {
        self.definitions
    }

    /// The joined table of contents; once.
    pub(crate) fn take_joined(&mut self) -> Result<Joined, Fault> {
        self.joined
            .take()
            .ok_or_else(|| Fault::bare(FaultKind::Internal, "a dump was begun twice"))
    }

    /// Gives every block to `each`, with the number of its run.
    pub(crate) fn each_block(
        &mut self,
        cx: &Context,
        mut each: impl FnMut(usize, Block<'_, Stream<'_>>) -> Result<(), ArchiveError>,
    ) -> Result<(), Fault> {
        for (index, run) in self.runs.iter_mut().enumerate() {
            loop {
                cx.check()?;
                let taken = match run.reader.next_block() {
                    Ok(Some(block)) => each(index, block),
                    Ok(None) => break,
                    Err(error) => Err(error),
                };
                taken.map_err(|error| run.explain(error))?;
            }
        }
        Ok(())
    }

    /// Only their exit status makes the archive whole.
    pub(crate) fn finish(self) -> Result<(), Fault> {
        self.runs.into_iter().try_for_each(Run::finish)
    }
}
