//! Rows of COPY text.

use std::io::Read;

use memchr::memchr_iter;

use crate::error::{ArchiveError, Result};

/// PostgreSQL cannot make a longer row.
const MAX_ROW: usize = 1 << 30;
const END_MARK: &[u8] = b"\\.";
const AFTER_END: ArchiveError = ArchiveError::DamagedData("text follows the end mark");
const BUFFER: usize = 256 * 1024;

/// A piece of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowPart<'a> {
    /// More of it follows.
    More(&'a [u8]),
    /// The row ends with it.
    Last(&'a [u8]),
}

/// Splits COPY text into rows as it passes, in whatever pieces it comes. Keeps none of it, however long a row is.
#[derive(Debug, Default)]
pub struct CopyLines {
    /// Bytes of the line at hand that were passed on.
    passed: usize,
    /// Its beginning, while that may become the end mark.
    held: usize,
    rows: u64,
    ended: bool,
}

impl CopyLines {
    /// At the beginning of a table's text.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece and calls `row` with what it has of each row, without newlines.
    pub fn push(&mut self, piece: &[u8], mut row: impl FnMut(RowPart<'_>)) -> Result<()> {
        let mut start = 0;
        for end in memchr_iter(b'\n', piece) {
            self.end_line(&piece[start..end], &mut row)?;
            start = end + 1;
        }
        self.begin_line(&piece[start..], &mut row)
    }

    /// The count of rows, if their end mark was seen.
    pub fn finish(self) -> Result<u64> {
        if self.ended && self.passed == 0 && self.held == 0 {
            Ok(self.rows)
        } else {
            Err(ArchiveError::UnendedRows)
        }
    }

    fn end_line(&mut self, rest: &[u8], row: &mut impl FnMut(RowPart<'_>)) -> Result<()> {
        let is_end_mark = self.passed == 0 && END_MARK[self.held..] == *rest;
        if self.ended {
            let is_empty = self.held == 0 && rest.is_empty();
            return if is_empty { Ok(()) } else { Err(AFTER_END) };
        }
        if is_end_mark {
            self.ended = true;
        } else {
            self.let_go(row);
            self.count(rest.len())?;
            row(RowPart::Last(rest));
            self.rows += 1;
        }
        (self.passed, self.held) = (0, 0);
        Ok(())
    }

    /// The beginning of a line, or more of it.
    fn begin_line(&mut self, part: &[u8], row: &mut impl FnMut(RowPart<'_>)) -> Result<()> {
        if part.is_empty() {
            return Ok(());
        }
        if self.ended {
            return Err(AFTER_END);
        }
        if self.passed == 0 && END_MARK[self.held..].starts_with(part) {
            self.held += part.len();
            return Ok(());
        }
        self.let_go(row);
        self.count(part.len())?;
        row(RowPart::More(part));
        Ok(())
    }

    /// What was held is no end mark.
    fn let_go(&mut self, row: &mut impl FnMut(RowPart<'_>)) {
        if self.held > 0 {
            row(RowPart::More(&END_MARK[..self.held]));
            self.passed += self.held;
            self.held = 0;
        }
    }

    fn count(&mut self, bytes: usize) -> Result<()> {
        self.passed += bytes;
        if self.passed > MAX_ROW {
            return Err(ArchiveError::RowTooLong(MAX_ROW));
        }
        Ok(())
    }
}

/// Makes whole rows of their parts, for whoever must see one as a whole.
#[derive(Debug, Default)]
struct WholeRow(Vec<u8>);

impl WholeRow {
    fn take(&mut self, part: RowPart<'_>, row: &mut impl FnMut(&[u8])) {
        match part {
            RowPart::More(bytes) => self.0.extend_from_slice(bytes),
            RowPart::Last(bytes) if self.0.is_empty() => row(bytes),
            RowPart::Last(bytes) => {
                self.0.extend_from_slice(bytes);
                row(&self.0);
                self.0.clear();
            }
        }
    }
}

/// Calls `row` with each row of a table's decoded text; returns their count once the end mark is seen.
pub fn read_copy_lines(text: impl Read, mut row: impl FnMut(&[u8])) -> Result<u64> {
    let mut whole = WholeRow::default();
    read_copy_parts(text, |part| whole.take(part, &mut row))
}

/// The same with rows in parts, none of which is large.
pub fn read_copy_parts(mut text: impl Read, mut row: impl FnMut(RowPart<'_>)) -> Result<u64> {
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
        let mut whole = WholeRow::default();
        let mut lines = CopyLines::new();
        for piece in text.chunks(piece) {
            lines.push(piece, |part| {
                whole.take(part, &mut |row| rows.push(row.to_vec()));
            })?;
        }
        Ok((lines.finish()?, rows))
    }

    #[test]
    fn rows_are_the_same_however_the_text_is_cut() {
        for piece in 1..20 {
            let text = b"1\ta\n\n\\\\.\n\\.x\n\\\n2\tb\\n\n\\.\n\n\n";
            let (count, rows) = rows(text, piece).unwrap();
            assert_eq!(count, 6);
            assert_eq!(
                rows,
                [&b"1\ta"[..], b"", b"\\\\.", b"\\.x", b"\\", b"2\tb\\n"]
            );
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
