//! What a table of contents does not say of partitioned tables, and pg_restore with several jobs
//! needs to know.
//!
//! pg_restore lets a trigger or a foreign key wait for the rows of its table. A partitioned table
//! has none, but its trigger is made in every partition: with several jobs it may be there before
//! the last partition is loaded, and then fires for rows that have been through it once; a foreign
//! key may look for rows that are still to come. Here the rows of all partitions are added to what
//! such an entry depends on.
//!
//! The index of a partitioned table is marked valid by whoever attaches the last index to it, and then, if it is itself attached to
//! one, that one is looked at too; but under a lock that is given back before the commit. Attached side by side on two levels, each may
//! miss the other: the topmost index stays invalid without a word, and a foreign key to its table fails (seen with PostgreSQL 15.18 and
//! pg_restore -j, once in some thousand restores). Here each attaching waits for the one before it.
//!
//! A check that is not valid yet stands apart from its table or domain, for rows that violate it are to be loaded before it is there.
//! Which tables have a column of the domain, or inherit the check, an archive does not say: such an entry waits for the rows of
//! all tables.

use std::collections::{HashMap, HashSet};

use crate::entry::{Entry, Section};
use crate::toc::Toc;

/// Entries of a partitioned table that take effect in its partitions.
const INHERITED: [&str; 2] = ["TRIGGER", "FK CONSTRAINT"];

/// More dependencies than this are not added: a hostile archive could ask for any number.
const MOST_ADDED: usize = 1 << 22;

impl Toc {
    /// Makes triggers and foreign keys of partitioned tables wait for the rows of all partitions.
    pub fn wait_for_partitions(&mut self) {
        wait(&mut self.entries);
    }

    /// Makes indexes of partitions be attached one after another.
    pub fn attach_one_by_one(&mut self) {
        attach_one_by_one(&mut self.entries);
    }
}

fn attach_one_by_one(entries: &mut [Entry]) {
    let mut before = None;
    for entry in entries.iter_mut().filter(|entry| entry.is("INDEX ATTACH")) {
        let before = before.replace(entry.dump_id);
        let new = before.filter(|id| !entry.dependencies.contains(id));
        entry.dependencies.extend(new);
    }
}

fn wait(entries: &mut [Entry]) {
    let mut left = MOST_ADDED;
    wait_for_all_rows(entries, &mut left);
    let partitions = Partitions::of(entries);
    if partitions.children.is_empty() {
        return;
    }
    let inherited = |entry: &&mut Entry| {
        entry.section == Section::PostData && INHERITED.iter().any(|kind| entry.is(kind))
    };
    for entry in entries.iter_mut().filter(inherited) {
        let mut known: HashSet<i32> = entry.dependencies.iter().copied().collect();
        let tables = entry.dependencies.clone();
        let rows = tables
            .iter()
            .flat_map(|table| partitions.rows_below(*table));
        let new: Vec<i32> = rows.filter(|id| known.insert(*id)).take(left).collect();
        left -= new.len();
        entry.dependencies.extend(new);
    }
}

/// Of checks that are not valid yet.
fn wait_for_all_rows(entries: &mut [Entry], left: &mut usize) {
    let rows = entries.iter().filter(|entry| entry.is_table_data());
    let rows: Vec<i32> = rows.map(|entry| entry.dump_id).collect();
    let is_apart =
        |entry: &&mut Entry| entry.section == Section::PostData && entry.is("CHECK CONSTRAINT");
    for entry in entries.iter_mut().filter(is_apart) {
        let known: HashSet<i32> = entry.dependencies.iter().copied().collect();
        let new = rows.iter().copied().filter(|id| !known.contains(id));
        let new: Vec<i32> = new.take(*left).collect();
        *left -= new.len();
        entry.dependencies.extend(new);
    }
}

/// Which tables of an archive are partitions of which, by their dump ids.
pub struct Partitions {
    children: HashMap<i32, Vec<i32>>,
    attached: HashSet<i32>,
    /// The entry with a table's rows.
    rows: HashMap<i32, i32>,
}

impl Partitions {
    /// Those that the entries attach to one another.
    pub fn of(entries: &[Entry]) -> Self {
        let attaching = entries.iter().filter(|entry| entry.is("TABLE ATTACH"));
        let attaching: Vec<&Entry> = attaching.collect();
        let named: HashSet<i32> = attaching
            .iter()
            .flat_map(|entry| entry.dependencies.iter().copied())
            .collect();
        let tables: HashMap<i32, &Entry> = entries
            .iter()
            .filter(|entry| named.contains(&entry.dump_id))
            .map(|entry| (entry.dump_id, entry))
            .collect();
        let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
        for entry in attaching {
            // It depends on both tables, and has the name of the partition.
            let is_partition = |id: &i32| {
                let table = tables.get(id);
                table.is_some_and(|t| t.tag == entry.tag && t.namespace == entry.namespace)
            };
            let (partition, parent): (Vec<i32>, Vec<i32>) =
                entry.dependencies.iter().partition(|id| is_partition(id));
            for parent in parent {
                children.entry(parent).or_default().extend(&partition);
            }
        }
        let rows = entries.iter().filter(|entry| entry.is_table_data());
        let rows = rows.flat_map(|entry| entry.dependencies.iter().map(|id| (*id, entry.dump_id)));
        Self {
            attached: children.values().flatten().copied().collect(),
            children,
            rows: rows.collect(),
        }
    }

    /// Whether it has partitions, or is one.
    pub fn involve(&self, table: i32) -> bool {
        self.children.contains_key(&table) || self.attached.contains(&table)
    }

    /// The entries of rows of everything below a table.
    fn rows_below(&self, table: i32) -> Vec<i32> {
        let mut found = Vec::new();
        let mut seen = HashSet::from([table]);
        let mut open = vec![table];
        while let Some(table) = open.pop() {
            for child in self.children.get(&table).into_iter().flatten() {
                if seen.insert(*child) {
                    found.extend(self.rows.get(child));
                    open.push(*child);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::entry;

    #[test]
    fn a_trigger_and_a_foreign_key_of_a_partitioned_table_wait_for_the_rows_of_all_levels() {
        let mut entries = [
            entry(1, "TABLE", "top", &[]),
            entry(2, "TABLE", "mid", &[]),
            entry(3, "TABLE", "low", &[]),
            entry(4, "TABLE", "other", &[]),
            entry(5, "TABLE ATTACH", "mid", &[1, 2]),
            entry(6, "TABLE ATTACH", "low", &[3, 2]),
            entry(7, "TABLE DATA", "low", &[3]),
            entry(8, "TABLE DATA", "other", &[4]),
            entry(9, "TRIGGER", "top t", &[1]),
            entry(10, "FK CONSTRAINT", "other f", &[4, 1, 7]),
            entry(11, "TRIGGER", "other t", &[4]),
            entry(12, "INDEX", "i", &[1]),
        ];
        wait(&mut entries);
        let of = |id: i32| {
            let entry = entries.iter().find(|entry| entry.dump_id == id);
            entry.map(|entry| entry.dependencies.as_slice())
        };
        assert_eq!(of(9), Some([1, 7].as_slice()));
        assert_eq!(of(10), Some([4, 1, 7].as_slice()));
        assert_eq!(
            (of(11), of(12)),
            (Some([4].as_slice()), Some([1].as_slice()))
        );
    }

    #[test]
    fn indexes_of_partitions_are_attached_one_after_another() {
        let mut entries = [
            entry(1, "INDEX", "top_i", &[]),
            entry(2, "INDEX ATTACH", "mid_i", &[1]),
            entry(4, "INDEX ATTACH", "low_i", &[1, 2]),
            entry(5, "INDEX", "other_i", &[]),
            entry(6, "INDEX ATTACH", "side_i", &[1]),
        ];
        attach_one_by_one(&mut entries);
        let twice = entries.clone();
        attach_one_by_one(&mut entries);
        assert_eq!(entries, twice);
        let found = entries.map(|entry| entry.dependencies);
        assert_eq!(found, [vec![], vec![1], vec![1, 2], vec![], vec![1, 4]]);
    }

    #[test]
    fn a_check_that_is_not_valid_yet_waits_for_all_rows() {
        let mut entries = [
            entry(1, "DOMAIN", "d", &[]),
            entry(2, "TABLE", "t", &[1]),
            entry(3, "TABLE DATA", "t", &[2]),
            entry(4, "TABLE DATA", "u", &[7]),
            entry(5, "CHECK CONSTRAINT", "d c", &[1, 3]),
        ];
        wait(&mut entries);
        assert_eq!(entries[4].dependencies, [1, 3, 4]);
    }

    #[test]
    fn tables_that_are_partitions_of_one_another_have_an_end() {
        let mut entries = [
            entry(1, "TABLE", "a", &[]),
            entry(2, "TABLE", "b", &[]),
            entry(3, "TABLE ATTACH", "a", &[1, 2]),
            entry(4, "TABLE ATTACH", "b", &[2, 1]),
            entry(5, "TRIGGER", "a t", &[1]),
        ];
        wait(&mut entries);
        assert_eq!(entries[4].dependencies, [1]);
    }
}
