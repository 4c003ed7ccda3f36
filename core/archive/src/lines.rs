//! Rows of COPY text.

use std::io::Read;

use memchr::{memchr, memchr_iter};

use crate::error::{ArchiveError, Result};

/// PostgreSQL cannot make a longer row.
const MAX_ROW: usize = 1 << 30;
const END_MARK: &[u8] = b"\\.";
const BUFFER: usize = 256 * 1024;

/// Splits COPY text into rows as it passes, in whatever pieces it comes. Keeps only a row which is not yet whole.
#[derive(Debug, Default)]
pub struct CopyLines {
    pending: Vec<u8>,
    rows: u64,
    ended: bool,
}

impl CopyLines {
    /// At the beginning of a table's text.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece and calls `row` with each row that ends in it, without its newline.
    pub fn push(&mut self, piece: &[u8], mut row: impl FnMut(&[u8])) -> Result<()> {
        let mut rest = piece;
        if !self.pending.is_empty() {
            let Some(end) = memchr(b'\n', rest) else {
                return self.keep(rest);
            };
            self.keep(&rest[..end])?;
            let mut whole = std::mem::take(&mut self.pending);
            self.line(&whole, &mut row)?;
            whole.clear();
            self.pending = whole;
            rest = &rest[end + 1..];
        }
        let mut start = 0;
        for end in memchr_iter(b'\n', rest) {
            self.line(&rest[start..end], &mut row)?;
            start = end + 1;
        }
        self.keep(&rest[start..])
    }

    /// The count of rows, if their end mark was seen.
    pub fn finish(self) -> Result<u64> {
        if self.ended && self.pending.is_empty() {
            Ok(self.rows)
        } else {
            Err(ArchiveError::UnendedRows)
        }
    }

    fn line(&mut self, line: &[u8], row: &mut impl FnMut(&[u8])) -> Result<()> {
        if self.ended {
            return if line.is_empty() {
                Ok(())
            } else {
                Err(ArchiveError::DamagedData("text follows the end mark"))
            };
        }
        if line == END_MARK {
            self.ended = true;
        } else {
            self.rows += 1;
            row(line);
        }
        Ok(())
    }

    fn keep(&mut self, part: &[u8]) -> Result<()> {
        if self.pending.len() + part.len() > MAX_ROW {
            return Err(ArchiveError::RowTooLong(MAX_ROW));
        }
        self.pending.extend_from_slice(part);
        Ok(())
    }
}

/// Calls `row` with each row of a table's decoded text; returns their count once the end mark is seen.
pub fn read_copy_lines(mut text: impl Read, mut row: impl FnMut(&[u8])) -> Result<u64> {
    let mut lines = CopyLines::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        match text.read(&mut buffer) {
            Ok(0) => return lines.finish(),
            Ok(got) => lines.push(&buffer[..got], &mut row)?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &[u8], piece: usize) -> Result<(u64, Vec<Vec<u8>>)> {
        let mut rows = Vec::new();
        let mut lines = CopyLines::new();
        for piece in text.chunks(piece) {
            lines.push(piece, |row| rows.push(row.to_vec()))?;
        }
        Ok((lines.finish()?, rows))
    }

    #[test]
    fn rows_are_the_same_however_the_text_is_cut() {
        for piece in 1..20 {
            let (count, rows) = rows(b"1\ta\n\n\\\\.\n2\tb\\n\n\\.\n\n\n", piece).unwrap();
            assert_eq!(count, 4);
            assert_eq!(rows, [&b"1\ta"[..], b"", b"\\\\.", b"2\tb\\n"]);
        }
    }

    #[test]
    fn text_without_its_end_mark_is_an_error() {
        for text in [&b""[..], b"1\n", b"1\n\\.", b"1"] {
            assert!(
                matches!(rows(text, 3), Err(ArchiveError::UnendedRows)),
                "{text:?}"
            );
        }
    }

    #[test]
    fn rows_after_the_end_mark_are_an_error() {
        assert!(matches!(
            rows(b"\\.\n1\n", 64),
            Err(ArchiveError::DamagedData(_))
        ));
    }
}
