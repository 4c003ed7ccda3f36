//! Reading objects from the first sink that gives them: out of its own file where it has one on this machine,
//! else in windows.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::ops::Range;

use respaldo_domain::object::{ObjectKey, Sha256};

use super::Store;
use super::transit::{HashingReader, fault_of_io, io_of_fault};
use crate::faults;
use crate::ports::{Context, Fault, FaultKind, ObjectInfo, ObjectReader, StorageSink};

/// Most that is held in memory of an object being read.
pub const WINDOW_BYTES: u64 = 4 * 1024 * 1024;

/// Larger reads of a file go past its buffer.
const FILE_BUFFER_BYTES: usize = 64 * 1024;

impl Store {
    /// SHA-256 and size of an object's stored bytes, read to its end.
    pub fn hash(&self, key: &ObjectKey, cx: &Context) -> Result<(Sha256, u64), Fault> {
        let mut reader = HashingReader::new(self.open(key, None, cx)?);
        reader
            .drain()
            .map_err(|error| fault_of_io(format!("reading {key}"), error))?;
        Ok(reader.finish())
    }

    /// A whole object of at most `max_bytes`, from one sink.
    pub fn read_all(
        &self,
        key: &ObjectKey,
        max_bytes: u64,
        cx: &Context,
    ) -> Result<Vec<u8>, Fault> {
        self.first_answer(0, key, |_, sink| read_whole(sink, key, max_bytes, cx))
    }
}

/// A whole object of at most `max_bytes` from this sink.
pub(super) fn read_whole(
    sink: &dyn StorageSink,
    key: &ObjectKey,
    max_bytes: u64,
    cx: &Context,
) -> Result<Vec<u8>, Fault> {
    let size_bytes = head(sink, key, cx)?.size_bytes;
    if size_bytes > max_bytes {
        let subject = format!("{key} is larger than {max_bytes} bytes");
        return Err(Fault::bare(FaultKind::Corrupt, subject));
    }
    let mut bytes = Vec::new();
    fetch(sink, key, 0..size_bytes, &mut bytes, cx)?;
    Ok(bytes)
}

fn head(sink: &dyn StorageSink, key: &ObjectKey, cx: &Context) -> Result<ObjectInfo, Fault> {
    faults::step("store.get")?;
    sink.head(key, cx)
}

/// Fills `into` with exactly this range.
fn fetch(
    sink: &dyn StorageSink,
    key: &ObjectKey,
    range: Range<u64>,
    into: &mut Vec<u8>,
    cx: &Context,
) -> Result<(), Fault> {
    faults::step("store.get")?;
    into.clear();
    let wanted = (range.end - range.start) as usize;
    let mut bounded = Bounded { into, left: wanted };
    sink.get(key, Some(range), &mut bounded, cx)?;
    if bounded.left == 0 {
        return Ok(());
    }
    let subject = format!("{} gave less of {key} than asked for", sink.name());
    Err(Fault::bare(FaultKind::Corrupt, subject))
}

/// The sink's own file of an object, at the first byte of this range, all of which it has.
fn own_file(
    sink: &dyn StorageSink,
    key: &ObjectKey,
    range: &Range<u64>,
    cx: &Context,
) -> Result<Option<File>, Fault> {
    let Some(mut file) = sink.file(key, cx)? else {
        return Ok(None);
    };
    faults::step("store.get")?;
    let reading = |error| Fault::io(format!("reading {key}"), error);
    if range.end > file.metadata().map_err(reading)?.len() {
        let subject = format!("{} has less of {key} than asked for", sink.name());
        return Err(Fault::bare(FaultKind::Corrupt, subject));
    }
    file.seek(SeekFrom::Start(range.start)).map_err(reading)?;
    Ok(Some(file))
}

/// Takes no more bytes than were asked for, whatever a sink sends.
struct Bounded<'a> {
    into: &'a mut Vec<u8>,
    left: usize,
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.left {
            let subject = "a sink gave more bytes than asked for";
            return Err(io_of_fault(Fault::bare(FaultKind::Corrupt, subject)));
        }
        self.left -= bytes.len();
        self.into.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ObjectReader for Store {
    fn head(&self, key: &ObjectKey, cx: &Context) -> Result<ObjectInfo, Fault> {
        self.first_answer(0, key, |_, sink| head(sink, key, cx))
    }

    fn open<'a>(
        &'a self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
        cx: &Context,
    ) -> Result<Box<dyn Read + Send + 'a>, Fault> {
        let mut windows = match range {
            Some(range) => Windows::over_range(self, key, range, cx)?,
            None => Windows::over_all(self, key, cx)?,
        };
        // The first bytes are asked for here, so that what is missing is a fault of `open`.
        windows.refill()?;
        Ok(Box::new(windows))
    }
}

/// A stream over a range of an object.
pub(super) struct Windows<'a> {
    store: &'a Store,
    key: ObjectKey,
    /// What is still to be fetched.
    rest: Range<u64>,
    /// Size that every sink must agree on, where the whole object is read.
    whole: Option<u64>,
    /// The sink asked first.
    sink: usize,
    window: Vec<u8>,
    taken: usize,
    /// That sink's own file, at the first byte of the rest.
    file: Option<BufReader<File>>,
    /// A file failed on the way. Whether another sink has more of it is for windows to find out.
    file_failed: bool,
    cx: Context,
}

impl<'a> Windows<'a> {
    pub(super) fn over_range(
        store: &'a Store,
        key: &ObjectKey,
        range: Range<u64>,
        cx: &Context,
    ) -> Result<Self, Fault> {
        if range.start > range.end {
            let subject = format!("bytes {} to {} of {key}", range.start, range.end);
            return Err(Fault::bare(FaultKind::Invalid, subject));
        }
        let (key, cx) = (key.clone(), cx.clone());
        let window = Vec::new();
        Ok(Self {
            store,
            key,
            rest: range,
            whole: None,
            sink: 0,
            window,
            taken: 0,
            file: None,
            file_failed: false,
            cx,
        })
    }

    fn over_all(store: &'a Store, key: &ObjectKey, cx: &Context) -> Result<Self, Fault> {
        let sized = |index, sink: &dyn StorageSink| Ok((index, head(sink, key, cx)?.size_bytes));
        let (sink, size_bytes) = store.first_answer(0, key, sized)?;
        let windows = Self::over_range(store, key, 0..size_bytes, cx)?;
        Ok(Self {
            whole: Some(size_bytes),
            sink,
            ..windows
        })
    }

    /// Finds the file that the first sink which answers reads from, or fetches the next window from it.
    fn refill(&mut self) -> Result<(), Fault> {
        let rest = self.rest.clone();
        let end = rest.end.min(rest.start.saturating_add(WINDOW_BYTES));
        let (store, key, cx) = (self.store, &self.key, &self.cx);
        let (first, whole, window) = (self.sink, self.whole, &mut self.window);
        let files = !self.file_failed;
        (self.sink, self.file) = store.first_answer(first, key, |index, sink| {
            cx.check()?;
            if index != first {
                agree(sink, key, whole, cx)?;
            }
            let file = match files {
                true => own_file(sink, key, &rest, cx)?,
                false => None,
            };
            if let Some(file) = file {
                window.clear();
                let file = BufReader::with_capacity(FILE_BUFFER_BYTES, file);
                return Ok((index, Some(file)));
            }
            fetch(sink, key, rest.start..end, window, cx).map(|()| (index, None))
        })?;
        if self.file.is_none() {
            self.rest.start = end;
        }
        self.taken = 0;
        Ok(())
    }

    /// The next bytes of the file; none where nothing is read from one.
    fn read_file(&mut self, out: &mut [u8]) -> io::Result<Option<usize>> {
        let Some(file) = &mut self.file else {
            return Ok(None);
        };
        self.cx.check().map_err(io_of_fault)?;
        let left = usize::try_from(self.rest.end - self.rest.start).unwrap_or(usize::MAX);
        let wanted = out.len().min(left);
        match file.read(&mut out[..wanted]) {
            Ok(got) if got > 0 || wanted == 0 => {
                self.rest.start += got as u64;
                Ok(Some(got))
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            // It was cut, or cannot be read here.
            Ok(_) | Err(_) => {
                (self.file, self.file_failed) = (None, true);
                Ok(None)
            }
        }
    }
}

/// Refuses a sink whose copy has another size than the one the reading began with.
fn agree(
    sink: &dyn StorageSink,
    key: &ObjectKey,
    whole: Option<u64>,
    cx: &Context,
) -> Result<(), Fault> {
    match whole {
        Some(size_bytes) if head(sink, key, cx)?.size_bytes != size_bytes => {
            let subject = format!("{key} has another size in {}", sink.name());
            Err(Fault::bare(FaultKind::Corrupt, subject))
        }
        _ => Ok(()),
    }
}

impl Read for Windows<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.window.len() && !self.rest.is_empty() {
            if let Some(got) = self.read_file(out)? {
                return Ok(got);
            }
            self.refill().map_err(io_of_fault)?;
        }
        let got = (&self.window[self.taken..]).read(out)?;
        self.taken += got;
        Ok(got)
    }
}
