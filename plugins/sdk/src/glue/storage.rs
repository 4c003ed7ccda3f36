//! Sinks.

#![expect(unsafe_code, reason = "called by the host")]

use std::ffi::c_void;
use std::ptr;

use serde_json::json;

use super::{Interfaces, made, run, size_of_table};
use crate::abi;
use crate::call::HostCall;
use crate::documents;
use crate::error::Result;
use crate::fields::text;
use crate::strategies::{Plugin, StorageSink};
use crate::streams::{HostReader, HostWriter, judged};

/// The table of a sink.
struct Table<T>(T);

impl<T: StorageSink> Table<T> {
    const TABLE: &'static abi::Storage = &abi::Storage {
        struct_size: size_of_table::<abi::Storage>(),
        reserved: 0,
        probe: Some(probe::<T>),
        put: Some(put::<T>),
        get: Some(get::<T>),
        head: Some(head::<T>),
        list: Some(list::<T>),
        remove: Some(remove::<T>),
        sweep: Some(sweep::<T>),
    };
}

/// Makes an instance and says where its objects are.
///
/// # Safety
/// As [`made`].
pub(crate) unsafe fn create<T: Plugin + StorageSink>(
    host: &HostCall<'_>,
    options: T::Options,
    out: *mut abi::Instance,
) -> Result<()> {
    let plugin = T::create(options)?;
    let said = json!({ "location": plugin.location() });
    // SAFETY: the caller's promise.
    unsafe { made(plugin, Some(&said), host, interface::<T> as Interfaces, out) }
}

unsafe extern "C" fn interface<T: StorageSink>(_: *mut c_void, id: abi::Str) -> *const c_void {
    // SAFETY: a text of the host.
    match unsafe { text("id", id) } {
        Ok(abi::STORAGE_ID) => ptr::from_ref(Table::<T>::TABLE).cast(),
        _ => ptr::null(),
    }
}

unsafe extern "C" fn probe<T: StorageSink>(state: *mut c_void, call: *const abi::Call) -> i32 {
    // SAFETY: as the header demands of the host; so in all functions below.
    unsafe {
        run(state, call, |sink: &T, cx| {
            let limits = sink.probe(cx)?;
            cx.emit(&limits)
        })
    }
}

unsafe extern "C" fn put<T: StorageSink>(
    state: *mut c_void,
    call: *const abi::Call,
    key: abi::Str,
    size: u64,
    source: *const abi::Reader,
) -> i32 {
    // SAFETY: as in `probe`.
    unsafe {
        run(state, call, |sink: &T, cx| {
            let key = documents::key(text("key", key)?)?;
            let mut source = HostReader::new(source);
            let stored = sink.put(key, size, &mut source, cx);
            judged(source.failed(), stored)
        })
    }
}

unsafe extern "C" fn get<T: StorageSink>(
    state: *mut c_void,
    call: *const abi::Call,
    key: abi::Str,
    offset: u64,
    len: u64,
    into: *const abi::Writer,
) -> i32 {
    // SAFETY: as in `probe`.
    unsafe {
        run(state, call, |sink: &T, cx| {
            let key = documents::key(text("key", key)?)?;
            let size = || sink.head(key, cx).map(|info| info.size_bytes);
            let range = documents::range(offset, len, size)?;
            let mut into = HostWriter::new(into);
            let got = sink.get(key, range, &mut into, cx);
            let got = got.and_then(|()| Ok(into.finish()?));
            judged(into.failed(), got)
        })
    }
}

unsafe extern "C" fn head<T: StorageSink>(
    state: *mut c_void,
    call: *const abi::Call,
    key: abi::Str,
) -> i32 {
    // SAFETY: as in `probe`.
    unsafe {
        run(state, call, |sink: &T, cx| {
            let info = sink.head(documents::key(text("key", key)?)?, cx)?;
            cx.emit(&info)
        })
    }
}

unsafe extern "C" fn list<T: StorageSink>(
    state: *mut c_void,
    call: *const abi::Call,
    prefix: abi::Str,
) -> i32 {
    // SAFETY: as in `probe`.
    unsafe {
        run(state, call, |sink: &T, cx| {
            let prefix = documents::prefix(text("prefix", prefix)?)?;
            sink.list(prefix, &mut |info| cx.emit(&info), cx)
        })
    }
}

unsafe extern "C" fn remove<T: StorageSink>(
    state: *mut c_void,
    call: *const abi::Call,
    key: abi::Str,
) -> i32 {
    // SAFETY: as in `probe`.
    unsafe {
        run(state, call, |sink: &T, cx| {
            sink.remove(documents::key(text("key", key)?)?, cx)
        })
    }
}

unsafe extern "C" fn sweep<T: StorageSink>(state: *mut c_void, call: *const abi::Call) -> i32 {
    // SAFETY: as in `probe`.
    unsafe {
        run(state, call, |sink: &T, cx| {
            let swept = sink.sweep(cx)?;
            cx.emit(&swept)
        })
    }
}
