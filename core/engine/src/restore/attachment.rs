//! Which entries must wait until indexes of partitions are attached.

use std::collections::HashSet;

use respaldo_archive::{Entry, Section};

/// Dump ids of the entries after the rows: indexes and keys, attachments, the rest, each in the
/// archive's order. `None` where not two attachments could meet.
pub(super) fn in_stages(entries: &[Entry]) -> Option<[Vec<i32>; 3]> {
    let after_rows: Vec<&Entry> = entries
        .iter()
        .filter(|entry| entry.section == Section::PostData)
        .collect();
    if after_rows
        .iter()
        .filter(|entry| is_attachment(entry))
        .count()
        < 2
    {
        return None;
    }
    let mut later: HashSet<i32> = after_rows.iter().map(|entry| entry.dump_id).collect();
    let (mut indexes, mut attached, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    for entry in after_rows {
        // What needs something of the rest, an index of a late view for example, is of the rest.
        let waits = entry.dependencies.iter().any(|id| later.contains(id));
        if !waits && (entry.is("INDEX") || entry.is("CONSTRAINT")) {
            later.remove(&entry.dump_id);
            indexes.push(entry.dump_id);
        } else if !waits && is_attachment(entry) {
            attached.push(entry.dump_id);
        } else {
            rest.push(entry.dump_id);
        }
    }
    Some([indexes, attached, rest])
}

fn is_attachment(entry: &Entry) -> bool {
    entry.is("INDEX ATTACH")
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

    #[test]
    fn attachments_come_between_the_indexes_they_need_and_everything_else() {
        let entries = [
            entry(1, "TABLE", &[]),
            entry(2, "INDEX", &[1]),
            entry(3, "CONSTRAINT", &[1]),
            entry(4, "MATERIALIZED VIEW", &[3]),
            entry(5, "INDEX", &[4]),
            entry(6, "INDEX ATTACH", &[2, 3]),
            entry(7, "INDEX ATTACH", &[3, 2]),
            entry(8, "FK CONSTRAINT", &[3, 1]),
            entry(9, "INDEX ATTACH", &[5]),
        ];
        let [indexes, attached, rest] = in_stages(&entries).unwrap();
        assert_eq!(indexes, [2, 3]);
        assert_eq!(attached, [6, 7]);
        assert_eq!(rest, [4, 5, 8, 9]);
    }

    #[test]
    fn where_no_two_are_attached_there_is_one_stage() {
        let entries = [
            entry(1, "TABLE", &[]),
            entry(2, "INDEX", &[1]),
            entry(3, "INDEX ATTACH", &[2]),
        ];
        assert_eq!(in_stages(&entries), None);
    }
}
