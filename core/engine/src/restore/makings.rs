//! Indexes and constraints: which of an archive's definitions are made by our own sessions, as
//! soon as their tables are loaded, and in which order. Pure.
//!
//! Only definitions whose SQL is all there is to them are taken, and only if all that they need is
//! made before the rows or is itself taken. pg_restore makes everything else afterwards.

use std::collections::{BTreeMap, BTreeSet};

use respaldo_archive::{Entry, Partitions, Section, Text, Toc};
use respaldo_domain::table::{TableName, quote_identifier};

use super::schedule::Lock;

/// An index or a constraint to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Making {
    /// Its entry in the archive.
    pub(super) dump_id: i32,
    /// For people.
    pub(super) name: String,
    /// Statements, run as one.
    pub(super) sql: String,
    /// Its tablespace; empty: the database's.
    pub(super) tablespace: String,
    /// Tables it is about, by their entries.
    pub(super) tables: Vec<(i32, TableName)>,
    /// Makings before it, by their entries.
    pub(super) needs: Vec<i32>,
    /// How it locks its tables.
    pub(super) lock: Lock,
    /// Locks tables that it does not name.
    pub(super) alone: bool,
    /// Needs the rows of every table, not of its own alone.
    pub(super) after_all_rows: bool,
    /// Compares the rows of two tables.
    pub(super) is_foreign_key: bool,
}

/// Takes the makings out of a table of contents that was made exact: their entries stay, so that what follows them
/// keeps its place, but pg_restore finds nothing to do for them.
pub(super) fn take_from(toc: &mut Toc) -> Vec<Making> {
    let makings = match says(toc, "STDSTRINGS", "'on'") {
        true => Choice::of(&toc.entries, says(toc, "ENCODING", "'UTF8'")).makings(),
        false => Vec::new(),
    };
    let taken: BTreeSet<i32> = makings.iter().map(|making| making.dump_id).collect();
    for entry in &mut toc.entries {
        if taken.contains(&entry.dump_id) {
            entry.defn = Some(Text::default());
        }
    }
    makings
}

/// Whether one of the settings an archive begins with has this value.
fn says(toc: &Toc, setting: &str, value: &str) -> bool {
    let entry = toc.entries.iter().find(|entry| entry.is(setting));
    let text = entry.and_then(|entry| entry.defn.as_ref()?.as_str());
    text.is_some_and(|text| text.contains(value))
}

/// The entries, seen for choosing among them.
struct Choice<'a> {
    entries: &'a [Entry],
    /// Our sessions speak UTF-8; of an archive in another encoding they understand ASCII.
    is_utf8: bool,
    by_id: BTreeMap<i32, &'a Entry>,
    partitions: Partitions,
}

impl<'a> Choice<'a> {
    fn of(entries: &'a [Entry], is_utf8: bool) -> Self {
        let by_id: BTreeMap<i32, &Entry> = entries.iter().map(|e| (e.dump_id, e)).collect();
        Self {
            entries,
            is_utf8,
            by_id,
            partitions: Partitions::of(entries),
        }
    }

    fn makings(&self) -> Vec<Making> {
        let mut taken = BTreeSet::new();
        // What a taken entry needs may come after it in the archive: repeat until nothing is added.
        loop {
            let before = taken.len();
            for entry in self.entries {
                if !taken.contains(&entry.dump_id) && self.may_take(entry, &taken) {
                    taken.insert(entry.dump_id);
                }
            }
            if taken.len() == before {
                break;
            }
        }
        let chosen = self.entries.iter().filter(|e| taken.contains(&e.dump_id));
        let mut makings: Vec<Making> = chosen.filter_map(|e| self.making(e, &taken)).collect();
        foreign_keys_after_attaching(&mut makings, |making| self.is_attach(making.dump_id));
        makings
    }

    fn may_take(&self, entry: &Entry, taken: &BTreeSet<i32>) -> bool {
        const KINDS: [&str; 4] = ["INDEX", "CONSTRAINT", "FK CONSTRAINT", "INDEX ATTACH"];
        let is_there = |id: &i32| match self.by_id.get(id) {
            Some(needed) => needed.section != Section::PostData || taken.contains(id),
            None => true,
        };
        let has_sql = |entry: &Entry| {
            let sql = entry.defn.as_ref().and_then(Text::as_str);
            sql.is_some_and(|sql| !sql.trim().is_empty() && (self.is_utf8 || sql.is_ascii()))
        };
        KINDS.iter().any(|kind| entry.is(kind))
            && entry.section == Section::PostData
            && has_sql(entry)
            && (entry.is("INDEX ATTACH") || !self.tables(entry).is_empty())
            && entry.dependencies.iter().all(is_there)
    }

    fn is_attach(&self, id: i32) -> bool {
        self.by_id.get(&id).is_some_and(|e| e.is("INDEX ATTACH"))
    }

    fn tables(&self, entry: &Entry) -> Vec<(i32, TableName)> {
        const KINDS: [&str; 3] = ["TABLE", "FOREIGN TABLE", "MATERIALIZED VIEW"];
        let needed: BTreeSet<i32> = entry.dependencies.iter().copied().collect();
        let table = |id: &i32| {
            let entry = self.by_id.get(id)?;
            let is_table = KINDS.iter().any(|kind| entry.is(kind));
            let name = TableName::new(entry.namespace.as_ref()?.as_str()?, entry.tag.as_str()?);
            is_table.then_some((*id, name))
        };
        needed.iter().filter_map(table).collect()
    }

    fn making(&self, entry: &Entry, taken: &BTreeSet<i32>) -> Option<Making> {
        let sql = entry.defn.as_ref()?.as_str()?.to_owned();
        let tables = self.tables(entry);
        let is_foreign_key = entry.is("FK CONSTRAINT");
        let shares = entry.is("INDEX") && !sql.contains("ALTER ");
        // A foreign key to or from a partition is made, and locks, in all of them.
        let alone = is_foreign_key && tables.iter().any(|(id, _)| self.partitions.involve(*id));
        let text = |text: Option<&Text>| text.and_then(Text::as_str).unwrap_or_default().to_owned();
        Some(Making {
            dump_id: entry.dump_id,
            name: format!("{} {}", text(Some(&entry.desc)), text(Some(&entry.tag))),
            after_all_rows: alone || may_read_other_tables(&sql),
            sql,
            tablespace: text(entry.tablespace.as_ref()),
            needs: entry
                .dependencies
                .iter()
                .copied()
                .filter(|id| taken.contains(id))
                .collect(),
            tables,
            lock: match shares {
                true => Lock::Shared,
                false => Lock::Exclusive,
            },
            alone,
            is_foreign_key,
        })
    }
}

/// An expression or a predicate may call a function that, whatever it was declared to be, reads
/// another table. Anything beyond one list of columns counts as one.
fn may_read_other_tables(sql: &str) -> bool {
    let lists = sql.matches('(').count();
    let plain_key = sql.contains(" FOREIGN KEY ") && lists == 2;
    (lists > 1 && !plain_key) || sql.contains(" WHERE ")
}

/// A foreign key needs the index of the table it refers to as a whole. Indexes are attached one after another
/// ([`Toc::attach_one_by_one`]): after the last one all are.
fn foreign_keys_after_attaching(makings: &mut [Making], is_attach: impl Fn(&Making) -> bool) {
    let last = makings.iter().rev().find(|making| is_attach(making));
    let Some(last) = last.map(|making| making.dump_id) else {
        return;
    };
    let keys = makings.iter_mut().filter(|making| making.is_foreign_key);
    keys.filter(|making| making.alone)
        .for_each(|making| making.needs.push(last));
}

impl Making {
    /// What a session runs, as one statement. The server's own helpers are worth their price only
    /// where nothing else runs.
    pub(super) fn statements(&self, alone: bool, tablespaces: bool) -> String {
        let helpers = match alone {
            true => "DEFAULT",
            false => "0",
        };
        let tablespace = match tablespaces {
            true => format!(
                "SET default_tablespace = {};\n",
                match self.tablespace.is_empty() {
                    true => "''".to_owned(),
                    false => quote_identifier(&self.tablespace),
                }
            ),
            false => String::new(),
        };
        format!(
            "SET max_parallel_maintenance_workers = {helpers};\n{tablespace}{}",
            self.sql
        )
    }
}

#[cfg(test)]
mod tests {
    use respaldo_archive::Offset;

    use super::*;

    fn entry(dump_id: i32, desc: &str, tag: &str, sql: &str, dependencies: &[i32]) -> Entry {
        Entry {
            dump_id,
            had_dumper: false,
            table_oid: 0,
            oid: 0,
            tag: tag.into(),
            desc: desc.into(),
            section: match desc.contains("TABLE") || desc.ends_with("VIEW") {
                true => Section::PreData,
                false => Section::PostData,
            },
            defn: Some(sql.into()),
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

    fn chosen(entries: &[Entry]) -> Vec<Making> {
        Choice::of(entries, true).makings()
    }

    #[test]
    fn what_needs_something_that_pg_restore_makes_later_is_left_to_it() {
        let mut late = entry(3, "MATERIALIZED VIEW", "m", "CREATE ...", &[2]);
        late.section = Section::PostData;
        let entries = [
            entry(1, "TABLE", "t", "CREATE TABLE s.t ...", &[]),
            entry(
                4,
                "INDEX",
                "i",
                "CREATE INDEX i ON s.m USING btree (a)",
                &[3],
            ),
            entry(2, "CONSTRAINT", "t k", "ALTER TABLE ONLY s.t ADD ...", &[1]),
            late,
            entry(
                5,
                "INDEX",
                "j",
                "CREATE INDEX j ON s.t USING btree (a)",
                &[1],
            ),
        ];
        let makings = chosen(&entries);
        let ids: Vec<i32> = makings.iter().map(|making| making.dump_id).collect();
        assert_eq!(ids, [2, 5]);
        assert_eq!(
            (makings[0].lock, makings[1].lock),
            (Lock::Exclusive, Lock::Shared)
        );
    }

    #[test]
    fn indexes_are_attached_before_foreign_keys_of_partitions() {
        let entries = [
            entry(1, "TABLE", "top", "", &[]),
            entry(2, "TABLE", "leaf", "", &[]),
            entry(3, "TABLE ATTACH", "leaf", "ALTER ...", &[2, 1]),
            entry(
                4,
                "INDEX",
                "top_i",
                "CREATE INDEX top_i ON ONLY s.top (a)",
                &[1],
            ),
            entry(
                5,
                "INDEX",
                "leaf_i",
                "CREATE INDEX leaf_i ON s.leaf (a)",
                &[2],
            ),
            entry(
                6,
                "FK CONSTRAINT",
                "t f",
                "ALTER ... FOREIGN KEY (a) REFERENCES s.top(a)",
                &[1],
            ),
            entry(7, "INDEX ATTACH", "leaf_i", "ALTER INDEX ...", &[4, 5]),
            entry(8, "INDEX ATTACH", "other_i", "ALTER INDEX ...", &[5, 4, 7]),
        ];
        let makings = chosen(&entries);
        let by_id = |id| makings.iter().find(|making| making.dump_id == id).unwrap();
        assert_eq!(by_id(8).needs, [5, 4, 7]);
        assert!(by_id(6).alone && by_id(6).needs == [8]);
        assert!(!by_id(4).after_all_rows);
    }

    #[test]
    fn a_long_row_of_entries_that_need_one_another_is_taken_in_two_looks() {
        let mut entries = vec![entry(1, "TABLE", "t", "", &[])];
        for id in 2..100_000 {
            let sql = "ALTER INDEX ...";
            entries.push(entry(id, "INDEX ATTACH", "i", sql, &[1, id - 1]));
        }
        assert_eq!(chosen(&entries).len(), entries.len() - 1);
    }

    #[test]
    fn an_expression_waits_for_all_rows_and_a_list_of_columns_does_not() {
        assert!(!may_read_other_tables(
            "CREATE INDEX i ON s.t USING btree (a, b DESC)"
        ));
        assert!(may_read_other_tables(
            "CREATE INDEX i ON s.t USING btree (lower(a))"
        ));
        assert!(may_read_other_tables(
            "CREATE INDEX i ON s.t USING btree (a) WHERE b"
        ));
        let key = "ALTER TABLE ONLY s.t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES s.u(b)";
        assert!(!may_read_other_tables(key));
    }
}
