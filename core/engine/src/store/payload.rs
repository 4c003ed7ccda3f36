//! What is stored: bytes, an object or a file. Their size is known before any sink sees them; their hash is taken
//! while they are first streamed, where nobody knew it or asked for it before: nothing is read once more only for that.

use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use respaldo_domain::object::{ObjectKey, Sha256};
use sha2::Digest;

use super::Store;
use super::transit::{HashingReader, drain, io_of_fault};
use crate::ports::{Context, Fault, FaultKind, ObjectReader, PutSource};

/// Bytes to be stored.
pub struct Payload {
    body: Body,
    size_bytes: u64,
    /// Set by whoever reads all of it first.
    sha256: OnceLock<Sha256>,
}

enum Body {
    Bytes(Vec<u8>),
    File(SpooledFile),
    Object(Store, ObjectKey),
}

/// A file as it was when it was handed over.
#[derive(Debug)]
struct SpooledFile {
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
        Self {
            size_bytes: bytes.len() as u64,
            sha256: OnceLock::new(),
            body: Body::Bytes(bytes),
        }
    }

    /// A file. It must not be written to any more, not even after it was stored: a local sink may take it over as the
    /// object.
    pub fn file(path: impl Into<PathBuf>) -> Result<Self, Fault> {
        let path = path.into();
        let facts = fs::metadata(&path);
        let facts = facts.map_err(|e| Fault::io(format!("read {}", path.display()), e))?;
        let modified_at = facts.modified().ok();
        Ok(Self {
            body: Body::File(SpooledFile { path, modified_at }),
            size_bytes: facts.len(),
            sha256: OnceLock::new(),
        })
    }

    /// The same, where the hash is known.
    #[must_use]
    pub(crate) fn of_hash(self, sha256: Option<Sha256>) -> Self {
        Self {
            sha256: sha256.map(OnceLock::from).unwrap_or(self.sha256),
            ..self
        }
    }

    /// A file that was hashed as it was written. It must not be written to any more.
    pub(super) fn hashed_file(path: PathBuf, size_bytes: u64, sha256: Sha256) -> io::Result<Self> {
        let modified_at = fs::metadata(&path)?.modified().ok();
        Ok(Self {
            body: Body::File(SpooledFile { path, modified_at }),
            size_bytes,
            sha256: sha256.into(),
        })
    }

    /// An object that lies elsewhere, of which size and hash are known.
    pub fn object(from: Store, key: ObjectKey, size_bytes: u64, sha256: Sha256) -> Self {
        Self {
            body: Body::Object(from, key),
            size_bytes,
            sha256: sha256.into(),
        }
    }

    /// Its size.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Its hash, for which it is read where nobody has read all of it before; fails with [`FaultKind::Corrupt`] where
    /// it is no longer the one that was handed over.
    pub fn sha256(&self, cx: &Context) -> Result<Sha256, Fault> {
        if self.sha256.get().is_none() {
            let mut source = self.source(Offer::Stream, cx)?;
            drain(&mut source)
                .map_err(|error| super::fault_of_io("reading what is to be stored", error))?;
        }
        let known = self.sha256.get().copied();
        known.ok_or_else(|| Fault::bare(FaultKind::Corrupt, CHANGED))
    }

    /// A stream of it for a sink.
    pub fn source(&self, offer: Offer, cx: &Context) -> Result<PayloadSource<'_>, Fault> {
        let file = match &self.body {
            Body::File(spooled) => Some(spooled).filter(|_| offer == Offer::File),
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
            Body::File(spooled) => {
                let failed = |error| Fault::io(format!("open {}", spooled.path.display()), error);
                Ok(Box::new(File::open(&spooled.path).map_err(failed)?))
            }
            Body::Object(store, key) => store.open(key, None, cx),
        }
    }

    /// Whether nobody wrote to it since it was handed over.
    pub(crate) fn is_untouched(&self) -> bool {
        match &self.body {
            Body::File(spooled) => spooled.is_untouched(self.size_bytes),
            Body::Bytes(_) | Body::Object(..) => true,
        }
    }

    /// Whether what was read is all of it. Whoever reads all of it first says what it is, if a file is untouched.
    fn is(&self, sha256: Sha256, size_bytes: u64) -> bool {
        self.is_untouched()
            && size_bytes == self.size_bytes
            && *self.sha256.get_or_init(|| sha256) == sha256
    }
}

impl SpooledFile {
    /// Nobody wrote to it since it was handed over.
    fn is_untouched(&self, size_bytes: u64) -> bool {
        fs::metadata(&self.path)
            .is_ok_and(|now| now.len() == size_bytes && now.modified().ok() == self.modified_at)
    }
}

const CHANGED: &str = "what is to be stored changed since it was handed over";

/// Whether a sink may take the file itself. Only one may: two sinks of one file system would
/// otherwise hold one copy under two names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// The bytes only.
    Stream,
    /// The file too.
    File,
}

/// The stream of a payload. It withholds its last bytes, with an error, unless all of them together
/// have the hash of the payload: no sink completes an object of other bytes than another has.
pub struct PayloadSource<'a> {
    payload: &'a Payload,
    /// `None` once the end was reached and compared.
    reader: Option<HashingReader<Box<dyn Read + Send + 'a>>>,
    file: Option<&'a SpooledFile>,
    cx: Context,
}

impl PayloadSource<'_> {
    /// Compares at the end of the stream.
    fn compare(&mut self) -> io::Result<()> {
        let Some((sha256, size_bytes)) = self.reader.take().map(HashingReader::finish) else {
            return Ok(());
        };
        match self.payload.is(sha256, size_bytes) {
            true => Ok(()),
            false => Err(io_of_fault(Fault::bare(FaultKind::Corrupt, CHANGED))),
        }
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

    /// The file, as long as it is the one that was handed over; it is hashed before it is given away.
    fn file(&self) -> Option<&Path> {
        let spooled = self.file?;
        self.payload.sha256(&self.cx).ok()?;
        let is_file = fs::symlink_metadata(&spooled.path).is_ok_and(|now| now.is_file());
        let is_same = is_file && spooled.is_untouched(self.payload.size_bytes);
        is_same.then_some(spooled.path.as_path())
    }

    fn rewind(&mut self) -> bool {
        let payload = self.payload;
        let opened = payload.open(&self.cx).map(HashingReader::new).ok();
        let is_open = opened.is_some();
        self.reader = opened;
        is_open
    }
}
