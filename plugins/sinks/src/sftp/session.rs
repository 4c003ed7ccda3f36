//! One conversation with the server, and what its answers mean.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use respaldo_engine::ports::{Fault, FaultKind};
use russh_sftp::client::error::Error;
use russh_sftp::client::{Config, RawSftpSession};
use russh_sftp::extensions;
use russh_sftp::protocol::{FileAttributes, StatusCode};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::link::{Connection, of_ssh};

/// Longest work of the server on one request: making a large file durable takes a while.
const ANSWER_LIMIT: Duration = Duration::from_mins(5);
/// After so long without an answer a session is asked whether it still works.
const STALE: Duration = Duration::from_secs(10);
/// Longest wait for that.
const STALE_LIMIT: Duration = Duration::from_secs(10);
const PRIVATE_FOLDER: u32 = 0o700;

/// An SFTP session.
pub(super) struct Session {
    pub(super) raw: RawSftpSession,
    /// Where requests go on that nobody waits for.
    pub(super) runtime: Handle,
    pub(super) offers: Offers,
    broken: AtomicBool,
    answered_at: Mutex<Instant>,
    /// Open for as long as a session of it is.
    connection: Arc<Connection>,
}

/// Which extensions the server has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offers {
    pub(super) hardlink: bool,
    pub(super) fsync: bool,
    pub(super) statvfs: bool,
}

/// A name that is there.
pub(super) struct Found {
    pub(super) attrs: FileAttributes,
}

impl Found {
    /// Whether it is a file itself. (The attributes' own `is_regular` says so of links and sockets
    /// too: it compares bits of a field that is a number.)
    pub(super) fn is_file(&self) -> bool {
        self.attrs.file_type().is_file()
    }

    /// Whether it is a folder itself.
    pub(super) fn is_folder(&self) -> bool {
        self.attrs.file_type().is_dir()
    }

    /// The size of a file.
    pub(super) fn size_bytes(&self, path: &str) -> Result<u64, Fault> {
        let untold = || {
            let subject = format!("the server does not tell the size of {path}");
            Fault::bare(FaultKind::Invalid, subject)
        };
        self.attrs.size.ok_or_else(untold)
    }
}

impl Session {
    pub(super) async fn open(connection: &Arc<Connection>, address: &str) -> Result<Self, Fault> {
        let subject = format!("open an SFTP session on {address}");
        let failed = |error| of_ssh(&subject, error);
        let channel = connection.channel_open_session().await.map_err(failed)?;
        let subsystem = channel.request_subsystem(true, "sftp").await;
        subsystem.map_err(failed)?;
        let config = Config {
            request_timeout_secs: ANSWER_LIMIT.as_secs(),
            ..Config::default()
        };
        let raw = RawSftpSession::new_with_config(channel.into_stream(), config);
        let version = timeout(STALE_LIMIT, raw.init()).await;
        let version = version
            .unwrap_or(Err(Error::Timeout))
            .map_err(|error| fault(&subject, error))?;
        let offers = |name| version.extensions.contains_key(name);
        Ok(Self {
            raw,
            runtime: Handle::current(),
            offers: Offers {
                hardlink: offers(extensions::HARDLINK),
                fsync: offers(extensions::FSYNC),
                statvfs: offers(extensions::STATVFS),
            },
            broken: AtomicBool::new(false),
            answered_at: Mutex::new(Instant::now()),
            connection: Arc::clone(connection),
        })
    }

    /// Whether it failed once, or its connection did.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::SeqCst) || self.connection.is_closed()
    }

    /// Asks a session that was silent for a while for a sign of life.
    pub(super) async fn still_answers(&self) -> bool {
        let silence = self.last_answer().elapsed();
        if silence < STALE {
            return true;
        }
        let asked = timeout(STALE_LIMIT, self.raw.realpath(".")).await;
        let answers = matches!(asked, Ok(Ok(_) | Err(Error::Status(_))));
        self.broken.store(!answers, Ordering::SeqCst);
        if answers {
            self.note_answer();
        }
        answers
    }

    /// What is under a name, itself and not where it points; `None` where nothing is.
    pub(super) async fn look(&self, path: &str) -> Result<Option<Found>, Fault> {
        let found = self.raw.lstat(path).await;
        let found = found.map(|found| Found { attrs: found.attrs });
        self.unless_missing(found, || format!("look at {path}"))
    }

    /// Makes a folder that only its owner may enter.
    pub(super) async fn make_folder(&self, path: &str) -> Result<(), Error> {
        let attrs = FileAttributes {
            permissions: Some(PRIVATE_FOLDER),
            ..FileAttributes::empty()
        };
        self.noted(self.raw.mkdir(path, attrs).await).map(drop)
    }

    /// Removes a file; whether there was one.
    pub(super) async fn remove(&self, path: &str) -> Result<bool, Fault> {
        let removed = self.raw.remove(path).await;
        let removed = self.unless_missing(removed, || format!("remove {path}"))?;
        Ok(removed.is_some())
    }

    /// Bytes left for us, where the server tells.
    pub(super) async fn free_bytes(&self, path: &str) -> Option<u64> {
        if !self.offers.statvfs {
            return None;
        }
        let told = self.noted(self.raw.statvfs(path).await).ok()?;
        Some(told.blocks_avail.saturating_mul(told.fragment_size))
    }

    /// The fault of an answer. What broke the conversation is remembered.
    pub(super) fn fault(&self, subject: impl Into<String>, error: Error) -> Fault {
        self.note(&error);
        fault(subject, error)
    }

    /// The same answer, remembered: an error is not yet a fault.
    pub(super) fn noted<T>(&self, answer: Result<T, Error>) -> Result<T, Error> {
        match &answer {
            Ok(_) => self.note_answer(),
            Err(error) => self.note(error),
        }
        answer
    }

    fn unless_missing<T>(
        &self,
        answer: Result<T, Error>,
        subject: impl FnOnce() -> String,
    ) -> Result<Option<T>, Fault> {
        match self.noted(answer) {
            Ok(found) => Ok(Some(found)),
            Err(error) if code_of(&error) == Some(StatusCode::NoSuchFile) => Ok(None),
            Err(error) => Err(fault(subject(), error)),
        }
    }

    fn note(&self, error: &Error) {
        match error {
            Error::Status(_) => self.note_answer(),
            _ => self.broken.store(true, Ordering::SeqCst),
        }
    }

    fn note_answer(&self) {
        *self
            .answered_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last_answer(&self) -> Instant {
        *self
            .answered_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server's code, where it answered at all.
pub(super) fn code_of(error: &Error) -> Option<StatusCode> {
    match error {
        Error::Status(status) => Some(status.status_code),
        _ => None,
    }
}

fn fault(subject: impl Into<String>, error: Error) -> Fault {
    let kind = match code_of(&error) {
        Some(StatusCode::NoSuchFile) => FaultKind::NotFound,
        Some(StatusCode::PermissionDenied) => FaultKind::Denied,
        Some(StatusCode::OpUnsupported | StatusCode::BadMessage) => FaultKind::Invalid,
        // Failure is every other trouble: with the disk, with the network behind it.
        _ => FaultKind::Unavailable,
    };
    Fault::new(kind, subject, error)
}
