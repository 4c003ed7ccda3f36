//! What is stored: bytes or a file, whose size and hash are known before any sink sees them.

use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use respaldo_domain::object::{ObjectKey, Sha256};
use sha2::Digest;

use super::Store;
use super::transit::{HashingReader, io_of_fault};
use crate::ports::{Context, Fault, FaultKind, ObjectReader, PutSource};

/// Bytes to be stored, hashed.
pub struct Payload {
    body: Body,
    size_bytes: u64,
    sha256: Sha256,
}

enum Body {
    Bytes(Vec<u8>),
    File(HashedFile),
    Object(Store, ObjectKey),
}

/// A file as it was when it was hashed.
#[derive(Debug)]
struct HashedFile {
    path: PathBuf,
    modified_at: Option<SystemTime>,
}

/// Hash of bytes in memory.
pub(crate) fn sha256(bytes: &[u8]) -> Sha256 {
    Sha256(sha2::Sha256::digest(bytes).into())
}

impl Payload {
    /// Bytes in memory.
    pub fn bytes(bytes: Vec<u8>) -> Self {
        let sha256 = sha256(&bytes);
        Self {
            size_bytes: bytes.len() as u64,
            sha256,
            body: Body::Bytes(bytes),
        }
    }

    /// A file, read once here to be hashed. It must not be written to any more, not even after it
    /// was stored: a local sink may take it over as the object.
    pub fn file(path: impl Into<PathBuf>, cx: &Context) -> Result<Self, Fault> {
        let path = path.into();
        let read = hash_file(&path, cx);
        let (modified_at, sha256, size_bytes) =
            read.map_err(|error| super::fault_of_io(format!("read {}", path.display()), error))?;
        let body = Body::File(HashedFile { path, modified_at });
        Ok(Self {
            body,
            size_bytes,
            sha256,
        })
    }

    /// A file that was hashed as it was written. It must not be written to any more.
    pub(super) fn hashed_file(path: PathBuf, size_bytes: u64, sha256: Sha256) -> io::Result<Self> {
        let modified_at = fs::metadata(&path)?.modified().ok();
        Ok(Self {
            body: Body::File(HashedFile { path, modified_at }),
            size_bytes,
            sha256,
        })
    }

    /// An object that lies elsewhere, of which size and hash are known.
    pub fn object(from: Store, key: ObjectKey, size_bytes: u64, sha256: Sha256) -> Self {
        Self {
            body: Body::Object(from, key),
            size_bytes,
            sha256,
        }
    }

    /// Its size.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Its hash.
    pub fn sha256(&self) -> Sha256 {
        self.sha256
    }

    /// A stream of it for a sink.
    pub fn source(&self, offer: Offer, cx: &Context) -> Result<PayloadSource<'_>, Fault> {
        let file = match &self.body {
            Body::File(hashed) => Some(hashed).filter(|_| offer == Offer::File),
            Body::Bytes(_) | Body::Object(..) => None,
        };
        Ok(PayloadSource {
            payload: self,
            reader: Some(HashingReader::new(self.open(cx)?)),
            file,
            cx: cx.clone(),
        })
    }

    fn open(&self, cx: &Context) -> Result<Box<dyn Read + Send + '_>, Fault> {
        match &self.body {
            Body::Bytes(bytes) => Ok(Box::new(Cursor::new(bytes))),
            Body::File(hashed) => {
                let failed = |error| Fault::io(format!("open {}", hashed.path.display()), error);
                Ok(Box::new(File::open(&hashed.path).map_err(failed)?))
            }
            Body::Object(store, key) => store.open(key, None, cx),
        }
    }
}

/// Whether a sink may take the file itself. Only one may: two sinks of one file system would
/// otherwise hold one copy under two names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// The bytes only.
    Stream,
    /// The file too.
    File,
}

fn hash_file(path: &Path, cx: &Context) -> io::Result<(Option<SystemTime>, Sha256, u64)> {
    let file = File::open(path)?;
    let modified_at = file.metadata()?.modified().ok();
    let mut reader = HashingReader::new(file);
    let mut buffer = vec![0; 256 * 1024];
    while reader.read(&mut buffer)? > 0 {
        cx.check().map_err(io_of_fault)?;
    }
    let (sha256, size_bytes) = reader.finish();
    Ok((modified_at, sha256, size_bytes))
}

/// The stream of a payload. It withholds its last bytes, with an error, unless all of them together
/// have the hash of the payload: no sink completes an object of other bytes than were hashed.
pub struct PayloadSource<'a> {
    payload: &'a Payload,
    /// `None` once the end was reached and compared.
    reader: Option<HashingReader<Box<dyn Read + Send + 'a>>>,
    file: Option<&'a HashedFile>,
    cx: Context,
}

impl PayloadSource<'_> {
    /// Compares at the end of the stream.
    fn compare(&mut self) -> io::Result<()> {
        let Some((sha256, size_bytes)) = self.reader.take().map(HashingReader::finish) else {
            return Ok(());
        };
        if size_bytes == self.payload.size_bytes && sha256 == self.payload.sha256 {
            return Ok(());
        }
        let subject = "what is to be stored changed since it was hashed";
        Err(io_of_fault(Fault::bare(FaultKind::Corrupt, subject)))
    }
}

impl Read for PayloadSource<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.cx.check().map_err(io_of_fault)?;
        let Some(reader) = self.reader.as_mut().filter(|_| !out.is_empty()) else {
            return Ok(0);
        };
        let got = reader.read(out)?;
        if got == 0 || reader.count() >= self.payload.size_bytes {
            self.compare()?;
        }
        Ok(got)
    }
}

impl PutSource for PayloadSource<'_> {
    fn size_bytes(&self) -> u64 {
        self.payload.size_bytes
    }

    /// The file, as long as it is the one that was hashed.
    fn file(&self) -> Option<&Path> {
        let hashed = self.file?;
        let now = fs::symlink_metadata(&hashed.path).ok()?;
        let same = now.is_file()
            && now.len() == self.payload.size_bytes
            && now.modified().ok() == hashed.modified_at;
        same.then_some(hashed.path.as_path())
    }

    fn rewind(&mut self) -> bool {
        let payload = self.payload;
        let opened = payload.open(&self.cx).map(HashingReader::new).ok();
        let is_open = opened.is_some();
        self.reader = opened;
        is_open
    }
}
