//! Reading what is in stored objects: decrypted where they are encrypted, and of a part no more than
//! the pieces that hold it.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use respaldo_domain::object::ObjectKey;

use super::read::Windows;
use super::transit::{fault_of_io, io_of_fault};
use super::vault::Beginning;
use super::{Store, StoreSink};
use crate::ports::{Context, Fault, FaultKind, ObjectInfo, ObjectReader, SeekableRead};

/// Bytes at the beginning of an object that are read at once: the headers of forty recipients.
const BEGINNING_BYTES: u64 = 4096;

/// A store whose objects are read as what is in them.
pub struct InsideStore<'a>(&'a Store);

impl Store {
    /// The store as those see it who read what is in its objects.
    pub fn inside(&self) -> InsideStore<'_> {
        InsideStore(self)
    }

    /// A stream over a range of what is in an object (all when `None`).
    pub fn open_inside<'a>(
        &'a self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
        cx: &Context,
    ) -> Result<Box<dyn Read + Send + 'a>, Fault> {
        if !key.is_encrypted() {
            return self.open(key, range, cx);
        }
        let Some(range) = range else {
            return Ok(Box::new(self.decrypted(key, None, cx)?));
        };
        if range.start > range.end {
            let subject = format!("bytes {} to {} of {key}", range.start, range.end);
            return Err(Fault::bare(FaultKind::Invalid, subject));
        }
        let mut inside = self.decrypted(key, Some(&range), cx)?;
        let sought = inside.seek(SeekFrom::Start(range.start));
        sought.map_err(|error| fault_of_io(format!("reading {key}"), error))?;
        Ok(Box::new(inside.take(range.end - range.start)))
    }

    /// Everything in an object of at most `max_bytes`.
    pub fn read_inside(
        &self,
        key: &ObjectKey,
        max_bytes: u64,
        cx: &Context,
    ) -> Result<Vec<u8>, Fault> {
        if !key.is_encrypted() {
            return self.read_all(key, max_bytes, cx);
        }
        let mut bytes = Vec::new();
        let inside = self.decrypted(key, None, cx)?;
        let read = inside.take(max_bytes + 1).read_to_end(&mut bytes);
        read.map_err(|error| fault_of_io(format!("reading {key}"), error))?;
        if bytes.len() as u64 > max_bytes {
            let subject = format!("{key} is larger than {max_bytes} bytes");
            return Err(Fault::bare(FaultKind::Corrupt, subject));
        }
        Ok(bytes)
    }

    fn decrypted<'a>(
        &'a self,
        key: &ObjectKey,
        part: Option<&Range<u64>>,
        cx: &Context,
    ) -> Result<Box<dyn SeekableRead + 'a>, Fault> {
        let encryption = self.vault.encryption()?;
        encryption.key()?;
        let sinks = self.names();
        let known = self.vault.beginnings().of(&sinks, key);
        let is_known = known.is_some();
        let beginning = match known {
            Some(beginning) => beginning,
            None => Arc::new(self.beginning(key, cx)?),
        };
        let stored = Stored {
            store: self,
            key: key.clone(),
            cx: cx.clone(),
            beginning: Arc::clone(&beginning),
            at: 0,
            ahead: part.map(|part| encryption.span(part)),
            windows: None,
        };
        let inside = encryption.decrypt(Box::new(stored));
        let inside = inside.map_err(|fault| told_of(key, fault))?;
        if !is_known {
            self.vault.beginnings().note(&sinks, key, &beginning);
        }
        Ok(inside)
    }

    /// The first bytes of an object.
    fn beginning(&self, key: &ObjectKey, cx: &Context) -> Result<Beginning, Fault> {
        let size_bytes = ObjectReader::head(self, key, cx)?.size_bytes;
        let mut bytes = Vec::new();
        let range = 0..size_bytes.min(BEGINNING_BYTES);
        let read = self.open(key, Some(range), cx)?.read_to_end(&mut bytes);
        read.map_err(|error| fault_of_io(format!("reading {key}"), error))?;
        Ok(Beginning { size_bytes, bytes })
    }

    fn names(&self) -> String {
        let names = self.sinks.iter().map(|entry: &StoreSink| entry.sink.name());
        names.collect::<Vec<_>>().join("\n")
    }
}

fn told_of(key: &ObjectKey, fault: Fault) -> Fault {
    Fault::new(fault.kind, format!("opening {key}"), fault)
}

impl ObjectReader for InsideStore<'_> {
    fn head(&self, key: &ObjectKey, cx: &Context) -> Result<ObjectInfo, Fault> {
        let stored = ObjectReader::head(self.0, key, cx)?;
        if !key.is_encrypted() {
            return Ok(stored);
        }
        let mut inside = self.0.decrypted(key, None, cx)?;
        let end = inside.seek(SeekFrom::End(0));
        let size_bytes = end.map_err(|error| fault_of_io(format!("reading {key}"), error))?;
        Ok(ObjectInfo {
            size_bytes,
            ..stored
        })
    }

    fn open<'a>(
        &'a self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
        cx: &Context,
    ) -> Result<Box<dyn Read + Send + 'a>, Fault> {
        self.0.open_inside(key, range, cx)
    }
}

/// The stored bytes of an object, read from any place. What is fetched at once ends where the part
/// that is wanted does.
struct Stored<'a> {
    store: &'a Store,
    key: ObjectKey,
    cx: Context,
    beginning: Arc<Beginning>,
    at: u64,
    /// Bytes that will be wanted from where it is sought to; all when `None`.
    ahead: Option<u64>,
    windows: Option<Windows<'a>>,
}

impl Stored<'_> {
    fn begin_windows(&mut self) -> io::Result<()> {
        let size_bytes = self.beginning.size_bytes;
        let wanted = self
            .ahead
            .map_or(size_bytes, |ahead| self.at.saturating_add(ahead));
        let range = self.at..wanted.min(size_bytes).max(self.at);
        let windows = Windows::over_range(self.store, &self.key, range, &self.cx);
        self.windows = Some(windows.map_err(io_of_fault)?);
        Ok(())
    }
}

impl Read for Stored<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some(known) = self.beginning.bytes.get(self.at as usize..)
            && !known.is_empty()
        {
            let got = (&mut &known[..]).read(out)?;
            self.at += got as u64;
            return Ok(got);
        }
        if self.windows.is_none() {
            self.begin_windows()?;
        }
        let got = match &mut self.windows {
            Some(windows) => windows.read(out)?,
            None => 0,
        };
        self.at += got as u64;
        Ok(got)
    }
}

impl Seek for Stored<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let beyond = || io::Error::new(io::ErrorKind::InvalidInput, "a place before the first");
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.beginning.size_bytes.checked_add_signed(by),
        };
        let at = at.ok_or_else(beyond)?;
        if at != self.at {
            self.windows = None;
            self.at = at;
        }
        Ok(at)
    }
}
