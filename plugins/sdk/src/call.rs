//! The host's side of a call, safe to use.

#![expect(unsafe_code, reason = "calls functions of the host")]

use std::marker::PhantomData;

use serde::Serialize;

use crate::abi;
use crate::error::{Error, Result, Status, StreamFailed};
use crate::fields::field;
use crate::strategies::{Context, Level};

/// What one call was given. A function that an older host does not have does nothing.
#[derive(Debug)]
pub(crate) struct HostCall<'a> {
    at: *const abi::Call,
    call: PhantomData<&'a abi::Call>,
}

// SAFETY: the functions of a call may be used by any thread until it returns.
unsafe impl Send for HostCall<'_> {}
// SAFETY: as above.
unsafe impl Sync for HostCall<'_> {}

impl HostCall<'_> {
    /// # Safety
    /// `at` is null or points to a call of the host that lasts as long as this.
    pub(crate) unsafe fn new(at: *const abi::Call) -> Self {
        Self {
            at,
            call: PhantomData,
        }
    }

    /// Says why the call is about to fail.
    pub(crate) fn set_error(&self, error: &Error) {
        let error = abi::Error {
            struct_size: size_of::<abi::Error>() as u32,
            status: error.status.code(),
            message: abi::Str::of(&error.message),
        };
        // SAFETY: the call is the host's and lasts; it copies the error before it returns.
        unsafe {
            if let Some(set_error) = field!(self.at, Call.set_error).flatten() {
                set_error(self.at, &raw const error);
            }
        }
    }

    /// Hands over one document of the result.
    pub(crate) fn emit(&self, document: &impl Serialize) -> Result<()> {
        let json = serde_json::to_string(document).map_err(|error| {
            Error::new(Status::Internal, format!("a record is no JSON: {error}"))
        })?;
        // SAFETY: as in `set_error`.
        let taken = unsafe {
            let Some(emit) = field!(self.at, Call.emit).flatten() else {
                return Err(Error::new(Status::Unsupported, "the host takes no records"));
            };
            emit(self.at, abi::Str::of(&json))
        };
        if taken == 0 {
            Ok(())
        } else {
            Err(Error::from(StreamFailed::error()))
        }
    }
}

impl Context for HostCall<'_> {
    fn is_cancelled(&self) -> bool {
        // SAFETY: as in `set_error`.
        unsafe {
            field!(self.at, Call.is_cancelled)
                .flatten()
                .is_some_and(|is_cancelled| is_cancelled(self.at) != 0)
        }
    }

    fn progress(&self, done: u64, total: u64) {
        // SAFETY: as in `set_error`.
        unsafe {
            if let Some(progress) = field!(self.at, Call.progress).flatten() {
                progress(self.at, done, total);
            }
        }
    }

    fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Error => abi::LOG_ERROR,
            Level::Warn => abi::LOG_WARN,
            Level::Info => abi::LOG_INFO,
            Level::Debug => abi::LOG_DEBUG,
        };
        // SAFETY: as in `set_error`.
        unsafe {
            if let Some(log) = field!(self.at, Call.log).flatten() {
                log(self.at, level, abi::Str::of(message));
            }
        }
    }

    fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            return Err(Error::new(Status::Cancelled, "cancelled"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;
    use crate::tests::mock::Host;

    #[test]
    fn everything_said_reaches_the_host() {
        let host = Host::default();
        let call = host.call();
        // SAFETY: a call of this test.
        let cx = unsafe { HostCall::new(&raw const call) };
        cx.progress(3, 10);
        cx.log(Level::Warn, "careful");
        cx.set_error(&Error::new(Status::Full, "no room"));
        cx.emit(&7).unwrap();
        assert_eq!(cx.check(), Ok(()));
        host.cancel();
        assert_eq!(cx.check().unwrap_err().status, Status::Cancelled);
        assert_eq!(
            host.heard(),
            [
                "progress 3/10",
                "log 2 careful",
                "error 5 no room",
                "emit 7"
            ]
        );
        host.refuse();
        assert_eq!(cx.emit(&8).unwrap_err().status, Status::Stream);
    }

    #[test]
    fn an_older_host_is_asked_only_for_what_it_has() {
        let host = Host::default();
        let ends = [
            0,
            offset_of!(abi::Call, is_cancelled),
            offset_of!(abi::Call, progress),
            offset_of!(abi::Call, set_error),
            offset_of!(abi::Call, emit),
            offset_of!(abi::Call, log) - 1,
        ];
        for end in ends {
            let mut call = host.call();
            call.struct_size = u32::try_from(end).unwrap();
            // SAFETY: a call of this test.
            let cx = unsafe { HostCall::new(&raw const call) };
            assert!(!cx.is_cancelled());
            cx.log(Level::Info, "unheard");
            assert_eq!(cx.emit(&1).unwrap_err().status, Status::Unsupported);
        }
        assert_eq!(host.heard(), [""; 0]);
    }
}
