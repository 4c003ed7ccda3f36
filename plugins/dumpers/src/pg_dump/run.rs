//! One running pg_dump and the archive it writes into our pipe.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use respaldo_archive::{ArchiveError, ArchiveReader};
use respaldo_engine::ports::{DumpRequest, Fault};
use respaldo_postgres::{ConnInfo, RunningTool, StopFlag, Tool};

use super::faults;
use super::lock_watch::LockWatch;

/// Its output has ended: what is left to do takes no time.
const END_LIMIT: Duration = Duration::from_secs(10);

static COUNT: AtomicU64 = AtomicU64::new(0);

/// A pg_dump whose table of contents was read.
pub(super) struct Run<'s> {
    pub(super) reader: ArchiveReader<Stream<'s>>,
    tool: SharedTool<'s>,
    info: ConnInfo,
}

type SharedTool<'s> = Rc<RefCell<Option<RunningTool<'s>>>>;

/// The tool's output, while the tool itself stays in the run's hands.
pub(crate) struct Stream<'s>(SharedTool<'s>);

impl Read for Stream<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.0.borrow_mut().as_mut() {
            Some(tool) => tool.read(out),
            None => Ok(0),
        }
    }
}

impl<'s> Run<'s> {
    /// Starts it and reads the table of contents, which comes once all locks are held.
    pub(super) fn start(
        tool: &Tool,
        request: &DumpRequest,
        arguments: Vec<String>,
        stop: StopFlag<'s>,
    ) -> Result<Self, Fault> {
        let info = request.target.conninfo.clone();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("respaldo pg_dump {} {number}", std::process::id());
        let watch = LockWatch::start(&info, name.clone());
        let command = tool.command(&info).application_name(&name).args(arguments);
        let running = command.spawn_reading(stop).map_err(faults::of_tool)?;
        let tool = Rc::new(RefCell::new(Some(running)));
        match ArchiveReader::new(Stream(Rc::clone(&tool))) {
            Ok(reader) => Ok(Self { reader, tool, info }),
            Err(error) => Err(explain(&tool, &info, error, &|| watch.was_waiting())),
        }
    }

    /// What a broken stream means: mostly that the tool failed.
    pub(super) fn explain(&self, error: ArchiveError) -> Fault {
        explain(&self.tool, &self.info, error, &|| false)
    }

    /// Ends it after its last block: only its exit status makes the archive whole.
    pub(super) fn finish(self) -> Result<(), Fault> {
        let Some(tool) = self.tool.borrow_mut().take() else {
            return Ok(());
        };
        let finished = tool.finish(END_LIMIT);
        let done = finished.map_err(|error| faults::of_failure(error, &self.info, false))?;
        if !done.said.is_empty() {
            tracing::warn!(said = done.said, "pg_dump has remarks");
        }
        Ok(())
    }
}

fn explain(
    tool: &SharedTool<'_>,
    info: &ConnInfo,
    error: ArchiveError,
    was_waiting: &dyn Fn() -> bool,
) -> Fault {
    if let ArchiveError::Io(error) = error {
        return faults::of_io(error);
    }
    let ended = tool.borrow_mut().take().map(|tool| tool.finish(END_LIMIT));
    match ended {
        Some(Err(failure)) => faults::of_failure(failure, info, was_waiting()),
        _ => faults::of_archive(error),
    }
}
