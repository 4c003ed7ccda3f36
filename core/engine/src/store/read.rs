//! Reading objects from the first sink that gives them, in windows.

use std::io::{self, Read, Write};
use std::ops::Range;

use respaldo_domain::object::{ObjectKey, Sha256};

use super::Store;
use super::transit::{HashingReader, fault_of_io, io_of_fault};
use crate::faults;
use crate::ports::{Context, Fault, FaultKind, ObjectInfo, ObjectReader, StorageSink};

/// Most that is held in memory of an object being read.
pub const WINDOW_BYTES: u64 = 4 * 1024 * 1024;

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
        // The first window is fetched here, so that what is missing is a fault of `open`.
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

    /// Fetches the next window from the first sink that gives it.
    fn refill(&mut self) -> Result<(), Fault> {
        let end = self
            .rest
            .end
            .min(self.rest.start.saturating_add(WINDOW_BYTES));
        let range = self.rest.start..end;
        let (store, key, cx) = (self.store, &self.key, &self.cx);
        let (first, whole, window) = (self.sink, self.whole, &mut self.window);
        self.sink = store.first_answer(first, key, |index, sink| {
            cx.check()?;
            if index != first {
                agree(sink, key, whole, cx)?;
            }
            fetch(sink, key, range.clone(), window, cx).map(|()| index)
        })?;
        self.rest.start = end;
        self.taken = 0;
        Ok(())
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
        if self.taken == self.window.len() && !self.rest.is_empty() {
            self.refill().map_err(io_of_fault)?;
        }
        let got = (&self.window[self.taken..]).read(out)?;
        self.taken += got;
        Ok(got)
    }
}
