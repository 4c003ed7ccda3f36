//! Dumpers.

#![expect(unsafe_code, reason = "called by the host")]

use std::ffi::c_void;
use std::ptr;

use super::{Interfaces, made, run, size_of_table};
use crate::abi;
use crate::call::HostCall;
use crate::documents::parsed;
use crate::error::Result;
use crate::fields::text;
use crate::strategies::{Dumper, Plugin};
use crate::streams::{HostWriter, judged};

/// The table of a dumper.
struct Table<T>(T);

impl<T: Dumper> Table<T> {
    const TABLE: &'static abi::Dumper = &abi::Dumper {
        struct_size: size_of_table::<abi::Dumper>(),
        reserved: 0,
        probe: Some(probe::<T>),
        dump: Some(dump::<T>),
    };
}

/// Makes an instance.
///
/// # Safety
/// As [`made`].
pub(crate) unsafe fn create<T: Plugin + Dumper>(
    host: &HostCall<'_>,
    options: T::Options,
    out: *mut abi::Instance,
) -> Result<()> {
    let plugin = T::create(options)?;
    // SAFETY: the caller's promise.
    unsafe { made(plugin, None::<&()>, host, interface::<T> as Interfaces, out) }
}

unsafe extern "C" fn interface<T: Dumper>(_: *mut c_void, id: abi::Str) -> *const c_void {
    // SAFETY: a text of the host.
    match unsafe { text("id", id) } {
        Ok(abi::DUMPER_ID) => ptr::from_ref(Table::<T>::TABLE).cast(),
        _ => ptr::null(),
    }
}

unsafe extern "C" fn probe<T: Dumper>(
    state: *mut c_void,
    call: *const abi::Call,
    request: abi::Str,
) -> i32 {
    // SAFETY: as the header demands of the host.
    unsafe {
        run(state, call, |dumper: &T, cx| {
            let target = parsed("request", text("request", request)?)?;
            let facts = dumper.probe(&target, cx)?;
            cx.emit(&facts)
        })
    }
}

unsafe extern "C" fn dump<T: Dumper>(
    state: *mut c_void,
    call: *const abi::Call,
    request: abi::Str,
    into: *const abi::Writer,
) -> i32 {
    // SAFETY: as the header demands of the host.
    unsafe {
        run(state, call, |dumper: &T, cx| {
            let request = parsed("request", text("request", request)?)?;
            let mut into = HostWriter::new(into);
            let dumped = dumper.dump(&request, &mut into, cx);
            let dumped = dumped.and_then(|()| Ok(into.finish()?));
            judged(into.failed(), dumped)
        })
    }
}
