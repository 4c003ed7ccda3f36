//! Texts of the host: with a NUL behind them, for those who compare as C does.

use std::ffi::c_char;

use respaldo_sdk::abi::Str;

/// A text that a call is given; lives until the call has returned.
pub(super) struct HostText(Vec<u8>);

impl HostText {
    pub(super) fn new(text: &str) -> Self {
        let mut bytes = Vec::with_capacity(text.len() + 1);
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
        Self(bytes)
    }

    /// Valid as long as this is.
    pub(super) fn text(&self) -> Str {
        Str {
            ptr: self.0.as_ptr().cast::<c_char>(),
            len: self.0.len() - 1,
        }
    }
}
