//! Entries for the tests of this crate.

use crate::entry::{Entry, Offset, Section};

/// An entry of schema `s` with nothing in it; the section is what pg_dump gives that kind.
pub(crate) fn entry(dump_id: i32, desc: &str, tag: &str, dependencies: &[i32]) -> Entry {
    Entry {
        dump_id,
        had_dumper: false,
        table_oid: 0,
        oid: 0,
        tag: tag.into(),
        desc: desc.into(),
        section: match desc {
            "TABLE" | "TABLE ATTACH" | "TYPE" => Section::PreData,
            "TABLE DATA" => Section::Data,
            _ => Section::PostData,
        },
        defn: None,
        drop_stmt: None,
        copy_stmt: None,
        namespace: Some("s".into()),
        tablespace: None,
        table_am: None,
        relkind: None,
        owner: None,
        with_oids: None,
        dependencies: dependencies.to_vec(),
        offset: Offset::NoData,
    }
}
