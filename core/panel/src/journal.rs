//! Who did what, on its way to the ledger.
//!
//! An entry is in a file of the state folder before anything else happens with it. From there a thread hands entries to
//! the ledger, in order, until it takes them; one that was handed over twice is written once, by its number. So nothing
//! is lost while the database is away or when the process ends.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ports::{Entry, Ledger};
use crate::store;

const SPOOL: &str = "panel-audit.jsonl";
/// What is being handed over.
const SENDING: &str = "panel-audit.sending.jsonl";
/// Where no ledger ever takes anything, the file does not grow without end: the oldest half goes, and that is said.
const LONGEST_BYTES: u64 = 64 * 1024 * 1024;
const AGAIN_AFTER: Duration = Duration::from_secs(20);
const AT_ONCE: usize = 200;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    base: String,
    entry: Entry,
}

/// The way to the ledger.
pub struct Journal {
    folder: PathBuf,
    /// Held while the file is written to or renamed.
    file: Arc<Mutex<()>>,
    wake: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Journal {
    /// Of a folder, into a ledger.
    pub fn begin(folder: &Path, ledger: Arc<dyn Ledger>) -> io::Result<Self> {
        let (wake, woken) = channel();
        let file = Arc::new(Mutex::new(()));
        let hand = Hand {
            folder: folder.to_owned(),
            file: Arc::clone(&file),
            ledger,
        };
        let work = move || {
            loop {
                hand.over();
                match woken.recv_timeout(AGAIN_AFTER) {
                    Err(RecvTimeoutError::Disconnected) => return hand.over(),
                    Ok(()) => while woken.try_recv().is_ok() {},
                    Err(RecvTimeoutError::Timeout) => {}
                }
            }
        };
        let thread = thread::Builder::new().name("respaldo-audit".to_owned());
        Ok(Self {
            folder: folder.to_owned(),
            file,
            wake: Some(wake),
            thread: Some(thread.spawn(work)?),
        })
    }

    /// Keeps an entry. It is in the file when this returns.
    pub fn add(&self, base: &str, entry: Entry) {
        let line = Line {
            base: base.to_owned(),
            entry,
        };
        if let Err(error) = self.append(&line) {
            tracing::error!(%error, action = line.entry.accion, user = line.entry.usuario,
                "who did what cannot be kept in {}", self.folder.join(SPOOL).display());
        }
        if let Some(wake) = &self.wake {
            // It ends with this.
            wake.send(()).ok();
        }
    }

    fn append(&self, line: &Line) -> io::Result<()> {
        let _held = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        store::make_private(&self.folder)?;
        let path = self.folder.join(SPOOL);
        if fs::metadata(&path).is_ok_and(|facts| facts.len() > LONGEST_BYTES) {
            halve(&path)?;
        }
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        let mut file = store::appended(&path)?;
        file.write_all(&text)?;
        file.sync_data()
    }

    /// What no ledger has taken yet, newest first.
    pub fn waiting(&self) -> Vec<Entry> {
        let _held = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let files = [SENDING, SPOOL].map(|name| lines(&self.folder.join(name)));
        let all = files.into_iter().flatten().map(|line| line.entry);
        let mut all: Vec<Entry> = all.collect();
        all.reverse();
        all
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.wake.take();
        if let Some(thread) = self.thread.take() {
            // A panic was reported by the hook; what it had not handed over is in the file.
            thread.join().ok();
        }
    }
}

fn halve(path: &Path) -> io::Result<()> {
    let all = fs::read(path)?;
    let middle = all.len() / 2;
    let next = all[middle..].iter().position(|byte| *byte == b'\n');
    let kept = next.map_or(&[][..], |at| &all[middle + at + 1..]);
    tracing::error!(file = %path.display(), "entries were never taken by a database: the oldest are gone");
    store::private(path)?.write_all(kept)
}

/// Lines that make sense; a crash may have left a part of the last.
fn lines(path: &Path) -> Vec<Line> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    lines.collect()
}

/// What hands entries over.
struct Hand {
    folder: PathBuf,
    file: Arc<Mutex<()>>,
    ledger: Arc<dyn Ledger>,
}

impl Hand {
    fn over(&self) {
        loop {
            let sending = self.folder.join(SENDING);
            {
                let _held = self.file.lock().unwrap_or_else(PoisonError::into_inner);
                let spool = self.folder.join(SPOOL);
                if !sending.exists() && fs::rename(&spool, &sending).is_err() {
                    return;
                }
            }
            if !self.send(&sending) {
                return;
            }
        }
    }

    /// Whether all of a file was taken.
    fn send(&self, sending: &Path) -> bool {
        let mut of_base: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        for line in lines(sending) {
            of_base.entry(line.base).or_default().push(line.entry);
        }
        for (base, entries) in of_base {
            for entries in entries.chunks(AT_ONCE) {
                if let Err(reason) = self.ledger.write(&base, entries) {
                    tracing::debug!(reason, base, "who did what is recorded later");
                    return false;
                }
            }
        }
        let _held = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        fs::remove_file(sending).is_ok()
    }
}
