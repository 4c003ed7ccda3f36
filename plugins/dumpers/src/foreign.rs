//! An archive that somebody else writes: taken as pg_dump's is taken.
//!
//! Its stream passes through our archive writer, which compresses anew, counts rows and fingerprints
//! them. It counts only when its writer ended with success, every block that its table of contents
//! promises came, every table in scope is among them, and no other table is.

use std::io::{self, PipeReader, Write};
use std::sync::Arc;
use std::thread;

use respaldo_archive::ArchiveReader;
use respaldo_domain::manifest::Compression;
use respaldo_engine::ports::{
    ArchiveFile, Context, Definitions, DumpReceipt, DumpRequest, Dumper, Fault, FaultKind,
    SourceTarget,
};

use crate::options::DumperOptions;
use crate::pg_dump::{Joined, Relations, Rewriter, faults};

/// Writes archives in the custom format as a stream, for example a plugin.
pub trait ArchiveSource: Send + Sync {
    /// Name in manifests.
    fn name(&self) -> &str;

    /// Checks that it can dump this source and returns the version of the pg_dump it uses.
    fn probe(&self, target: &SourceTarget, cx: &Context) -> Result<String, Fault>;

    /// Writes what was asked for; offsets need not be filled in, and any compression will do.
    fn write(
        &self,
        request: &DumpRequest,
        into: &mut (dyn Write + Send),
        cx: &Context,
    ) -> Result<(), Fault>;
}

/// Dumps with a foreign writer of archives.
pub struct Foreign {
    source: Arc<dyn ArchiveSource>,
    options: DumperOptions,
}

impl Foreign {
    /// A dumper that takes what `source` writes.
    pub fn new(source: Arc<dyn ArchiveSource>, options: &DumperOptions) -> Self {
        Self {
            source,
            options: options.clone(),
        }
    }

    fn take(
        &self,
        request: &DumpRequest,
        stream: PipeReader,
        archive: &mut dyn ArchiveFile,
        cx: &Context,
    ) -> Result<DumpReceipt, Fault> {
        let pg_dump = self.source.probe(&request.target, cx)?;
        let relations = Relations::read(request)?;
        let mut reader = ArchiveReader::new(stream).map_err(faults::of_archive)?;
        let joined = Joined::foreign(reader.take_toc(), request, &relations)?;
        let mut rewriter = Rewriter::create(archive, joined, request, self.options.method, cx)?;
        while let Some(block) = reader.next_block().map_err(faults::of_archive)? {
            cx.check()?;
            rewriter.block(0, block).map_err(faults::of_archive)?;
        }
        rewriter.finish(&pg_dump, Definitions::Written)
    }
}

impl Dumper for Foreign {
    fn name(&self) -> &str {
        self.source.name()
    }

    fn compression(&self) -> Compression {
        self.options.method.compression()
    }

    fn probe(&self, target: &SourceTarget, cx: &Context) -> Result<String, Fault> {
        self.source.probe(target, cx)
    }

    fn dump(
        &self,
        request: &DumpRequest,
        archive: &mut dyn ArchiveFile,
        cx: &Context,
    ) -> Result<DumpReceipt, Fault> {
        cx.check()?;
        let (stream, mut into) =
            io::pipe().map_err(|error| Fault::io("making a pipe for an archive", error))?;
        thread::scope(|scope| {
            // Ends the stream when it returns: the pipe's other end sees it.
            let writer = scope.spawn(move || {
                let written = self.source.write(request, &mut into, cx);
                drop(into);
                written
            });
            let taken = self.take(request, stream, archive, cx);
            let written = writer.join().unwrap_or_else(|_| {
                let what = "the writer of an archive panicked";
                Err(Fault::bare(FaultKind::Internal, what))
            });
            first_cause(taken, written)
        })
    }
}

/// Where both ends failed one did because of the other: a stream that we gave up fails its writer, a
/// writer that failed cuts the stream.
fn first_cause(
    taken: Result<DumpReceipt, Fault>,
    written: Result<(), Fault>,
) -> Result<DumpReceipt, Fault> {
    match (taken, written) {
        (Ok(receipt), Ok(())) => Ok(receipt),
        (Ok(_), Err(fault)) | (Err(fault), Ok(())) => Err(fault),
        (Err(taken), Err(written)) => match is_broken_pipe(&written) {
            true => Err(taken),
            false => Err(written),
        },
    }
}

fn is_broken_pipe(fault: &Fault) -> bool {
    let mut source = fault
        .source
        .as_deref()
        .map(|error| error as &dyn std::error::Error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return error.kind() == io::ErrorKind::BrokenPipe;
        }
        source = error.source();
    }
    false
}
