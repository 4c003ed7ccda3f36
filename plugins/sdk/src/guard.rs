//! No panic leaves the library: it becomes an error that says where it happened.
//!
//! The guard must be compiled into the plugin, because a host cannot catch the panic of another
//! standard library. Where the plugin is built with `panic = "abort"` there is nothing to catch, and
//! what the hook before ours prints to stderr is all that is known.

use std::any::Any;
use std::cell::Cell;
use std::mem;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

use crate::abi;
use crate::call::HostCall;
use crate::error::{Error, Result, Status};

thread_local! {
    /// The last panic of this thread.
    static LAST: Cell<Option<String>> = const { Cell::new(None) };
}

/// Runs a call and tells the host how it failed; returns the status that crosses the boundary.
pub(crate) fn status(host: &HostCall<'_>, work: impl FnOnce() -> Result<()>) -> i32 {
    match caught(work) {
        Ok(()) => abi::STATUS_OK,
        Err(error) => {
            host.set_error(&error);
            error.status.code()
        }
    }
}

/// Runs `work`; a panic is an error of [`Status::Panic`].
pub(crate) fn caught<R>(work: impl FnOnce() -> Result<R>) -> Result<R> {
    watch();
    match panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(payload) => Err(of_panic(payload)),
    }
}

/// The error of a panic of this thread.
pub(crate) fn of_panic(payload: Box<dyn Any + Send>) -> Error {
    let noted = LAST.try_with(Cell::take).ok().flatten();
    let message = noted.unwrap_or_else(|| format!("panicked: {}", words(payload.as_ref())));
    discard(payload);
    Error::new(Status::Panic, message)
}

/// Notes where a panic happened, before whatever else the hook did, which is to print it.
pub(crate) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let _ended = LAST.try_with(|last| last.set(Some(described(info))));
            before(info);
        }));
    });
}

fn described(info: &PanicHookInfo<'_>) -> String {
    let words = words(info.payload());
    match info.location() {
        Some(at) => format!(
            "panicked at {}:{}:{}: {words}",
            at.file(),
            at.line(),
            at.column()
        ),
        None => format!("panicked: {words}"),
    }
}

fn words(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// A payload may panic when it is dropped, and so may the payload of that.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(again) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(again);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_that_says_where() {
        let none: Vec<u8> = Vec::new();
        let error = caught(|| Ok(none[7])).unwrap_err();
        assert_eq!(error.status, Status::Panic);
        assert!(
            error
                .message
                .starts_with("panicked at plugins/sdk/src/guard.rs:")
                || error.message.starts_with("panicked at src/guard.rs:"),
            "{error}"
        );
        assert!(error.message.contains("index is 7"), "{error}");
    }

    #[test]
    fn a_payload_that_panics_when_dropped_goes_no_further() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic::panic_any(Self);
            }
        }
        let error = caught::<()>(|| panic::panic_any(Bomb)).unwrap_err();
        assert_eq!(error.status, Status::Panic);
        assert!(error.message.ends_with("no message"), "{error}");
        assert_eq!(caught(|| Ok(1)), Ok(1));
    }
}
