//! The stock pg_dump: its plain stream passes through our archive writer, which compresses on
//! another core, counts rows and fingerprints them.
//!
//! Normally one pg_dump writes everything, told by exact names whose rows to leave out. Where the
//! names do not fit its arguments, one run writes the definitions and large objects, further ones
//! the rows in scope, sequence values and refreshes (which a run that leaves out all data leaves
//! out too), all from the same snapshot, and their archives are joined.
//!
//! An archive counts only when every pg_dump ended with success, every block that its table of
//! contents promises came, and every table in scope is among them.

mod catalog;
mod columns;
mod faults;
mod lock_watch;
mod merge;
mod names;
mod plan;
mod rewrite;
mod run;

use respaldo_domain::manifest::Compression;
use respaldo_engine::ports::{
    ArchiveFile, Context, DumpReceipt, DumpRequest, Dumper, Fault, FaultKind, SourceTarget,
};
use respaldo_postgres::{StopFlag, Tool};

use crate::options::DumperOptions;
use catalog::Relations;
use merge::Joined;
use rewrite::Rewriter;
use run::Run;

/// Its name in the configuration.
pub const NAME: &str = "pg-dump";

/// Dumps with the stock tool.
#[derive(Debug)]
pub struct PgDump {
    tool: Tool,
    options: DumperOptions,
}

impl PgDump {
    /// A dumper that runs `tool`.
    pub fn new(tool: Tool, options: &DumperOptions) -> Self {
        Self {
            tool,
            options: options.clone(),
        }
    }

    /// Starts all runs; each holds still once its table of contents is read.
    fn start<'s>(
        &self,
        request: &DumpRequest,
        runs: Vec<Vec<String>>,
        stop: StopFlag<'s>,
    ) -> Result<Vec<Run<'s>>, Fault> {
        runs.into_iter()
            .map(|arguments| Run::start(&self.tool, request, arguments, stop))
            .collect()
    }
}

impl Dumper for PgDump {
    fn name(&self) -> &str {
        NAME
    }

    fn compression(&self) -> Compression {
        self.options.level.compression()
    }

    fn probe(&self, target: &SourceTarget, _cx: &Context) -> Result<String, Fault> {
        let version = self.tool.version();
        if version.can_read(target.facts.server_version_num) {
            return Ok(version.text.clone());
        }
        let what = format!("{} is older than the server", self.tool.path().display());
        Err(Fault::new(
            FaultKind::Invalid,
            what,
            format!("it is of version {version}"),
        ))
    }

    fn dump(
        &self,
        request: &DumpRequest,
        archive: &mut dyn ArchiveFile,
        cx: &Context,
    ) -> Result<DumpReceipt, Fault> {
        cx.check()?;
        let relations = Relations::read(request)?;
        let runs = plan::plan(request, &relations, self.options.argument_bytes)?;
        let interrupt = cx.interrupt().clone();
        let stop = move || interrupt.is_set();
        let mut runs = self.start(request, runs, &stop)?;
        let joined = Joined::of(&runs, request, &relations)?;
        let mut rewriter = Rewriter::create(archive, joined, request, self.options.level, cx)?;
        for (index, run) in runs.iter_mut().enumerate() {
            rewriter.take(index, run)?;
        }
        for run in runs {
            run.finish()?;
        }
        rewriter.finish(self.tool.version())
    }
}
