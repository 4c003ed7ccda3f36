//! Definitions of an older archive, with what is no definition taken out or made new.
//!
//! The caller proved that pg_dump would write the same definitions today; refreshes of materialized
//! views follow from the catalog as definitions do. Rows and large objects are dropped with
//! everything that is said of them. Values of sequences are in no catalog: each gets today's. An
//! archive in which anything else is found is not taken over.
//!
//! Where no rows are to be dumped, which is every day's case in a large database, entries stay the
//! bytes they are.

use std::collections::{HashMap, HashSet};
use std::io::BufRead;

use chrono::{Datelike, Local, Timelike};
use respaldo_archive::{Compression, Entry, Section, Skim, Skimmed, Text, Toc};
use respaldo_domain::table::TableName;

use super::sequences::Value;

/// The table of contents without any rows; `None` where it holds something that is not understood.
pub(super) fn definitions(
    mut source: impl BufRead,
    values: &HashMap<TableName, Value>,
) -> Option<Toc> {
    let (mut toc, _) = Toc::read(&mut source).ok()?;
    let is_at_end = source.fill_buf().ok()?.is_empty();
    if !is_at_end || !toc.entries.iter().all(is_understood) {
        return None;
    }
    drop_data(&mut toc);
    for entry in &mut toc.entries {
        if entry.is("SEQUENCE SET") {
            set(entry, values)?;
        }
    }
    toc.header.created = now();
    Some(toc)
}

/// The table of contents of an archive, for one without rows; `None` where it has something that is not
/// understood.
pub(super) fn without_rows(
    contents: &[u8],
    compression: Compression,
    values: impl FnOnce() -> Option<HashMap<TableName, Value>>,
) -> Option<Skimmed<'_>> {
    let mut skimmed = Skimmed::of(contents).ok()?;
    let is_dropped =
        |entry: &Skim<'_>| entry.desc() == b"TABLE DATA" || entry.is_of_large_objects();
    skimmed.drop_entries(is_dropped).ok()?;
    let is_understood = |entry: &Skim<'_>| {
        let is_of_data =
            entry.section() == Section::Data && !DATA_WITHOUT_BLOCKS.contains(&entry.desc());
        !is_of_data && !entry.has_block()
    };
    if !skimmed.entries.iter().all(is_understood) {
        return None;
    }
    let is_set = |entry: &&mut Skim<'_>| entry.desc() == b"SEQUENCE SET";
    let mut sets = skimmed.entries.iter_mut().filter(is_set).peekable();
    if sets.peek().is_some() {
        let values = values()?;
        for skim in sets {
            let mut entry = skim.entry().ok()?;
            set(&mut entry, &values)?;
            skim.replace(&entry).ok()?;
        }
    }
    skimmed.header.compression = compression;
    skimmed.header.created = now();
    Some(skimmed)
}

/// Kinds of data entries that have no block.
const DATA_WITHOUT_BLOCKS: [&[u8]; 2] = [b"SEQUENCE SET", b"MATERIALIZED VIEW DATA"];

fn is_understood(entry: &Entry) -> bool {
    const DATA: [&str; 3] = ["TABLE DATA", "SEQUENCE SET", "MATERIALIZED VIEW DATA"];
    !entry.is_data() || entry.is_of_large_objects() || DATA.iter().any(|kind| entry.is(kind))
}

/// Drops rows and large objects, and every mention of them.
fn drop_data(toc: &mut Toc) {
    let is_dropped = |entry: &Entry| entry.is_table_data() || entry.is_of_large_objects();
    let dropped = toc.entries.iter().filter(|entry| is_dropped(entry));
    let dropped: HashSet<i32> = dropped.map(|entry| entry.dump_id).collect();
    toc.retain(|entry| !dropped.contains(&entry.dump_id));
    for entry in &mut toc.entries {
        entry.dependencies.retain(|id| !dropped.contains(id));
    }
}

/// Puts today's value in the place of the old one, in pg_dump's own words.
fn set(entry: &mut Entry, values: &HashMap<TableName, Value>) -> Option<()> {
    let name = TableName::new(entry.namespace.as_ref()?.as_str()?, entry.tag.as_str()?);
    let value = values.get(&name)?;
    let old = entry.defn.as_ref()?.as_str()?;
    let call = without_value(old)?;
    entry.defn = Some(Text::from(format!(
        "{call}, {}, {});\n",
        value.last, value.is_called
    )));
    (entry.section == Section::Data).then_some(())
}

/// `SELECT pg_catalog.setval('name'`, of a statement that goes on with `, 42, true);`.
fn without_value(statement: &str) -> Option<&str> {
    let rest = statement.strip_suffix(");\n")?;
    let (rest, is_called) = rest.rsplit_once(", ")?;
    let (call, last) = rest.rsplit_once(", ")?;
    let is_value = last.parse::<i64>().is_ok() && is_called.parse::<bool>().is_ok();
    let is_call = call.starts_with("SELECT pg_catalog.setval('") && call.ends_with('\'');
    (is_value && is_call).then_some(call)
}

/// As C's `struct tm` has it.
fn now() -> [i32; 7] {
    let now = Local::now();
    let small = [
        now.second(),
        now.minute(),
        now.hour(),
        now.day(),
        now.month0(),
    ];
    let [second, minute, hour, day, month] = small.map(|part| part as i32);
    // Whether it is daylight saving time is not known: readers of archives do not ask.
    [second, minute, hour, day, month, now.year() - 1900, -1]
}

#[cfg(test)]
mod tests {
    use respaldo_archive::{Header, Offset, Version};

    use super::*;

    fn entry(dump_id: i32, desc: &str, tag: &str, dependencies: &[i32]) -> Entry {
        let (section, offset) = match desc {
            "TABLE DATA" | "BLOBS" => (Section::Data, Offset::At(4000)),
            "SEQUENCE SET" | "MATERIALIZED VIEW DATA" => (Section::Data, Offset::NoData),
            "TRIGGER" | "INDEX" => (Section::PostData, Offset::NoData),
            _ => (Section::PreData, Offset::NoData),
        };
        let set = "SELECT pg_catalog.setval('s.q', 1, false);\n";
        Entry {
            dump_id,
            had_dumper: offset != Offset::NoData,
            table_oid: 0,
            oid: 0,
            tag: tag.into(),
            desc: desc.into(),
            section,
            defn: Some(if desc == "SEQUENCE SET" { set } else { "" }.into()),
            drop_stmt: None,
            copy_stmt: None,
            namespace: Some("s".into()),
            tablespace: None,
            table_am: None,
            relkind: Some(0),
            owner: Some("o".into()),
            with_oids: None,
            dependencies: dependencies.to_vec(),
            offset,
        }
    }

    #[test]
    fn what_is_left_without_rows_is_what_is_left_with_rows_of_others() {
        let header = Header {
            version: Version::V1_16,
            int_size: 4,
            offset_size: 8,
            format: 1,
            compression: Compression::Gzip(-1),
            created: [0; 7],
            database: Some("d".into()),
            server_version: Some("17.1".into()),
            dump_version: Some("17.1".into()),
        };
        let entries = vec![
            entry(1, "TABLE", "t", &[]),
            entry(2, "SEQUENCE", "q", &[]),
            entry(3, "BLOB METADATA", "5..6", &[]),
            entry(4, "ACL", "LARGE OBJECT 5", &[3]),
            entry(5, "COMMENT", "LARGE OBJECT 6", &[3]),
            entry(6, "ACL", "TABLE t", &[1]),
            entry(7, "TABLE DATA", "t", &[1]),
            entry(8, "BLOBS", "5..6", &[3]),
            entry(9, "SEQUENCE SET", "q", &[2, 7]),
            entry(10, "MATERIALIZED VIEW DATA", "m", &[1, 7]),
            entry(11, "INDEX", "i", &[1]),
            entry(12, "TRIGGER", "t t", &[7, 1, 8]),
        ];
        let mut bytes = Vec::new();
        Toc { header, entries }.write(&mut bytes).unwrap();
        let value = Value {
            quoted: "s.q".to_owned(),
            last: 42,
            is_called: true,
        };
        let values = HashMap::from([(TableName::new("s", "q"), value)]);

        let mut whole = definitions(&bytes[..], &values).unwrap();
        let skimmed = without_rows(&bytes, Compression::None, || Some(values)).unwrap();
        let mut skimmed_bytes = Vec::new();
        skimmed.write(&mut skimmed_bytes).unwrap();
        let (skimmed, _) = Toc::read(&mut &skimmed_bytes[..]).unwrap();
        whole.header.compression = skimmed.header.compression;
        whole.header.created = skimmed.header.created;
        assert_eq!(skimmed, whole);
        let left: Vec<i32> = skimmed.entries.iter().map(|entry| entry.dump_id).collect();
        assert_eq!(left, [1, 2, 6, 9, 10, 11, 12]);
        assert_eq!(skimmed.entries[6].dependencies, [1]);
        assert!(bytes.len() > skimmed_bytes.len());
    }

    #[test]
    fn the_value_is_found_behind_any_name() {
        for name in ["public.s", "\"a, b\".\"1, true);\"", "s.\"it''s\""] {
            let call = format!("SELECT pg_catalog.setval('{name}'");
            for value in ["1, true", "-9223372036854775808, false"] {
                assert_eq!(
                    without_value(&format!("{call}, {value});\n")),
                    Some(call.as_str())
                );
            }
        }
        for other in [
            "SELECT pg_catalog.setval('s', 1, true);",
            "SELECT pg_catalog.setval('s', x, true);\n",
            "SELECT pg_catalog.setval(s, 1, true);\n",
            "SELECT other('s', 1, true);\n",
        ] {
            assert_eq!(without_value(other), None, "{other}");
        }
    }
}
