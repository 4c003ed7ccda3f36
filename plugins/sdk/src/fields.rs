//! Structs of the other side: read and written only as far as they reach, so that an older or newer
//! host is no danger; and texts, in both directions.

#![expect(unsafe_code, reason = "reads what the host points to")]

use std::slice;

use crate::abi;
use crate::error::{Error, Result, Status};

/// A field of a struct of the host; `None` where the host's struct ends before it.
macro_rules! field {
    ($at:expr, $of:ident . $name:ident) => {
        $crate::fields::read(
            $at,
            core::mem::offset_of!($crate::abi::$of, $name),
            |it: &$crate::abi::$of| &it.$name,
        )
    };
}

/// Sets a field of a struct of the host; `false` where the host's struct ends before it.
macro_rules! set_field {
    ($at:expr, $of:ident . $name:ident = $value:expr) => {
        $crate::fields::write(
            $at,
            core::mem::offset_of!($crate::abi::$of, $name),
            |it: &$crate::abi::$of| &it.$name,
            $value,
        )
    };
}

pub(crate) use {field, set_field};

/// See [`field!`]; the last argument only names the field's type.
///
/// # Safety
/// `at` is null or points to an `S` of the host, which begins with its size and is as long.
pub(crate) unsafe fn read<S, F: Copy>(
    at: *const S,
    offset: usize,
    _type: fn(&S) -> &F,
) -> Option<F> {
    // SAFETY: the caller's promise.
    unsafe { reaches::<S, F>(at, offset).then(|| at.byte_add(offset).cast::<F>().read()) }
}

/// See [`set_field!`].
///
/// # Safety
/// As [`read`], and nobody else uses the struct meanwhile.
pub(crate) unsafe fn write<S, F: Copy>(
    at: *mut S,
    offset: usize,
    _type: fn(&S) -> &F,
    value: F,
) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let fits = reaches::<S, F>(at, offset);
        if fits {
            at.byte_add(offset).cast::<F>().write(value);
        }
        fits
    }
}

unsafe fn reaches<S, F>(at: *const S, offset: usize) -> bool {
    // SAFETY: every struct that is read in this way begins with its size.
    !at.is_null() && unsafe { at.cast::<u32>().read() } as usize >= offset + size_of::<F>()
}

impl abi::Str {
    /// A text that is lent.
    pub(crate) const fn of(text: &str) -> Self {
        Self {
            ptr: text.as_ptr().cast(),
            len: text.len(),
        }
    }
}

/// A text of the host. `what` names it in the error where it is none.
///
/// # Safety
/// `text` points to as many bytes as it says, and they stay for `'a`.
pub(crate) unsafe fn text<'a>(what: &str, text: abi::Str) -> Result<&'a str> {
    if text.ptr.is_null() || text.len == 0 {
        return Ok("");
    }
    // SAFETY: the caller's promise.
    let bytes = unsafe { slice::from_raw_parts(text.ptr.cast::<u8>(), text.len) };
    std::str::from_utf8(bytes)
        .map_err(|_| Error::new(Status::Invalid, format!("{what}: not UTF-8")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(struct_size: usize) -> abi::Instance {
        abi::Instance {
            struct_size: u32::try_from(struct_size).unwrap(),
            flags: 7,
            state: std::ptr::null_mut(),
            get_interface: None,
            destroy: None,
        }
    }

    #[test]
    fn a_field_beyond_the_end_of_the_other_sides_struct_is_not_touched() {
        let whole = size_of::<abi::Instance>();
        for (struct_size, reached) in [(4, false), (7, false), (8, true), (whole, true)] {
            let mut it = instance(struct_size);
            // SAFETY: a struct of this test.
            unsafe {
                assert_eq!(
                    field!(&raw const it, Instance.flags),
                    reached.then_some(7),
                    "{struct_size}"
                );
                assert_eq!(set_field!(&raw mut it, Instance.flags = 9), reached);
            }
            assert_eq!(it.flags, if reached { 9 } else { 7 });
        }
    }

    #[test]
    fn a_struct_that_is_not_there_has_no_fields() {
        // SAFETY: null is allowed.
        let flags = unsafe { field!(std::ptr::null(), Instance.flags) };
        assert_eq!(flags, None);
    }
}
