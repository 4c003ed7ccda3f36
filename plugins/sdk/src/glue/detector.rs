//! Detectors.

#![expect(unsafe_code, reason = "called by the host")]

use std::ffi::c_void;
use std::ptr;

use super::{Interfaces, made, run, size_of_table};
use crate::abi;
use crate::call::HostCall;
use crate::documents::parsed;
use crate::error::Result;
use crate::fields::text;
use crate::strategies::{ChangeDetector, Plugin};

/// The table of a detector.
struct Table<T>(T);

impl<T: ChangeDetector> Table<T> {
    const TABLE: &'static abi::Detector = &abi::Detector {
        struct_size: size_of_table::<abi::Detector>(),
        reserved: 0,
        baseline: Some(baseline::<T>),
        verdicts: Some(verdicts::<T>),
    };
}

/// Makes an instance.
///
/// # Safety
/// As [`made`].
pub(crate) unsafe fn create<T: Plugin + ChangeDetector>(
    host: &HostCall<'_>,
    options: T::Options,
    out: *mut abi::Instance,
) -> Result<()> {
    let plugin = T::create(options)?;
    // SAFETY: the caller's promise.
    unsafe { made(plugin, None::<&()>, host, interface::<T> as Interfaces, out) }
}

unsafe extern "C" fn interface<T: ChangeDetector>(_: *mut c_void, id: abi::Str) -> *const c_void {
    // SAFETY: a text of the host.
    match unsafe { text("id", id) } {
        Ok(abi::DETECTOR_ID) => ptr::from_ref(Table::<T>::TABLE).cast(),
        _ => ptr::null(),
    }
}

unsafe extern "C" fn baseline<T: ChangeDetector>(
    state: *mut c_void,
    call: *const abi::Call,
    request: abi::Str,
) -> i32 {
    // SAFETY: as the header demands of the host.
    unsafe {
        run(state, call, |detector: &T, cx| {
            let target = parsed("request", text("request", request)?)?;
            match detector.baseline(&target, cx)? {
                Some(baseline) => cx.emit(&baseline),
                None => Ok(()),
            }
        })
    }
}

unsafe extern "C" fn verdicts<T: ChangeDetector>(
    state: *mut c_void,
    call: *const abi::Call,
    request: abi::Str,
) -> i32 {
    // SAFETY: as the header demands of the host.
    unsafe {
        run(state, call, |detector: &T, cx| {
            let request = parsed("request", text("request", request)?)?;
            let summary = detector.verdicts(&request, &mut |verdict| cx.emit(&verdict), cx)?;
            cx.emit(&summary)
        })
    }
}
