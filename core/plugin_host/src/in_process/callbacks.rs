//! The functions that a call is given. None lets a panic out.
#![expect(unsafe_code, reason = "called by a library of somebody else")]

use std::ffi::{c_char, c_void};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Mutex, PoisonError};

use respaldo_sdk::Status;
use respaldo_sdk::abi::{Call, Error, Reader, Str, Writer};
use serde_json::Value;

use super::Host;
use crate::error::PluginErrorKind;
use crate::library;
use crate::service::{Borrower, Lender};

/// A call under way.
pub(super) struct CallState<'a> {
    host: &'a dyn Host,
    message: Mutex<String>,
}

impl<'a> CallState<'a> {
    pub(super) fn new(host: &'a dyn Host) -> Self {
        Self {
            host,
            message: Mutex::default(),
        }
    }

    /// As the plugin is given it; valid as long as the state is.
    pub(super) fn call(&self, api: u32) -> Call {
        Call {
            struct_size: size_of::<Call>() as u32,
            api,
            ctx: ptr::from_ref(self).cast_mut().cast::<c_void>(),
            is_cancelled: Some(is_cancelled),
            progress: Some(progress),
            set_error: Some(set_error),
            emit: Some(emit),
            log: Some(log),
            json_get: Some(json_get),
        }
    }

    /// Why it failed, in the plugin's words.
    pub(super) fn message(&self) -> String {
        self.message
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A failure that the host finds in the plugin's place.
    pub(super) fn refuse(&self, status: Status, why: &str) -> i32 {
        self.say(why.to_owned());
        status.code()
    }

    fn say(&self, message: String) {
        *self.message.lock().unwrap_or_else(PoisonError::into_inner) = message;
    }

    /// # Safety
    /// `call` came from [`CallState::call`] and its call has not returned.
    unsafe fn of<'b>(call: *const Call) -> &'b Self {
        // SAFETY: the caller's promise.
        unsafe { &*(*call).ctx.cast::<Self>() }
    }
}

fn guarded<T>(otherwise: T, run: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or(otherwise)
}

unsafe extern "C" fn is_cancelled(call: *const Call) -> i32 {
    // SAFETY: the plugin gives back what it was given.
    guarded(1, || unsafe {
        i32::from(CallState::of(call).host.is_cancelled())
    })
}

unsafe extern "C" fn progress(call: *const Call, done: u64, total: u64) {
    // SAFETY: as above.
    guarded((), || unsafe {
        CallState::of(call).host.progress(done, total);
    });
}

unsafe extern "C" fn set_error(call: *const Call, error: *const Error) {
    guarded((), || {
        if error.is_null() {
            return;
        }
        // SAFETY: as above; the first version of the struct has all of these fields.
        let (state, message) = unsafe { (CallState::of(call), (*error).message) };
        match library::text(message) {
            Ok(message) => state.say(message),
            Err(error) => state.say(error.to_string()),
        }
    });
}

unsafe extern "C" fn emit(call: *const Call, json: Str) -> i32 {
    guarded(1, || {
        // SAFETY: as above.
        let state = unsafe { CallState::of(call) };
        match document(json) {
            Ok(json) => i32::from(!state.host.emit(json)),
            Err(error) => {
                state.say(error.to_string());
                1
            }
        }
    })
}

/// A document may be as large as the evidence of a table is.
fn document<'a>(json: Str) -> Result<&'a str, PluginErrorKind> {
    let broke = |what: &str| PluginErrorKind::Broke(what.to_owned());
    if json.ptr.is_null() || json.len > (64 << 20) {
        return Err(broke("it emitted a document that is none"));
    }
    // SAFETY: the plugin says that so many bytes are there, and nothing can check it.
    let bytes = unsafe { std::slice::from_raw_parts(json.ptr.cast::<u8>(), json.len) };
    std::str::from_utf8(bytes).map_err(|_| broke("it emitted a document that is not UTF-8"))
}

unsafe extern "C" fn log(call: *const Call, level: u32, message: Str) {
    guarded((), || {
        // SAFETY: as above.
        let state = unsafe { CallState::of(call) };
        if let Ok(message) = library::text(message) {
            state.host.log(level, &message);
        }
    });
}

unsafe extern "C" fn json_get(
    _call: *const Call,
    json: Str,
    pointer: Str,
    buf: *mut c_char,
    cap: usize,
) -> i64 {
    guarded(-2, || {
        let (Ok(json), Ok(pointer)) = (document(json), library::text(pointer)) else {
            return -2;
        };
        let Ok(json) = serde_json::from_str::<Value>(json) else {
            return -2;
        };
        let found = match json.pointer(&pointer) {
            None => return -1,
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        if found.len() < cap && !buf.is_null() {
            // SAFETY: the plugin says that there is room for `cap` bytes.
            unsafe {
                ptr::copy_nonoverlapping(found.as_ptr(), buf.cast::<u8>(), found.len());
                buf.add(found.len()).write(0);
            }
        }
        found.len() as i64
    })
}

/// The stream that a plugin reads.
pub(super) struct ReaderState<'a> {
    lender: &'a mut dyn Lender,
    failed: Option<io::Error>,
    given: u64,
    lent: usize,
}

impl<'a> ReaderState<'a> {
    pub(super) fn new(lender: &'a mut dyn Lender) -> Self {
        Self {
            lender,
            failed: None,
            given: 0,
            lent: 0,
        }
    }

    pub(super) fn reader(&mut self) -> Reader {
        Reader {
            struct_size: size_of::<Reader>() as u32,
            flags: 0,
            ctx: ptr::from_mut(self).cast::<c_void>(),
            read: Some(read),
            fill: Some(fill),
            consume: Some(consume),
        }
    }

    pub(super) fn take_failure(&mut self) -> Option<io::Error> {
        self.failed.take()
    }

    pub(super) fn given(&self) -> u64 {
        self.given
    }

    fn note<T>(&mut self, result: io::Result<T>) -> Option<T> {
        match result {
            Ok(value) if self.failed.is_none() => Some(value),
            Ok(_) => None,
            Err(error) => {
                self.failed.get_or_insert(error);
                None
            }
        }
    }
}

unsafe extern "C" fn read(reader: *const Reader, buf: *mut u8, len: usize) -> i64 {
    guarded(-1, || {
        // SAFETY: the plugin gives back what it was given, and has room for `len` bytes; one thread at a time.
        let (state, room) = unsafe {
            (
                &mut *(*reader).ctx.cast::<ReaderState<'_>>(),
                std::slice::from_raw_parts_mut(buf, len),
            )
        };
        let got = retry(|| state.lender.read(room));
        let Some(got) = state.note(got) else {
            return -1;
        };
        state.given += got as u64;
        got as i64
    })
}

unsafe extern "C" fn fill(reader: *const Reader, out: *mut *const u8) -> i64 {
    guarded(-1, || {
        // SAFETY: as above; `out` is a place of the plugin.
        let state = unsafe { &mut *(*reader).ctx.cast::<ReaderState<'_>>() };
        let lent = match state.lender.fill_buf() {
            Ok(lent) => Ok((lent.as_ptr(), lent.len())),
            Err(error) => Err(error),
        };
        let Some((start, len)) = state.note(lent) else {
            return -1;
        };
        state.lent = len;
        // SAFETY: as above.
        unsafe { out.write(start) };
        len as i64
    })
}

unsafe extern "C" fn consume(reader: *const Reader, len: usize) {
    guarded((), || {
        // SAFETY: as above.
        let state = unsafe { &mut *(*reader).ctx.cast::<ReaderState<'_>>() };
        let taken = len.min(state.lent);
        state.lent -= taken;
        state.given += taken as u64;
        state.lender.consume(taken);
    });
}

fn retry(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// The stream that a plugin writes.
pub(super) struct WriterState<'a> {
    borrower: &'a mut dyn Borrower,
    failed: Option<io::Error>,
    lent: usize,
}

impl<'a> WriterState<'a> {
    pub(super) fn new(borrower: &'a mut dyn Borrower) -> Self {
        Self {
            borrower,
            failed: None,
            lent: 0,
        }
    }

    pub(super) fn writer(&mut self) -> Writer {
        Writer {
            struct_size: size_of::<Writer>() as u32,
            flags: 0,
            ctx: ptr::from_mut(self).cast::<c_void>(),
            write: Some(write),
            reserve: Some(reserve),
            commit: Some(commit),
        }
    }

    /// Hands on what is kept back, where that is wanted; the first failure.
    pub(super) fn finish(&mut self, wanted: bool) -> Option<io::Error> {
        if self.failed.is_none() && wanted {
            self.failed = self.borrower.finish().err();
        }
        self.failed.take()
    }

    fn put(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let room = self.borrower.reserve()?;
            let len = room.len().min(bytes.len());
            room[..len].copy_from_slice(&bytes[..len]);
            self.borrower.commit(len)?;
            bytes = &bytes[len..];
        }
        Ok(())
    }

    fn answer(&mut self, result: io::Result<()>) -> i64 {
        match result {
            Ok(()) if self.failed.is_none() => 0,
            Ok(()) => -1,
            Err(error) => {
                self.failed.get_or_insert(error);
                -1
            }
        }
    }
}

unsafe extern "C" fn write(writer: *const Writer, buf: *const u8, len: usize) -> i64 {
    guarded(-1, || {
        if len == 0 {
            return 0;
        }
        // SAFETY: the plugin gives back what it was given, with `len` bytes; one thread at a time.
        let (state, bytes) = unsafe {
            (
                &mut *(*writer).ctx.cast::<WriterState<'_>>(),
                std::slice::from_raw_parts(buf, len),
            )
        };
        let written = state.put(bytes);
        state.answer(written)
    })
}

unsafe extern "C" fn reserve(writer: *const Writer, out: *mut *mut u8) -> i64 {
    guarded(-1, || {
        // SAFETY: as above; `out` is a place of the plugin.
        let state = unsafe { &mut *(*writer).ctx.cast::<WriterState<'_>>() };
        let lent = match state.borrower.reserve() {
            Ok(room) => Ok((room.as_mut_ptr(), room.len())),
            Err(error) => Err(error),
        };
        match lent {
            Ok((start, len)) => {
                state.lent = len;
                // SAFETY: as above.
                unsafe { out.write(start) };
                len as i64
            }
            Err(error) => state.answer(Err(error)),
        }
    })
}

unsafe extern "C" fn commit(writer: *const Writer, len: usize) -> i64 {
    guarded(-1, || {
        // SAFETY: as above.
        let state = unsafe { &mut *(*writer).ctx.cast::<WriterState<'_>>() };
        if len > state.lent {
            let what = "the plugin wrote beyond the room it was lent";
            return state.answer(Err(io::Error::other(what)));
        }
        state.lent = 0;
        let committed = state.borrower.commit(len);
        state.answer(committed)
    })
}
