//! What comes after the rows, in stages: what is long is made several at once, and what side by
//! side can go wrong one after another.
//!
//! pg_restore with several jobs follows the dependencies that the archive names, and two are not
//! named. Indexes of partitions attached side by side, a leaf's to the middle one and the middle one
//! to the top, do not see each other, and the top one is never marked valid. And a trigger may be
//! switched off on a partition before the statement that makes it has run.

use std::collections::HashSet;

use respaldo_archive::{Entry, Section};

/// Entries that one pg_restore makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stage {
    /// Their dump ids, in the archive's order.
    pub(super) ids: Vec<i32>,
    /// Several at once.
    pub(super) parallel: bool,
}

/// The entries after the rows: indexes and keys, attachments, foreign keys, everything else.
/// Stages without entries are left out.
pub(super) fn stages(entries: &[Entry]) -> Vec<Stage> {
    let after_rows = after_rows(entries);
    let after_rows = || after_rows.iter().copied();
    let mut later: HashSet<i32> = after_rows().map(|entry| entry.dump_id).collect();
    let mut take = |parallel, kinds: &[&str]| {
        let mut ids = Vec::new();
        for entry in after_rows() {
            // What needs something of a later stage, an index of a late view for example, waits.
            let waits = entry.dependencies.iter().any(|id| later.contains(id));
            let is_due = later.contains(&entry.dump_id) && kinds.iter().any(|kind| entry.is(kind));
            if is_due && !waits {
                later.remove(&entry.dump_id);
                ids.push(entry.dump_id);
            }
        }
        Stage { ids, parallel }
    };
    let mut stages = vec![
        take(true, &["INDEX", "CONSTRAINT"]),
        take(false, &["INDEX ATTACH"]),
        take(true, &["FK CONSTRAINT"]),
    ];
    let rest = after_rows().map(|entry| entry.dump_id);
    stages.push(Stage {
        ids: rest.filter(|id| later.contains(id)).collect(),
        parallel: false,
    });
    stages.retain(|stage| !stage.ids.is_empty());
    stages
}

/// Comments and grants are of no section: they go with what stands before them.
fn after_rows(entries: &[Entry]) -> Vec<&Entry> {
    let mut section = Section::PreData;
    let mut found = Vec::new();
    for entry in entries {
        if entry.section != Section::None {
            section = entry.section;
        }
        if section == Section::PostData {
            found.push(entry);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use respaldo_archive::Offset;

    use super::*;

    fn entry(dump_id: i32, desc: &str, dependencies: &[i32]) -> Entry {
        Entry {
            dump_id,
            had_dumper: false,
            table_oid: 0,
            oid: 0,
            tag: "t".into(),
            desc: desc.into(),
            section: match desc {
                "TABLE" => Section::PreData,
                "COMMENT" => Section::None,
                _ => Section::PostData,
            },
            defn: None,
            drop_stmt: None,
            copy_stmt: None,
            namespace: None,
            tablespace: None,
            table_am: None,
            relkind: None,
            owner: None,
            with_oids: None,
            dependencies: dependencies.to_vec(),
            offset: Offset::NoData,
        }
    }

    fn ids(entries: &[Entry]) -> Vec<(Vec<i32>, bool)> {
        let pair = |stage: Stage| (stage.ids, stage.parallel);
        stages(entries).into_iter().map(pair).collect()
    }

    #[test]
    fn long_work_is_shared_and_what_could_meet_is_not() {
        let entries = [
            entry(1, "TABLE", &[]),
            entry(20, "COMMENT", &[1]),
            entry(2, "INDEX", &[1]),
            entry(21, "COMMENT", &[2]),
            entry(3, "CONSTRAINT", &[1]),
            entry(4, "MATERIALIZED VIEW", &[3]),
            entry(5, "INDEX", &[4]),
            entry(10, "TRIGGER", &[1]),
            entry(6, "INDEX ATTACH", &[2, 3]),
            entry(7, "INDEX ATTACH", &[3, 2]),
            entry(8, "FK CONSTRAINT", &[3, 1]),
            entry(9, "INDEX ATTACH", &[5]),
        ];
        let expected = [
            (vec![2, 3], true),
            (vec![6, 7], false),
            (vec![8], true),
            (vec![21, 4, 5, 10, 9], false),
        ];
        assert_eq!(ids(&entries), expected);
    }

    #[test]
    fn stages_without_entries_are_left_out() {
        let entries = [entry(1, "TABLE", &[]), entry(2, "INDEX", &[1])];
        assert_eq!(ids(&entries), [(vec![2], true)]);
        assert_eq!(ids(&entries[..1]), []);
    }
}
