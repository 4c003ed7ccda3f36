//! Threads that compress pieces of text. Each answer has its own channel, so the caller takes them in the order it gave
//! the pieces; how many it leaves unanswered is the caller's bound on memory.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crate::error::{ArchiveError, Result};

/// A piece of text to compress.
pub(crate) struct Piece {
    pub(crate) text: Vec<u8>,
    pub(crate) is_first: bool,
    pub(crate) is_last: bool,
}

/// What became of it.
pub(crate) struct Coded {
    pub(crate) bytes: Vec<u8>,
    /// Bytes of the text.
    pub(crate) plain: u64,
    /// Adler-32 of the text, where the caller must combine it.
    pub(crate) adler: u32,
}

/// Compresses pieces. Made by the thread that uses it: state of a C library need not be movable.
pub(crate) trait Coder {
    fn code(&mut self, piece: Piece) -> Result<Coded>;
}

struct Job {
    piece: Piece,
    answer: SyncSender<Result<Coded>>,
}

/// An answer, or the promise of one.
pub(crate) enum Pending {
    Ready(Result<Coded>),
    Promised(Receiver<Result<Coded>>),
}

impl Pending {
    /// Waits for the answer.
    pub(crate) fn wait(self) -> Result<Coded> {
        match self {
            Self::Ready(coded) => coded,
            Self::Promised(answer) => answer.recv().map_err(|_| ArchiveError::WorkerGone)?,
        }
    }
}

/// The threads; they end when this is dropped.
pub(crate) struct Pool {
    jobs: Option<SyncSender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    /// So many threads, each with a coder of its own.
    pub(crate) fn start(
        threads: usize,
        coder: impl Fn() -> Box<dyn Coder> + Copy + Send + 'static,
        window: usize,
    ) -> Result<Self> {
        let (jobs, queue) = sync_channel(window);
        let queue = Arc::new(Mutex::new(queue));
        let mut pool = Self {
            jobs: Some(jobs),
            threads: Vec::new(),
        };
        for _ in 0..threads {
            let queue = Arc::clone(&queue);
            let thread = std::thread::Builder::new()
                .name("compress".into())
                .spawn(move || serve(coder(), &queue))?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    pub(crate) fn submit(&self, piece: Piece) -> Pending {
        let (answer, promised) = sync_channel(1);
        let sent = self
            .jobs
            .as_ref()
            .is_some_and(|jobs| jobs.send(Job { piece, answer }).is_ok());
        if sent {
            Pending::Promised(promised)
        } else {
            Pending::Ready(Err(ArchiveError::WorkerGone))
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has already been reported by the answer it did not give.
            drop(thread.join());
        }
    }
}

fn serve(mut coder: Box<dyn Coder>, queue: &Mutex<Receiver<Job>>) {
    while let Some(Job { piece, answer }) = next(queue) {
        // Nobody waits for the answer once the block was given up.
        drop(answer.send(coder.code(piece)));
    }
}

fn next(queue: &Mutex<Receiver<Job>>) -> Option<Job> {
    queue.lock().ok()?.recv().ok()
}
