//! A large file is brought to the disk while it is written, so that making it durable takes no time of its own
//! at the end. That is only ahead of time: whoever writes still makes the whole file durable, and learns here
//! whether that failed, for the system tells it once.

use std::fs::File;
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// Bytes written from one time to the next.
const EVERY_BYTES: u64 = 32 << 20;

/// Brings what was written to the disk, on a thread of its own.
#[derive(Debug, Default)]
pub(crate) struct Writeback {
    since: u64,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    ask: SyncSender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl Writeback {
    /// Counts bytes written to the file. While the disk is busy with what came before, nothing is asked of it.
    pub(crate) fn written(&mut self, file: &File, bytes: u64) -> io::Result<()> {
        self.since += bytes;
        if self.since < EVERY_BYTES {
            return Ok(());
        }
        let running = match self.running.take() {
            Some(running) => running,
            None => Running::start(file.try_clone()?)?,
        };
        if self.running.insert(running).ask.try_send(()).is_ok() {
            self.since = 0;
        }
        Ok(())
    }

    /// Waits until all of the file is on the disk; fails where the disk failed at any time.
    pub(crate) fn finish(self, file: &File) -> io::Result<()> {
        if let Some(Running { ask, thread }) = self.running {
            drop(ask);
            let panicked = |_| Err(io::Error::other("a thread that wrote to the disk is gone"));
            thread.join().unwrap_or_else(panicked)?;
        }
        file.sync_all()
    }
}

impl Running {
    fn start(file: File) -> io::Result<Self> {
        let (ask, asked) = sync_channel(0);
        let work = move || asked.into_iter().try_for_each(|()| file.sync_data());
        let thread = thread::Builder::new().name("respaldo-disk".to_owned());
        let thread = thread.spawn(work)?;
        Ok(Self { ask, thread })
    }
}
