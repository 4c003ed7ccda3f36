//! The order in which PostgreSQL 17 and later must be given some definitions, and pg_dump does not.
//!
//! * From 17 on a partition has the identity columns of its table. ATTACH PARTITION hands them to the partition, not to
//!   the partitions of that: attached bottom up, as pg_dump 17 and 18 do it by name, the lower levels come back without. Here
//!   a table is attached before anything is attached to it.
//! * From 18 on NOT NULL is a constraint with a name, which pg_dump leaves out where it is the usual one,
//!   `table_column_not_null`. Where another table of the schema comes first and has a constraint of that very name (a partition
//!   that was detached keeps it), the server chooses `table_column_not_null1`. Here the table whose name is left out comes
//!   first: names that are written out may be there twice.
//!
//! Seen with pg_dump 18.6. What nothing asks to be moved keeps its place.

use std::collections::{HashMap, HashSet};

use crate::entry::{Entry, Section};
use crate::text::Text;
use crate::toc::Toc;

/// More looking around than this is not done: a hostile archive could ask for any amount.
const MOST_STEPS: usize = 1 << 22;
/// The oldest server whose partitions have the identity of their table.
const PARTITIONS_HAVE_IDENTITY: u32 = 17;
/// The oldest server where NOT NULL has a name.
const NOT_NULL_HAS_A_NAME: u32 = 18;
const NAME_END: &str = "_not_null";

impl Toc {
    /// Puts definitions into the order in which the server makes of them what the source had.
    pub fn put_in_order(&mut self) {
        let Some(server) = self.header.server_major() else {
            return;
        };
        let mut wanted = Wanted::default();
        if server >= PARTITIONS_HAVE_IDENTITY {
            wanted.attach_from_the_top(&self.entries);
        }
        if server >= NOT_NULL_HAS_A_NAME {
            wanted.make_unnamed_before_named(&self.entries);
        }
        if !wanted.first.is_empty() {
            arrange(&mut self.entries, &wanted);
        }
    }
}

/// Which entries are wanted before an entry, by dump id.
#[derive(Default)]
struct Wanted {
    first: HashMap<i32, Vec<i32>>,
}

impl Wanted {
    fn add(&mut self, before: i32, entry: i32) {
        self.first.entry(entry).or_default().push(before);
    }

    fn attach_from_the_top(&mut self, entries: &[Entry]) {
        let attaching = || entries.iter().filter(|entry| entry.is("TABLE ATTACH"));
        let of_partition: HashMap<(&Option<Text>, &Text), i32> = attaching()
            .map(|entry| (name_of(entry), entry.dump_id))
            .collect();
        if of_partition.is_empty() {
            return;
        }
        let tables = entries.iter().filter(|entry| entry.is("TABLE"));
        let of_table: HashMap<i32, i32> = tables
            .filter_map(|table| Some((table.dump_id, *of_partition.get(&name_of(table))?)))
            .collect();
        for entry in attaching() {
            // It depends on both tables; what attaches the lower one is itself.
            let above = entry.dependencies.iter().filter_map(|id| of_table.get(id));
            for before in above.filter(|before| **before != entry.dump_id) {
                self.add(*before, entry.dump_id);
            }
        }
    }

    fn make_unnamed_before_named(&mut self, entries: &[Entry]) {
        let tables = || entries.iter().filter(|entry| entry.is("TABLE"));
        let mut by_name: HashMap<(&Option<Text>, &str), i32> = HashMap::new();
        for table in tables() {
            if let Some(tag) = table.tag.as_str() {
                by_name.insert((&table.namespace, tag), table.dump_id);
            }
        }
        for table in tables() {
            let defn = table.defn.as_ref().and_then(Text::as_str).unwrap_or("");
            for name in constraint_names(defn).filter(|name| name.ends_with(NAME_END)) {
                let may_be_tables = name.match_indices('_').map(|(at, _)| &name[..at]);
                let others = may_be_tables.filter_map(|tag| by_name.get(&(&table.namespace, tag)));
                for other in others.filter(|other| **other != table.dump_id) {
                    self.add(*other, table.dump_id);
                }
            }
        }
    }
}

fn name_of(entry: &Entry) -> (&Option<Text>, &Text) {
    (&entry.namespace, &entry.tag)
}

/// The names after each word CONSTRAINT. What stands in comments or quotes may be among them.
fn constraint_names(definition: &str) -> impl Iterator<Item = String> {
    let after = definition.split("CONSTRAINT ").skip(1);
    after.filter_map(|rest| match rest.strip_prefix('"') {
        Some(quoted) => unquote(quoted),
        None => rest.split([' ', '\n']).next().map(str::to_owned),
    })
}

/// The identifier that begins after an opening quote.
fn unquote(text: &str) -> Option<String> {
    let mut name = String::new();
    let mut chars = text.chars().peekable();
    while let Some(next) = chars.next() {
        match next {
            '"' if chars.peek() == Some(&'"') => name.extend(chars.next()),
            '"' => return Some(name),
            other => name.push(other),
        }
    }
    None
}

/// Moves what is wanted earlier, and what that depends on, to right before what wants it. A wish that
/// contradicts a dependency is passed over.
fn arrange(entries: &mut Vec<Entry>, wanted: &Wanted) {
    let places = entries.iter().enumerate();
    let pre_data = places.filter(|(_, entry)| entry.section == Section::PreData);
    let places: HashMap<i32, usize> = pre_data.map(|(at, entry)| (entry.dump_id, at)).collect();
    let mut order = Order {
        entries,
        places,
        wanted,
        taken: vec![false; entries.len()],
        arranged: Vec::with_capacity(entries.len()),
        steps: MOST_STEPS,
    };
    for at in 0..order.entries.len() {
        order.take(at);
    }
    let arranged = order.arranged;
    let mut old: Vec<Option<Entry>> = std::mem::take(entries).into_iter().map(Some).collect();
    entries.extend(arranged.into_iter().filter_map(|at| old[at].take()));
}

struct Order<'a> {
    entries: &'a [Entry],
    places: HashMap<i32, usize>,
    wanted: &'a Wanted,
    taken: Vec<bool>,
    arranged: Vec<usize>,
    steps: usize,
}

impl Order<'_> {
    fn take(&mut self, at: usize) {
        if self.taken[at] {
            return;
        }
        for before in self.wished(at) {
            if let Some(moved) = self.missing_for(before, at) {
                self.put(moved);
            }
        }
        self.put([at]);
    }

    fn put(&mut self, places: impl IntoIterator<Item = usize>) {
        for at in places {
            if !std::mem::replace(&mut self.taken[at], true) {
                self.arranged.push(at);
            }
        }
    }

    fn wished(&self, at: usize) -> Vec<usize> {
        let ids = self.wanted.first.get(&self.entries[at].dump_id);
        let places = ids.into_iter().flatten();
        places
            .filter_map(|id| self.places.get(id))
            .copied()
            .collect()
    }

    /// `from` and all that it needs and is not taken yet, in their order; `None` where that includes `against`.
    fn missing_for(&mut self, from: usize, against: usize) -> Option<Vec<usize>> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        // Entries with what they need still to be looked at; `true`: it has been.
        let mut open = vec![(from, false)];
        while let Some((at, is_complete)) = open.pop() {
            self.steps = self.steps.checked_sub(1)?;
            if is_complete {
                found.push(at);
                continue;
            }
            if self.taken[at] || !seen.insert(at) {
                continue;
            }
            if at == against {
                return None;
            }
            open.push((at, true));
            let needed = self.entries[at].dependencies.iter();
            let needed = needed.filter_map(|id| self.places.get(id)).copied();
            let needed: Vec<usize> = needed.chain(self.wished(at)).collect();
            open.extend(needed.into_iter().map(|at| (at, false)));
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::entry;

    fn arranged(mut entries: Vec<Entry>, wish: impl FnOnce(&mut Wanted, &[Entry])) -> Vec<i32> {
        let mut wanted = Wanted::default();
        wish(&mut wanted, &entries);
        arrange(&mut entries, &wanted);
        entries.iter().map(|entry| entry.dump_id).collect()
    }

    fn table(dump_id: i32, tag: &str, defn: &str, dependencies: &[i32]) -> Entry {
        Entry {
            defn: Some(defn.into()),
            ..entry(dump_id, "TABLE", tag, dependencies)
        }
    }

    #[test]
    fn a_table_is_attached_before_anything_is_attached_to_it() {
        let entries = vec![
            entry(1, "TABLE", "low", &[]),
            entry(2, "TABLE", "mid", &[]),
            entry(3, "TABLE", "top", &[]),
            entry(4, "TABLE", "side", &[]),
            entry(5, "TABLE ATTACH", "low", &[1, 2]),
            entry(6, "TABLE ATTACH", "side", &[4, 3]),
            entry(7, "TABLE ATTACH", "mid", &[2, 3]),
            entry(8, "TABLE ATTACH", "top", &[3, 9]),
            entry(9, "TABLE", "root", &[]),
        ];
        let order = arranged(entries, Wanted::attach_from_the_top);
        assert_eq!(order, [1, 2, 3, 4, 9, 8, 7, 5, 6]);
    }

    #[test]
    fn a_table_whose_constraint_has_no_name_comes_before_one_that_has_that_name() {
        let entries = vec![
            table(1, "kept", "a int CONSTRAINT t_6_a_not_null NOT NULL", &[]),
            table(2, "other", "a int NOT NULL", &[]),
            entry(3, "TYPE", "needed", &[]),
            table(4, "t_6", "a int NOT NULL", &[3]),
            table(
                5,
                "q",
                "CONSTRAINT \"T \"\"7\"\"_b_not_null\" NOT NULL",
                &[],
            ),
            table(6, "T \"7\"", "b int NOT NULL", &[]),
        ];
        let order = arranged(entries, Wanted::make_unnamed_before_named);
        assert_eq!(order, [3, 4, 1, 2, 6, 5]);
    }

    #[test]
    fn a_table_that_inherits_stays_behind_whatever_its_constraints_are_called() {
        let entries = vec![
            table(
                1,
                "parent",
                "a int CONSTRAINT child_a_not_null NOT NULL",
                &[],
            ),
            table(2, "child", "INHERITS (parent)", &[1]),
        ];
        let order = arranged(entries, Wanted::make_unnamed_before_named);
        assert_eq!(order, [1, 2]);
    }

    #[test]
    fn wishes_in_a_circle_lose_nothing() {
        let entries = vec![
            entry(1, "TABLE", "a", &[]),
            entry(2, "TABLE", "b", &[]),
            entry(3, "TABLE ATTACH", "a", &[1, 2]),
            entry(4, "TABLE ATTACH", "b", &[2, 1]),
        ];
        let mut order = arranged(entries, Wanted::attach_from_the_top);
        order.sort_unstable();
        assert_eq!(order, [1, 2, 3, 4]);
    }
}
