//! Validators.

#![expect(unsafe_code, reason = "called by the host")]

use std::ffi::c_void;
use std::ptr;

use super::{Interfaces, made, run, size_of_table};
use crate::abi;
use crate::call::HostCall;
use crate::documents::parsed;
use crate::error::Result;
use crate::fields::text;
use crate::strategies::{Plugin, Validator};
use crate::streams::{HostReader, judged};

/// The table of a validator.
struct Table<T>(T);

impl<T: Validator> Table<T> {
    const TABLE: &'static abi::Validator = &abi::Validator {
        struct_size: size_of_table::<abi::Validator>(),
        reserved: 0,
        validate: Some(validate::<T>),
    };
}

/// Makes an instance.
///
/// # Safety
/// As [`made`].
pub(crate) unsafe fn create<T: Plugin + Validator>(
    host: &HostCall<'_>,
    options: T::Options,
    out: *mut abi::Instance,
) -> Result<()> {
    let plugin = T::create(options)?;
    // SAFETY: the caller's promise.
    unsafe { made(plugin, None::<&()>, host, interface::<T> as Interfaces, out) }
}

unsafe extern "C" fn interface<T: Validator>(_: *mut c_void, id: abi::Str) -> *const c_void {
    // SAFETY: a text of the host.
    match unsafe { text("id", id) } {
        Ok(abi::VALIDATOR_ID) => ptr::from_ref(Table::<T>::TABLE).cast(),
        _ => ptr::null(),
    }
}

unsafe extern "C" fn validate<T: Validator>(
    state: *mut c_void,
    call: *const abi::Call,
    request: abi::Str,
    archive: *const abi::Reader,
) -> i32 {
    // SAFETY: as the header demands of the host.
    unsafe {
        run(state, call, |validator: &T, cx| {
            let subject = parsed("request", text("request", request)?)?;
            let mut archive = HostReader::new(archive);
            let each = &mut |finding| cx.emit(&finding);
            let examined = validator.validate(&subject, &mut archive, each, cx);
            judged(archive.failed(), examined)
        })
    }
}
