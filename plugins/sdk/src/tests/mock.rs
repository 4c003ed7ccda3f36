//! A host for the tests of this crate.

#![expect(unsafe_code, reason = "functions of a host, as a plugin sees them")]

use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::abi;
use crate::fields::text;

/// Notes whatever a plugin says.
#[derive(Debug, Default)]
pub(crate) struct Host {
    heard: Mutex<Vec<String>>,
    cancelled: AtomicBool,
    refuses: AtomicBool,
}

impl Host {
    /// A call, valid as long as this host.
    pub(crate) fn call(&self) -> abi::Call {
        abi::Call {
            struct_size: size_of::<abi::Call>() as u32,
            api: abi::API_VERSION,
            ctx: ptr::from_ref(self).cast_mut().cast(),
            is_cancelled: Some(is_cancelled),
            progress: Some(progress),
            set_error: Some(set_error),
            emit: Some(emit),
            log: Some(log),
            json_get: None,
        }
    }

    /// From now on calls are to stop.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// From now on no record is taken.
    pub(crate) fn refuse(&self) {
        self.refuses.store(true, Ordering::Relaxed);
    }

    /// What was said since the last time.
    pub(crate) fn heard(&self) -> Vec<String> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }

    fn note(&self, line: String) {
        self.heard.lock().unwrap().push(line);
    }
}

unsafe fn host<'a>(call: *const abi::Call) -> &'a Host {
    // SAFETY: made in `Host::call`.
    unsafe { &*(*call).ctx.cast::<Host>() }
}

unsafe extern "C" fn is_cancelled(call: *const abi::Call) -> i32 {
    // SAFETY: a call of this module; so in all functions below.
    i32::from(unsafe { host(call) }.cancelled.load(Ordering::Relaxed))
}

unsafe extern "C" fn progress(call: *const abi::Call, done: u64, total: u64) {
    // SAFETY: as above.
    unsafe { host(call) }.note(format!("progress {done}/{total}"));
}

unsafe extern "C" fn set_error(call: *const abi::Call, error: *const abi::Error) {
    // SAFETY: as above.
    unsafe {
        let (status, message) = ((*error).status, text("message", (*error).message).unwrap());
        host(call).note(format!("error {status} {message}"));
    }
}

unsafe extern "C" fn emit(call: *const abi::Call, json: abi::Str) -> i32 {
    // SAFETY: as above.
    unsafe {
        if host(call).refuses.load(Ordering::Relaxed) {
            return 1;
        }
        host(call).note(format!("emit {}", text("json", json).unwrap()));
    }
    0
}

unsafe extern "C" fn log(call: *const abi::Call, level: u32, message: abi::Str) {
    // SAFETY: as above.
    unsafe { host(call).note(format!("log {level} {}", text("message", message).unwrap())) };
}

/// A stream that the host gives, in pieces of odd sizes.
#[derive(Debug)]
pub(crate) struct Source {
    bytes: Vec<u8>,
    at: Mutex<usize>,
    lends: bool,
    fails_at: usize,
}

impl Source {
    const PIECE: usize = 10_007;

    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            at: Mutex::new(0),
            lends: true,
            fails_at: usize::MAX,
        }
    }

    /// Whether it lends its buffer, as newer hosts do.
    pub(crate) fn lending(mut self, lends: bool) -> Self {
        self.lends = lends;
        self
    }

    pub(crate) fn failing_at(mut self, at: usize) -> Self {
        self.fails_at = at;
        self
    }

    pub(crate) fn is_consumed(&self) -> bool {
        *self.at.lock().unwrap() == self.bytes.len()
    }

    /// The stream; where nothing is lent the struct ends before `fill`.
    pub(crate) fn reader(&self) -> abi::Reader {
        let size = if self.lends {
            size_of::<abi::Reader>()
        } else {
            offset_of!(abi::Reader, fill)
        };
        abi::Reader {
            struct_size: size as u32,
            flags: 0,
            ctx: ptr::from_ref(self).cast_mut().cast(),
            read: Some(read),
            fill: Some(fill),
            consume: Some(consume),
        }
    }

    fn next(&self, most: usize) -> Option<&[u8]> {
        let at = *self.at.lock().unwrap();
        let end = (at + most.min(Self::PIECE)).min(self.bytes.len());
        (end <= self.fails_at).then(|| &self.bytes[at..end])
    }
}

unsafe fn of<'a, T>(ctx: *mut c_void) -> &'a T {
    // SAFETY: the streams of this module put themselves there.
    unsafe { &*ctx.cast::<T>() }
}

unsafe extern "C" fn read(reader: *const abi::Reader, buf: *mut u8, len: usize) -> i64 {
    // SAFETY: a stream of this module.
    let source: &Source = unsafe { of((*reader).ctx) };
    let Some(piece) = source.next(len) else {
        return -1;
    };
    // SAFETY: the plugin's buffer of that length.
    unsafe { ptr::copy_nonoverlapping(piece.as_ptr(), buf, piece.len()) };
    *source.at.lock().unwrap() += piece.len();
    piece.len() as i64
}

unsafe extern "C" fn fill(reader: *const abi::Reader, out: *mut *const u8) -> i64 {
    // SAFETY: a stream of this module.
    let source: &Source = unsafe { of((*reader).ctx) };
    let Some(piece) = source.next(usize::MAX) else {
        return -1;
    };
    // SAFETY: where the plugin wants it.
    unsafe { *out = piece.as_ptr() };
    piece.len() as i64
}

unsafe extern "C" fn consume(reader: *const abi::Reader, len: usize) {
    // SAFETY: a stream of this module.
    let source: &Source = unsafe { of((*reader).ctx) };
    *source.at.lock().unwrap() += len;
}

/// A stream that the host takes, with room of odd sizes.
#[derive(Debug)]
pub(crate) struct Destination {
    taken: Mutex<Vec<u8>>,
    room: Mutex<Vec<u8>>,
    lends: bool,
    fails_at: usize,
}

impl Default for Destination {
    fn default() -> Self {
        Self {
            taken: Mutex::default(),
            room: Mutex::default(),
            lends: true,
            fails_at: usize::MAX,
        }
    }
}

impl Destination {
    const ROOM: usize = 5003;

    /// Whether it lends room, as newer hosts do.
    pub(crate) fn lending(mut self, lends: bool) -> Self {
        self.lends = lends;
        self
    }

    pub(crate) fn failing_at(mut self, at: usize) -> Self {
        self.fails_at = at;
        self
    }

    pub(crate) fn taken(&self) -> Vec<u8> {
        self.taken.lock().unwrap().clone()
    }

    /// The stream; where nothing is lent the struct ends before `reserve`.
    pub(crate) fn writer(&self) -> abi::Writer {
        let size = if self.lends {
            size_of::<abi::Writer>()
        } else {
            offset_of!(abi::Writer, reserve)
        };
        abi::Writer {
            struct_size: size as u32,
            flags: 0,
            ctx: ptr::from_ref(self).cast_mut().cast(),
            write: Some(write),
            reserve: Some(reserve),
            commit: Some(commit),
        }
    }

    fn take(&self, bytes: &[u8]) -> i64 {
        let mut taken = self.taken.lock().unwrap();
        taken.extend_from_slice(bytes);
        if taken.len() > self.fails_at { -1 } else { 0 }
    }
}

unsafe extern "C" fn write(writer: *const abi::Writer, buf: *const u8, len: usize) -> i64 {
    // SAFETY: a stream of this module, and a buffer of that length.
    unsafe {
        let destination: &Destination = of((*writer).ctx);
        destination.take(std::slice::from_raw_parts(buf, len))
    }
}

unsafe extern "C" fn reserve(writer: *const abi::Writer, out: *mut *mut u8) -> i64 {
    // SAFETY: a stream of this module.
    let destination: &Destination = unsafe { of((*writer).ctx) };
    let mut room = destination.room.lock().unwrap();
    *room = vec![0; Destination::ROOM];
    // SAFETY: where the plugin wants it.
    unsafe { *out = room.as_mut_ptr() };
    room.len() as i64
}

unsafe extern "C" fn commit(writer: *const abi::Writer, len: usize) -> i64 {
    // SAFETY: a stream of this module.
    let destination: &Destination = unsafe { of((*writer).ctx) };
    let room = std::mem::take(&mut *destination.room.lock().unwrap());
    destination.take(&room[..len])
}
