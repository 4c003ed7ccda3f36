//! The integers and strings of the format: an int is a sign byte and four bytes little-endian, a string its length and
//! its bytes, NULL the length -1.

use std::io::{self, Read, Write};

use crate::error::{ArchiveError, Result};
use crate::text::Text;

/// Bytes of an encoded int.
pub(crate) const INT_LEN: usize = 5;
/// Longer strings are damage: PostgreSQL cannot make one.
const MAX_STRING: i32 = 1 << 30;

/// Reads primitives and knows how far it is.
pub(crate) struct WireReader<R> {
    source: R,
    at: u64,
}

impl<R: Read> WireReader<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { source, at: 0 }
    }

    pub(crate) fn source(&mut self) -> &mut R {
        &mut self.source
    }

    pub(crate) fn position(&self) -> u64 {
        self.at
    }

    pub(crate) fn bytes<const N: usize>(&mut self, reading: &'static str) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.source
            .read_exact(&mut bytes)
            .map_err(|error| self.failed(error, reading))?;
        self.at += N as u64;
        Ok(bytes)
    }

    pub(crate) fn byte(&mut self, reading: &'static str) -> Result<u8> {
        Ok(self.bytes::<1>(reading)?[0])
    }

    pub(crate) fn int(&mut self, reading: &'static str) -> Result<i32> {
        let at = self.at;
        int_from(self.bytes(reading)?).ok_or(ArchiveError::Damaged {
            at,
            problem: "an integer is malformed",
        })
    }

    /// A string or NULL. The buffer grows with the bytes that arrive, never with what the length promises.
    pub(crate) fn string(&mut self, reading: &'static str) -> Result<Option<Text>> {
        let length = self.int(reading)?;
        if length < 0 {
            return Ok(None);
        }
        if length > MAX_STRING {
            return Err(self.damaged("a string is longer than PostgreSQL can make"));
        }
        let mut bytes = Vec::with_capacity((length as usize).min(1 << 16));
        let got = (&mut self.source)
            .take(length as u64)
            .read_to_end(&mut bytes)
            .map_err(ArchiveError::from)?;
        self.at += got as u64;
        if got < length as usize {
            return Err(ArchiveError::Truncated {
                at: self.at,
                reading,
            });
        }
        Ok(Some(bytes.into()))
    }

    /// A string which must be there.
    pub(crate) fn text(&mut self, reading: &'static str) -> Result<Text> {
        self.string(reading)?
            .ok_or_else(|| self.damaged("a string is missing"))
    }

    pub(crate) fn damaged(&self, problem: &'static str) -> ArchiveError {
        ArchiveError::Damaged {
            at: self.at,
            problem,
        }
    }

    fn failed(&self, error: io::Error, reading: &'static str) -> ArchiveError {
        if error.kind() == io::ErrorKind::UnexpectedEof
            && error.get_ref().is_none_or(|e| !e.is::<ArchiveError>())
        {
            return ArchiveError::Truncated {
                at: self.at,
                reading,
            };
        }
        error.into()
    }
}

/// Decodes an int; `None` when it is spelt as pg_dump never does, or does not fit.
pub(crate) fn int_from([sign, magnitude @ ..]: [u8; INT_LEN]) -> Option<i32> {
    let magnitude = i64::from(u32::from_le_bytes(magnitude));
    match (sign, magnitude) {
        (0, _) => i32::try_from(magnitude).ok(),
        (1, 1..) => i32::try_from(-magnitude).ok(),
        _ => None,
    }
}

/// Encodes an int.
pub(crate) fn int_bytes(value: i32) -> [u8; INT_LEN] {
    let [a, b, c, d] = value.unsigned_abs().to_le_bytes();
    [u8::from(value < 0), a, b, c, d]
}

pub(crate) fn put_int(out: &mut impl Write, value: i32) -> io::Result<()> {
    out.write_all(&int_bytes(value))
}

pub(crate) fn put_string(out: &mut impl Write, text: Option<&[u8]>) -> Result<()> {
    let Some(bytes) = text else {
        return Ok(put_int(out, -1)?);
    };
    put_int(out, length_of(bytes, "a string")?)?;
    Ok(out.write_all(bytes)?)
}

/// The length as the format says it.
pub(crate) fn length_of(bytes: &[u8], what: &'static str) -> Result<i32> {
    i32::try_from(bytes.len()).map_err(|_| ArchiveError::TooLong(what))
}
