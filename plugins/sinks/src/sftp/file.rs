//! Bytes to and from a file on the server.

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, Fault, FaultKind, PutSource};
use respaldo_engine::store::fault_of_io;
use russh_sftp::client::error::Error;
use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};

use super::pipeline::Pipeline;
use super::session::{Session, code_of};
use crate::remote::{Driver, Pieces, SILENCE_LIMIT};

/// Longest wait until a written file is durable and closed.
pub(super) const SEAL_LIMIT: Duration = Duration::from_mins(10);

/// What every server takes in one request.
const PIECE_BYTES: usize = 32 * 1024;
const PRIVATE_FILE: u32 = 0o600;

/// An open file; closed when dropped.
pub(super) struct OpenFile {
    session: Arc<Session>,
    path: String,
    handle: Option<String>,
}

impl OpenFile {
    /// A new file that only its owner may read.
    pub(super) async fn create(session: &Arc<Session>, path: &str) -> Result<Self, Fault> {
        let flags = OpenFlags::CREATE | OpenFlags::EXCLUDE | OpenFlags::WRITE;
        let attrs = FileAttributes {
            permissions: Some(PRIVATE_FILE),
            ..FileAttributes::empty()
        };
        Self::open(session, path, (flags, attrs)).await
    }

    /// A file to be read.
    pub(super) async fn read(session: &Arc<Session>, path: &str) -> Result<Self, Fault> {
        Self::open(session, path, (OpenFlags::READ, FileAttributes::empty())).await
    }

    async fn open(
        session: &Arc<Session>,
        path: &str,
        how: (OpenFlags, FileAttributes),
    ) -> Result<Self, Fault> {
        let opened = session.noted(session.raw.open(path, how.0, how.1).await);
        let opened = opened.map_err(|error| session.fault(format!("open {path}"), error))?;
        Ok(Self {
            session: Arc::clone(session),
            path: path.to_owned(),
            handle: Some(opened.handle),
        })
    }

    fn handle(&self) -> String {
        self.handle.clone().unwrap_or_default()
    }

    /// Makes what was written durable where the server can, closes the file and compares its size.
    pub(super) async fn seal(mut self, size_bytes: u64) -> Result<(), Fault> {
        let session = Arc::clone(&self.session);
        let failed = |error| session.fault(format!("make {} durable", self.path), error);
        let handle = self.handle();
        if session.offers.fsync {
            session.raw.fsync(&handle).await.map_err(failed)?;
        }
        self.handle = None;
        session.raw.close(&handle).await.map_err(failed)?;
        let found = session.look(&self.path).await?;
        let arrived = found.and_then(|found| found.attrs.size);
        if arrived == Some(size_bytes) {
            return Ok(());
        }
        let subject = format!(
            "{size_bytes} bytes were sent to {} and the server has {arrived:?}",
            self.path
        );
        Err(Fault::bare(FaultKind::Corrupt, subject))
    }

    /// What a failed write means: the server has one code for a full disk and for anything else.
    async fn why_not_written(&self, left: u64, error: Error) -> Fault {
        let subject = format!("write {}", self.path);
        let code = code_of(&error);
        let mut fault = self.session.fault(subject, error);
        let folder = self.path.rsplit_once('/').map_or(".", |(folder, _)| folder);
        if code == Some(StatusCode::Failure)
            && let Some(free_bytes) = self.session.free_bytes(folder).await
            && free_bytes < left.max(PIECE_BYTES as u64)
        {
            fault.kind = FaultKind::Full;
        }
        fault
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            let session = Arc::clone(&self.session);
            self.session.runtime.spawn(async move {
                let _ = session.raw.close(handle).await;
            });
        }
    }
}

/// Writes exactly what the source promised.
pub(super) fn copy_in(
    driver: &Driver,
    file: &OpenFile,
    source: (&ObjectKey, &mut dyn PutSource),
    cx: &Context,
) -> Result<(), Fault> {
    let (key, source) = source;
    let size_bytes = source.size_bytes();
    let mut pieces = Pieces::of(source, key, PIECE_BYTES);
    let mut writes = Pipeline::new(driver.handle());
    let (mut sent, mut written) = (0, 0);
    loop {
        let piece = pieces.next(cx)?;
        let at_end = piece.is_none();
        if let Some(piece) = piece {
            let count = piece.len() as u64;
            writes.start(write(Arc::clone(&file.session), file.handle(), sent, piece));
            sent += count;
        }
        while writes.is_full() || (at_end && !writes.is_empty()) {
            let left = size_bytes - written;
            written += driver.wait(&file.path, SILENCE_LIMIT, cx, async {
                match writes.next().await {
                    Some(Ok(count)) => Ok(count),
                    Some(Err(error)) => Err(file.why_not_written(left, error).await),
                    None => Ok(0),
                }
            })?;
        }
        if at_end {
            return Ok(());
        }
    }
}

async fn write(
    session: Arc<Session>,
    handle: String,
    offset: u64,
    piece: Vec<u8>,
) -> Result<u64, Error> {
    let count = piece.len() as u64;
    session.noted(session.raw.write(handle, offset, piece).await)?;
    Ok(count)
}

/// Hands out the bytes of a range.
pub(super) fn copy_out(
    driver: &Driver,
    file: &OpenFile,
    range: Range<u64>,
    into: (&ObjectKey, &mut (dyn Write + Send)),
    cx: &Context,
) -> Result<(), Fault> {
    let (key, into) = into;
    let mut reads = Pipeline::new(driver.handle());
    let mut asked = range.start;
    while asked < range.end || !reads.is_empty() {
        while asked < range.end && !reads.is_full() {
            let wanted = (range.end - asked).min(PIECE_BYTES as u64) as u32;
            reads.start(read(
                Arc::clone(&file.session),
                file.handle(),
                asked,
                wanted,
            ));
            asked += u64::from(wanted);
        }
        let piece = driver.wait(&file.path, SILENCE_LIMIT, cx, async {
            let answer = reads.next().await.unwrap_or(Ok(None));
            answer.map_err(|error| file.session.fault(format!("read {}", file.path), error))
        })?;
        let cut = || {
            Fault::bare(
                FaultKind::Corrupt,
                format!("{key} was cut while it was read"),
            )
        };
        into.write_all(&piece.ok_or_else(cut)?)
            .map_err(|error| fault_of_io(format!("hand out {key}"), error))?;
    }
    Ok(())
}

/// Exactly the bytes wanted; `None` where the file ends before.
async fn read(
    session: Arc<Session>,
    handle: String,
    offset: u64,
    wanted: u32,
) -> Result<Option<Vec<u8>>, Error> {
    let mut piece = Vec::with_capacity(wanted as usize);
    while piece.len() < wanted as usize {
        let (at, left) = (offset + piece.len() as u64, wanted - piece.len() as u32);
        match session.noted(session.raw.read(&handle, at, left).await) {
            Ok(more) if more.data.is_empty() || more.data.len() > left as usize => return Ok(None),
            Ok(more) => piece.extend_from_slice(&more.data),
            Err(error) if code_of(&error) == Some(StatusCode::Eof) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(Some(piece))
}
