//! Streams of the host as those of the standard library.
//!
//! Where the host lends its buffers they are read and written in place. When a stream fails the host knows
//! why; the plugin sees an [`io::Error`] that becomes [`Status::Stream`] on its way out.

#![expect(unsafe_code, reason = "reads and writes buffers of the host")]

use std::io::{self, BufRead, Read, Write};
use std::marker::PhantomData;
use std::slice;
use std::time::{Duration, Instant};

use crate::abi;
use crate::error::{Error, Result, Status, StreamFailed};
use crate::fields::field;
use crate::strategies::Context;

/// Room of our own where the host lends none.
const OWN_ROOM: usize = 256 * 1024;

/// Written bytes are handed over at the next write after this time, also when there is room left.
const HOLD: Duration = Duration::from_millis(500);

/// Copies a stream to its end and returns its length. Stops when the call is cancelled, and tells the host
/// how far it is.
pub fn copy(
    source: &mut (impl BufRead + ?Sized),
    into: &mut (impl Write + ?Sized),
    cx: &dyn Context,
) -> Result<u64> {
    let mut done = 0;
    loop {
        cx.check()?;
        let bytes = source.fill_buf()?;
        if bytes.is_empty() {
            return Ok(done);
        }
        let len = bytes.len();
        into.write_all(bytes)?;
        source.consume(len);
        done += len as u64;
        cx.progress(done, 0);
    }
}

/// What happened to a stream of the host is more than what the plugin says about it.
pub(crate) fn judged(failed: bool, result: Result<()>) -> Result<()> {
    match (failed, result) {
        (false, result) => result,
        (true, Ok(())) => Err(Error::from(StreamFailed::error())),
        (true, Err(error)) => Err(Error::new(Status::Stream, error.message)),
    }
}

type Lend = (
    unsafe extern "C" fn(*const abi::Reader, *mut *const u8) -> i64,
    unsafe extern "C" fn(*const abi::Reader, usize),
);

/// A stream that the host gives.
pub(crate) struct HostReader<'a> {
    at: *const abi::Reader,
    lend: Option<Lend>,
    own: Vec<u8>,
    /// What was lent, or our own room as far as it is filled, and how much of it was taken.
    lent: *const u8,
    len: usize,
    taken: usize,
    failed: bool,
    reader: PhantomData<&'a abi::Reader>,
}

// SAFETY: a stream is used by one thread at a time, any.
unsafe impl Send for HostReader<'_> {}

impl HostReader<'_> {
    /// # Safety
    /// `at` is null or points to a reader of the host that lasts as long as this.
    pub(crate) unsafe fn new(at: *const abi::Reader) -> Self {
        // SAFETY: the caller's promise.
        let lend = unsafe {
            let fill = field!(at, Reader.fill).flatten();
            fill.zip(field!(at, Reader.consume).flatten())
        };
        Self {
            at,
            lend,
            own: Vec::new(),
            lent: std::ptr::null(),
            len: 0,
            taken: 0,
            failed: false,
            reader: PhantomData,
        }
    }

    /// Whether the host failed to give what comes next.
    pub(crate) fn failed(&self) -> bool {
        self.failed
    }

    fn counted(&mut self, count: i64, most: usize) -> io::Result<usize> {
        let count = usize::try_from(count).ok().filter(|count| *count <= most);
        self.failed |= count.is_none();
        count.ok_or_else(StreamFailed::error)
    }

    fn refill(&mut self) -> io::Result<()> {
        (self.len, self.taken) = (0, 0);
        if let Some((fill, _)) = self.lend {
            // SAFETY: the host's function, with its reader.
            let count = unsafe { fill(self.at, &raw mut self.lent) };
            let lent = self.counted(count, isize::MAX as usize)?;
            self.len = if self.lent.is_null() { 0 } else { lent };
            return Ok(());
        }
        let mut own = std::mem::take(&mut self.own);
        own.resize(OWN_ROOM, 0);
        let count = self.read_into(&mut own);
        self.own = own;
        self.lent = self.own.as_ptr();
        self.len = count?;
        Ok(())
    }

    fn read_into(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // SAFETY: the host's function, with its reader and a buffer of that length.
        let count = unsafe {
            match field!(self.at, Reader.read).flatten() {
                Some(read) => read(self.at, buf.as_mut_ptr(), buf.len()),
                None => -1,
            }
        };
        self.counted(count, buf.len())
    }
}

impl BufRead for HostReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.failed {
            return Err(StreamFailed::error());
        }
        if self.taken == self.len {
            self.refill()?;
        }
        if self.len == 0 {
            return Ok(&[]);
        }
        // SAFETY: lent until it is consumed, or our own room, which stays until the next refill.
        let lent = unsafe { slice::from_raw_parts(self.lent, self.len) };
        Ok(&lent[self.taken..])
    }

    fn consume(&mut self, amount: usize) {
        self.taken = (self.taken + amount).min(self.len);
        if self.taken < self.len || self.len == 0 {
            return;
        }
        if let Some((_, consume)) = self.lend {
            // SAFETY: the host's function, with its reader and what it lent.
            unsafe { consume(self.at, self.len) };
        }
        (self.len, self.taken) = (0, 0);
    }
}

impl Read for HostReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let past_our_room = self.lend.is_none() && self.taken == self.len && buf.len() >= OWN_ROOM;
        if past_our_room && !self.failed {
            return self.read_into(buf);
        }
        let count = self.fill_buf()?.read(buf)?;
        self.consume(count);
        Ok(count)
    }
}

type Room = (
    unsafe extern "C" fn(*const abi::Writer, *mut *mut u8) -> i64,
    unsafe extern "C" fn(*const abi::Writer, usize) -> i64,
);

/// A stream that the host takes. Lent room is filled before it is handed over: a frame per write of a few
/// bytes would cost more than the bytes.
pub(crate) struct HostWriter<'a> {
    at: *const abi::Writer,
    room: Option<Room>,
    /// Room that was lent and not yet handed over, and how much of it is written.
    lent: *mut u8,
    len: usize,
    used: usize,
    since: Instant,
    failed: bool,
    writer: PhantomData<&'a abi::Writer>,
}

// SAFETY: a stream is used by one thread at a time, any.
unsafe impl Send for HostWriter<'_> {}

impl HostWriter<'_> {
    /// # Safety
    /// `at` is null or points to a writer of the host that lasts as long as this.
    pub(crate) unsafe fn new(at: *const abi::Writer) -> Self {
        // SAFETY: the caller's promise.
        let room = unsafe {
            let reserve = field!(at, Writer.reserve).flatten();
            reserve.zip(field!(at, Writer.commit).flatten())
        };
        Self {
            at,
            room,
            lent: std::ptr::null_mut(),
            len: 0,
            used: 0,
            since: Instant::now(),
            failed: false,
            writer: PhantomData,
        }
    }

    /// Whether the host failed to take what was written.
    pub(crate) fn failed(&self) -> bool {
        self.failed
    }

    /// Hands over what is still held; the end of a stream that went well.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }

    fn ensured(&mut self, ok: bool) -> io::Result<()> {
        self.failed |= !ok;
        if self.failed {
            return Err(StreamFailed::error());
        }
        Ok(())
    }

    fn reserve(&mut self, (reserve, _): Room) -> io::Result<()> {
        // SAFETY: the host's function, with its writer.
        let count = unsafe { reserve(self.at, &raw mut self.lent) };
        self.ensured(count > 0 && !self.lent.is_null())?;
        (self.len, self.used) = (usize::try_from(count).unwrap_or(0), 0);
        self.since = Instant::now();
        Ok(())
    }

    fn commit(&mut self) -> io::Result<()> {
        let used = std::mem::take(&mut self.used);
        self.len = 0;
        match self.room {
            // SAFETY: the host's function, with its writer and as much as was written of what it lent.
            Some((_, commit)) if used > 0 => self.ensured(unsafe { commit(self.at, used) } >= 0),
            _ => Ok(()),
        }
    }

    fn write_whole(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // SAFETY: the host's function, with its writer and a buffer of that length.
        let status = unsafe {
            match field!(self.at, Writer.write).flatten() {
                Some(write) => write(self.at, bytes.as_ptr(), bytes.len()),
                None => -1,
            }
        };
        self.ensured(status >= 0)?;
        Ok(bytes.len())
    }
}

impl Write for HostWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.ensured(true)?;
        let Some(room) = self.room else {
            return self.write_whole(bytes);
        };
        if self.len == 0 {
            self.reserve(room)?;
        }
        let count = bytes.len().min(self.len - self.used);
        // SAFETY: room lent by the host, from what is already written on.
        let free = unsafe { slice::from_raw_parts_mut(self.lent.add(self.used), count) };
        free.copy_from_slice(&bytes[..count]);
        self.used += count;
        if self.used == self.len || self.since.elapsed() > HOLD {
            self.commit()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.ensured(true)?;
        self.commit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::mock::{Destination, Host, Source};

    const LENGTHS: [usize; 6] = [0, 1, 4095, 65_536, 262_145, 1_000_003];

    fn sample(len: usize) -> Vec<u8> {
        (0..len).map(|at| (at * 31 % 251) as u8).collect()
    }

    #[test]
    fn what_the_host_gives_arrives_whole_whichever_way_it_is_read() {
        for (lends, len) in LENGTHS
            .into_iter()
            .flat_map(|len| [(true, len), (false, len)])
        {
            let source = Source::of(sample(len)).lending(lends);
            let raw = source.reader();
            // SAFETY: a reader of this test.
            let mut reader = unsafe { HostReader::new(&raw const raw) };
            let mut got = vec![0; len / 2];
            reader.read_exact(&mut got).unwrap();
            let mut one_by_one = 0;
            while one_by_one < 3 && !reader.fill_buf().unwrap().is_empty() {
                got.push(reader.fill_buf().unwrap()[0]);
                reader.consume(1);
                one_by_one += 1;
            }
            reader.read_to_end(&mut got).unwrap();
            assert!(got == sample(len), "{lends} {len}");
            assert!(source.is_consumed(), "{lends} {len}");
        }
    }

    #[test]
    fn what_is_written_arrives_whole_whichever_way_the_host_takes_it() {
        for (lends, len) in LENGTHS
            .into_iter()
            .flat_map(|len| [(true, len), (false, len)])
        {
            let destination = Destination::default().lending(lends);
            let raw = destination.writer();
            // SAFETY: a writer of this test.
            let mut writer = unsafe { HostWriter::new(&raw const raw) };
            for piece in sample(len).chunks(999) {
                writer.write_all(piece).unwrap();
            }
            writer.flush().unwrap();
            assert!(destination.taken() == sample(len), "{lends} {len}");
            assert!(!writer.failed());
        }
    }

    #[test]
    fn a_stream_that_fails_keeps_its_status_and_stays_failed() {
        for lends in [true, false] {
            let source = Source::of(sample(300_000))
                .lending(lends)
                .failing_at(270_000);
            let raw = source.reader();
            // SAFETY: a reader of this test.
            let mut reader = unsafe { HostReader::new(&raw const raw) };
            let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
            assert_eq!(Error::from(error).status, Status::Stream);
            assert!(reader.failed() && reader.fill_buf().is_err());

            let destination = Destination::default().lending(lends).failing_at(5000);
            let raw = destination.writer();
            // SAFETY: a writer of this test.
            let mut writer = unsafe { HostWriter::new(&raw const raw) };
            let error = writer.write_all(&sample(300_000)).unwrap_err();
            assert_eq!(Error::from(error).status, Status::Stream);
            assert!(writer.failed() && writer.flush().is_err());
        }
    }

    #[test]
    fn a_copy_stops_when_the_call_is_cancelled() {
        let host = Host::default();
        let call = host.call();
        // SAFETY: a call of this test.
        let cx = unsafe { crate::call::HostCall::new(&raw const call) };
        let mut into = Vec::new();
        assert_eq!(copy(&mut &sample(10)[..], &mut into, &cx), Ok(10));
        assert_eq!(host.heard(), ["progress 10/0"]);
        host.cancel();
        let error = copy(&mut &sample(10)[..], &mut into, &cx).unwrap_err();
        assert_eq!(error.status, Status::Cancelled);
    }
}
