//! The functions that the host calls, one module per kind of plugin: C arguments become values, a trait of
//! [`crate::strategies`] is called, its result goes back.

#![expect(unsafe_code, reason = "called by the host")]

pub(crate) mod detector;
pub(crate) mod dumper;
pub(crate) mod storage;
pub(crate) mod validator;

use std::ffi::c_void;

use serde::Serialize;

use crate::abi;
use crate::call::HostCall;
use crate::error::{Error, Result, Status};
use crate::fields::set_field;
use crate::guard;
use crate::strategies::Plugin;

/// What `get_interface` of an instance is.
pub(crate) type Interfaces = unsafe extern "C" fn(*mut c_void, abi::Str) -> *const c_void;

/// Size of a table, as it crosses.
pub(crate) const fn size_of_table<T>() -> u32 {
    size_of::<T>() as u32
}

/// Runs one call of an instance of `T`.
///
/// # Safety
/// `state` is that of a living instance of `T`, `call` a call of the host.
unsafe fn run<T, W>(state: *mut c_void, call: *const abi::Call, work: W) -> i32
where
    W: FnOnce(&T, &HostCall<'_>) -> Result<()>,
{
    // SAFETY: the caller's promise; instances are shared between threads, which `Plugin` demands.
    let (plugin, host) = unsafe { (&*state.cast::<T>(), HostCall::new(call)) };
    guard::status(&host, || work(plugin, &host))
}

/// Fills the host's instance with one of `T`, and says what there is to say of it.
///
/// # Safety
/// `out` is the host's instance, its size set.
pub(crate) unsafe fn made<T: Plugin>(
    plugin: T,
    said: Option<&impl Serialize>,
    host: &HostCall<'_>,
    interfaces: Interfaces,
    out: *mut abi::Instance,
) -> Result<()> {
    if let Some(said) = said {
        host.emit(said)?;
    }
    let state = Box::into_raw(Box::new(plugin)).cast::<c_void>();
    let end: unsafe extern "C" fn(*mut c_void) = destroy::<T>;
    // SAFETY: the caller's promise; what does not fit is given up again.
    unsafe {
        let whole = set_field!(out, Instance.flags = abi::FLAG_CONCURRENT)
            && set_field!(out, Instance.state = state)
            && set_field!(out, Instance.get_interface = Some(interfaces))
            && set_field!(out, Instance.destroy = Some(end));
        if whole {
            return Ok(());
        }
        destroy::<T>(state);
    }
    Err(Error::new(
        Status::Unsupported,
        "the host is too old for this plugin",
    ))
}

unsafe extern "C" fn destroy<T>(state: *mut c_void) {
    let ended = guard::caught(|| {
        // SAFETY: made in `made`, and the host ends it once, with no call under way.
        drop(unsafe { Box::from_raw(state.cast::<T>()) });
        Ok(())
    });
    // There is nobody to tell; the hook has printed it.
    drop(ended);
}
