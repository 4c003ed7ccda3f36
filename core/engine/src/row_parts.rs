//! Rows of COPY text on their way into a fingerprint, in parts.

use std::io::Read;

use respaldo_archive::{ArchiveError, RowPart, read_copy_parts};
use respaldo_domain::fingerprint::{Fingerprinting, RowFingerprint};

/// Takes a part of a row into a fingerprint.
#[inline]
pub fn add_part(print: &mut Fingerprinting, part: RowPart<'_>) {
    match part {
        RowPart::More(bytes) => print.more(bytes),
        RowPart::Last(bytes) => print.last(bytes),
    }
}

/// The fingerprint of a table's decoded text, which must have its end mark.
pub fn fingerprint_of_text(text: impl Read) -> Result<RowFingerprint, ArchiveError> {
    let mut print = Fingerprinting::default();
    read_copy_parts(text, |part| add_part(&mut print, part))?;
    Ok(print.finish())
}
