//! Rows that one restore point has and another has not, or has otherwise, told apart by their primary
//! key.
//!
//! The rows of the first are remembered and those of the second held against them. A table that is too
//! large to be remembered is gone through several times, each time with those rows whose keys hash into
//! one part, so that memory does not grow with the table.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use respaldo_archive::{ArchiveError, decode_block, read_copy_lines};
use respaldo_domain::difference::{Change, ColumnChange, RowChange, RowDifferences};
use respaldo_domain::manifest::{Compression, Manifest, TableData};
use respaldo_domain::table::TableName;

use super::keys::primary_key;
use crate::export::source::Source;
use crate::parts::Parts;
use crate::ports::{Context, Fault, FaultKind};
use crate::restore::archive_compression;
use crate::store::fault_of_io;

/// Text of rows that is remembered at once.
const PART_BYTES: u64 = 48 << 20;
/// What remembering a row takes besides its text, about.
const ROW_BYTES: u64 = 120;
/// COPY's NULL.
const NULL: &[u8] = b"\\N";

/// A table at one restore point.
pub(super) struct Side {
    table: TableName,
    data: TableData,
    compression: Compression,
    columns: Vec<String>,
    key: Option<Vec<String>>,
}

impl Side {
    /// `None` where there are no rows of such a table.
    pub(super) fn of(
        parts: &Parts,
        manifest: &Manifest,
        table: &TableName,
        cx: &Context,
    ) -> Result<Option<Self>, Fault> {
        let entry = manifest.tables.iter().find(|entry| &entry.name == table);
        let Some((entry, data)) = entry.and_then(|entry| Some((entry, entry.data.as_ref()?)))
        else {
            return Ok(None);
        };
        let facts = manifest.archive_facts(&data.archive).ok_or_else(|| {
            let what = format!("the manifest does not describe {}", data.archive);
            Fault::bare(FaultKind::Corrupt, what)
        })?;
        Ok(Some(Self {
            table: table.clone(),
            data: data.clone(),
            compression: facts.compression,
            columns: entry.columns.iter().map(|c| c.name.clone()).collect(),
            key: primary_key(parts, manifest, table, cx)?,
        }))
    }

    fn places(&self, names: &[String]) -> Option<Vec<usize>> {
        let place = |name| self.columns.iter().position(|column| column == name);
        names.iter().map(place).collect()
    }

    /// Calls `row` with every row, in the order of the block, which must be what the manifest says.
    fn each_row(&self, parts: &Parts, cx: &Context, row: impl FnMut(&[u8])) -> Result<(), Fault> {
        let stored = Source::of_table(&self.data, &self.table).open(parts, cx)?;
        let text = decode_block(stored, archive_compression(self.compression));
        text.and_then(|text| read_copy_lines(text, row))
            .map(drop)
            .map_err(|error| match error {
                ArchiveError::Io(error) => fault_of_io("reading rows", error),
                other => Fault::new(FaultKind::Corrupt, "a block cannot be decoded", other),
            })
    }
}

/// Two sides that can be compared.
pub(super) struct Comparison {
    before: Side,
    after: Side,
    key: Vec<String>,
    /// Columns that both have.
    common: Vec<String>,
    /// Places of both in the rows of each side: those of the key, those in common.
    in_before: Places,
    in_after: Places,
}

struct Places {
    key: Vec<usize>,
    common: Vec<usize>,
}

impl Comparison {
    /// `None` where the two have no primary key of the same columns.
    pub(super) fn of(before: Side, after: Side) -> Option<Self> {
        let key = after.key.clone()?;
        if before.key.as_ref() != Some(&key) {
            return None;
        }
        let is_common = |name: &&String| before.columns.contains(name);
        let common: Vec<String> = after.columns.iter().filter(is_common).cloned().collect();
        let places = |side: &Side| {
            Some(Places {
                key: side.places(&key)?,
                common: side.places(&common)?,
            })
        };
        Some(Self {
            in_before: places(&before)?,
            in_after: places(&after)?,
            before,
            after,
            key,
            common,
        })
    }

    /// Goes through the rows, part by part.
    pub(super) fn run(
        &self,
        parts: &Parts,
        most_rows: usize,
        cx: &Context,
    ) -> Result<RowDifferences, Fault> {
        let mut found = RowDifferences {
            key: self.key.clone(),
            ..RowDifferences::default()
        };
        if self.before.data == self.after.data && self.before.columns == self.after.columns {
            return Ok(found);
        }
        let count = self.count_of_parts();
        for part in 0..count {
            cx.check()?;
            let mut known = HashMap::new();
            self.before.each_row(parts, cx, |row| {
                let key = fields(row, &self.in_before.key);
                if is_in(&key, part, count) {
                    known.insert(key, project(row, &self.in_before.common));
                }
            })?;
            self.after.each_row(parts, cx, |row| {
                let key = fields(row, &self.in_after.key);
                if is_in(&key, part, count) {
                    let then = known.remove(&key);
                    self.compare(&key, then, row, &mut found, most_rows);
                }
            })?;
            found.removed += known.len() as u64;
            for key in known.into_keys() {
                tell(&mut found, &key, Change::Removed, most_rows);
            }
        }
        Ok(found)
    }

    fn count_of_parts(&self) -> u64 {
        let data = &self.before.data;
        let bytes = data.plain_bytes + data.fingerprint.rows * ROW_BYTES;
        bytes.div_ceil(PART_BYTES).max(1)
    }

    fn compare(
        &self,
        key: &[u8],
        then: Option<Vec<u8>>,
        row: &[u8],
        found: &mut RowDifferences,
        most_rows: usize,
    ) {
        let Some(then) = then else {
            found.added += 1;
            return tell(found, key, Change::Added, most_rows);
        };
        let now = project(row, &self.in_after.common);
        if then != now {
            found.changed += 1;
            let columns = self.columns(&then, &now);
            tell(found, key, Change::Changed(columns), most_rows);
        }
    }

    fn columns(&self, then: &[u8], now: &[u8]) -> Vec<ColumnChange> {
        let values = then.split(is_tab).zip(now.split(is_tab));
        let changed = self.common.iter().zip(values).filter(|(_, (a, b))| a != b);
        changed
            .map(|(column, (before, after))| ColumnChange {
                column: column.clone(),
                before: value(before),
                after: value(after),
            })
            .collect()
    }
}

fn tell(found: &mut RowDifferences, key: &[u8], change: Change, most_rows: usize) {
    if found.rows.len() < most_rows {
        let key = key
            .split(is_tab)
            .map(|field| value(field).unwrap_or_default());
        found.rows.push(RowChange {
            key: key.collect(),
            change,
        });
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "what splitting a slice asks for"
)]
fn is_tab(byte: &u8) -> bool {
    *byte == b'\t'
}

/// Some fields of a row, joined as they were.
fn fields(row: &[u8], places: &[usize]) -> Vec<u8> {
    let all: Vec<&[u8]> = row.split(is_tab).collect();
    let picked = places.iter().filter_map(|&place| all.get(place).copied());
    picked.collect::<Vec<_>>().join(&b'\t')
}

/// What a row is compared by.
fn project(row: &[u8], places: &[usize]) -> Vec<u8> {
    match places.iter().enumerate().all(|(at, &place)| at == place) {
        true if row.split(is_tab).count() == places.len() => row.to_vec(),
        _ => fields(row, places),
    }
}

fn is_in(key: &[u8], part: u64, count: u64) -> bool {
    if count == 1 {
        return true;
    }
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish() % count == part
}

/// A field of COPY text as people read it.
fn value(field: &[u8]) -> Option<String> {
    if field == NULL {
        return None;
    }
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.iter().copied();
    while let Some(byte) = rest.next() {
        let escaped = (byte == b'\\').then(|| rest.next()).flatten();
        bytes.push(escaped.map_or(byte, unescaped));
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// What the letter after a backslash stands for.
fn unescaped(letter: u8) -> u8 {
    match letter {
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_taken_in_any_order_and_values_read_as_copy_wrote_them() {
        let row = b"1\ta\\tb\\\\\t\\N\tx";
        assert_eq!(fields(row, &[3, 0]), b"x\t1");
        assert_eq!(project(row, &[0, 1, 2, 3]), row);
        assert_eq!(project(row, &[0]), b"1");
        let values: Vec<_> = row.split(is_tab).map(value).collect();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(values, [text("1"), text("a\tb\\"), None, text("x")]);
    }

    #[test]
    fn every_key_is_in_one_part() {
        for key in 0..200_u32 {
            let key = key.to_string();
            let parts = (0..7).filter(|&part| is_in(key.as_bytes(), part, 7));
            assert_eq!(parts.count(), 1, "{key}");
        }
    }
}
