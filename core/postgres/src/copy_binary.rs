//! Rows of COPY text as rows of `COPY ... (FORMAT binary)`.
//!
//! Of the time that a server spends on rows sent to it as text, two fifths go into taking the text apart. Here that is
//! done on the client's side, for the types that nearly all columns have, and only where nothing is left to
//! judgement: a value must be written as a server writes it, and must mean one value of its type. At the first row of which
//! that is not so the caller goes on with text, from that row. What comes out is, byte for byte, what the
//! server's own `COPY ... TO (FORMAT binary)` writes for the same rows.
//!
//! Source of the format: the page of COPY in PostgreSQL's manual, "Binary Format", and the send functions of the types in
//! `src/backend/utils/adt`. It is the same from PostgreSQL 13 to 18.

mod column;
mod moment;
mod number;
mod text;

use memchr::{memchr, memrchr};
use respaldo_domain::table::{Column, TableName};
use sqlx::Row;

use self::column::Kind;
use crate::session::{PgError, Session, sql};

/// Length of a value that is NULL.
const NULL: [u8; 4] = (-1_i32).to_be_bytes();

/// How the columns of one table are written in binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BinaryRows {
    kinds: Vec<Kind>,
}

impl BinaryRows {
    /// What comes before the rows: signature, no flags, no extension of the header.
    pub const HEADER: &'static [u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
    /// What comes after them.
    pub const TRAILER: &'static [u8] = &(-1_i16).to_be_bytes();

    /// For a table of the session's database and these of its columns, in this order. `None`: one of them is of a
    /// type that only text is sure for.
    pub fn of(
        session: &mut Session,
        table: &TableName,
        columns: &[Column],
    ) -> Result<Option<Self>, PgError> {
        // The function that reads a type says what its bytes are; those of extensions say nothing.
        let types = sql("SELECT a.attname::text, p.proname::text \
             FROM pg_catalog.pg_attribute a \
             JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
             JOIN pg_catalog.pg_proc p ON p.oid = t.typreceive \
             WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped \
               AND p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace \
               AND (t.typtype = 'e' \
                 OR t.typtype = 'b' AND t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace)");
        let types = session.rows(types.bind(&table.schema).bind(&table.name))?;
        let read = |row: &sqlx::postgres::PgRow| Ok((row.try_get(0)?, row.try_get(1)?));
        let types: Result<Vec<(String, String)>, sqlx::Error> = types.iter().map(read).collect();
        let types = types.map_err(|error| PgError::new("reading the types of columns", error))?;
        let receive = |column: &Column| {
            let found = types.iter().find(|(name, _)| *name == column.name);
            found.map(|(_, receive)| receive.as_str())
        };
        Ok(Self::by_functions(columns.iter().map(receive)))
    }

    /// By the functions of `pg_catalog` that read each column's type.
    fn by_functions<'a>(functions: impl Iterator<Item = Option<&'a str>>) -> Option<Self> {
        let kinds: Option<Vec<Kind>> = functions.map(|name| Kind::read_by(name?)).collect();
        let kinds = kinds.filter(|kinds| !kinds.is_empty() && i16::try_from(kinds.len()).is_ok());
        kinds.map(|kinds| Self { kinds })
    }

    /// Adds to `rows` what `text` holds, which must end where a row does. Returns how many bytes of it were taken, whole rows
    /// always: all, or those before the first row that had better be sent as text.
    pub fn convert(&self, text: &[u8], rows: &mut Vec<u8>) -> usize {
        // Servers write no bare carriage return, and may take one for the end of a row.
        let sure = memchr(b'\r', text).map_or(text.len(), |at| {
            memrchr(b'\n', &text[..at]).map_or(0, |end| end + 1)
        });
        let mut rest = &text[..sure];
        while !rest.is_empty() {
            let whole = rows.len();
            match self.row(rest, rows) {
                Some(after) => rest = after,
                None => {
                    rows.truncate(whole);
                    break;
                }
            }
        }
        sure - rest.len()
    }

    /// Adds the first row of `text`; returns what follows it.
    fn row<'t>(&self, mut text: &'t [u8], rows: &mut Vec<u8>) -> Option<&'t [u8]> {
        let columns = self.kinds.len();
        rows.extend_from_slice(&i16::try_from(columns).ok()?.to_be_bytes());
        for (at, kind) in self.kinds.iter().enumerate() {
            text = match text.strip_prefix(br"\N") {
                Some(after) => {
                    rows.extend_from_slice(&NULL);
                    after
                }
                None => kind.value(text, rows)?,
            };
            let end = if at + 1 == columns { b'\n' } else { b'\t' };
            text = text.strip_prefix(&[end])?;
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(functions: &[&str]) -> BinaryRows {
        BinaryRows::by_functions(functions.iter().copied().map(Some)).unwrap()
    }

    #[test]
    fn rows_are_taken_up_to_the_first_that_is_not_as_a_server_writes_it() {
        let rows = rows(&["int4recv", "textrecv"]);
        let mut out = Vec::new();
        let text = b"1\ta\\tb\n\\N\t\\N\n007\tagent\n2\tb\n";
        let taken = rows.convert(text, &mut out);
        assert_eq!(&text[taken..], b"007\tagent\n2\tb\n");
        let mut expected = vec![0, 2, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 3];
        expected.extend(b"a\tb");
        expected.extend([0, 2, 255, 255, 255, 255, 255, 255, 255, 255]);
        assert_eq!(out, expected);
    }

    #[test]
    fn a_row_with_too_few_or_too_many_columns_is_left_to_the_server() {
        let rows = rows(&["textrecv", "textrecv"]);
        for text in [
            &b"a\tb\r\n"[..],
            b"a\rb\tc\n",
            b"a\n",
            b"a\tb\tc\n",
            b"\n",
            b"\\N\n",
            b"a\tb",
            b"\\.",
        ] {
            let mut out = vec![7];
            assert_eq!(rows.convert(text, &mut out), 0, "{text:?}");
            assert_eq!(out, [7]);
        }
    }

    #[test]
    fn tables_with_a_type_that_is_not_known_for_sure_are_sent_as_text() {
        let by = |functions: &[Option<&'static str>]| {
            BinaryRows::by_functions(functions.iter().copied()).is_some()
        };
        assert!(by(&[Some("int8recv"), Some("jsonb_recv")]));
        assert!(!by(&[Some("int8recv"), Some("interval_recv")]));
        assert!(!by(&[Some("int8recv"), None]));
        assert!(!by(&[]));
    }
}
