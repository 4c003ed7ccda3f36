//! One table of contents from those of several pg_dumps on the same snapshot.
//!
//! The first one has all definitions. From the others come the entries of data, under new dump
//! ids; what they depend on is found again by kind and name, or was taken along.

use std::collections::{HashMap, HashSet};

use respaldo_archive::{Entry, Offset, Section, Text, Toc};
use respaldo_domain::table::Oid;
use respaldo_engine::ports::{DumpRequest, Fault, FaultKind};

use super::catalog::Relations;
use super::faults;
use super::run::Run;

/// A table of contents, and for each run the entries its blocks belong to.
pub(crate) struct Joined {
    pub(crate) toc: Toc,
    /// Of each run: dump id there to dump id in the joined archive.
    pub(super) ids: Vec<HashMap<i32, i32>>,
}

type Key = (Text, Option<Text>, Text);

impl Joined {
    /// Joins what the runs announce and checks that it is the data that was asked for.
    pub(super) fn of(
        runs: &mut [Run<'_>],
        request: &DumpRequest,
        relations: &Relations,
    ) -> Result<Self, Fault> {
        let mut tocs = runs.iter_mut().map(|run| run.reader.take_toc());
        let Some(first) = tocs.next() else {
            return Err(Fault::bare(FaultKind::Internal, "no pg_dump was run"));
        };
        let others: Vec<Toc> = tocs.collect();
        let joined = if others.is_empty() {
            Self::alone(first)
        } else {
            let ids = vec![ids_of(&first)];
            let mut merge = Merge::starting_with(first, ids)?;
            others.iter().try_for_each(|toc| merge.take(toc))?;
            merge.finish()
        };
        joined.check(request, relations)?;
        Ok(joined)
    }

    /// Joins definitions that no run announces with the data that the runs do.
    pub(super) fn with(
        definitions: Toc,
        runs: &mut [Run<'_>],
        request: &DumpRequest,
        relations: &Relations,
    ) -> Result<Self, Fault> {
        let mut merge = Merge::starting_with(definitions, Vec::new())?;
        for run in runs {
            merge.take(&run.reader.take_toc())?;
        }
        let joined = merge.finish();
        joined.check(request, relations)?;
        Ok(joined)
    }

    /// What a single archive of another origin announces, checked in the same way.
    pub(crate) fn foreign(
        toc: Toc,
        request: &DumpRequest,
        relations: &Relations,
    ) -> Result<Self, Fault> {
        let joined = Self::alone(toc);
        joined.check(request, relations)?;
        Ok(joined)
    }

    fn alone(toc: Toc) -> Self {
        let ids = ids_of(&toc);
        Self {
            toc,
            ids: vec![ids],
        }
    }

    /// Every table in scope has its entry, and no other table but extensions' has one.
    fn check(&self, request: &DumpRequest, relations: &Relations) -> Result<(), Fault> {
        let dumped: HashSet<Oid> = self.toc.table_data().map(|entry| Oid(entry.oid)).collect();
        if let Some(table) = request
            .tables
            .iter()
            .find(|table| !dumped.contains(&table.oid))
        {
            let what = format!("pg_dump has no rows of table {}", table.name);
            return Err(Fault::bare(FaultKind::Internal, what));
        }
        if let Some((_, name)) = relations
            .excluded
            .iter()
            .find(|(oid, _)| dumped.contains(oid))
        {
            let what = format!("pg_dump did not leave out the rows of table {name}");
            return Err(Fault::bare(FaultKind::Internal, what));
        }
        Ok(())
    }
}

struct Merge {
    toc: Toc,
    known: HashMap<Key, i32>,
    data: Vec<Entry>,
    refreshes: Vec<Entry>,
    ids: Vec<HashMap<i32, i32>>,
    next_id: i32,
}

impl Merge {
    fn starting_with(first: Toc, ids: Vec<HashMap<i32, i32>>) -> Result<Self, Fault> {
        Ok(Self {
            known: first
                .entries
                .iter()
                .map(|entry| (key(entry), entry.dump_id))
                .collect(),
            data: Vec::new(),
            refreshes: Vec::new(),
            ids,
            next_id: first.next_dump_id().map_err(faults::of_archive)?,
            toc: first,
        })
    }

    fn take(&mut self, toc: &Toc) -> Result<(), Fault> {
        let new = |entry: &&Entry| is_data(entry) && !self.known.contains_key(&key(entry));
        let new: Vec<&Entry> = toc.entries.iter().filter(new).collect();
        let mut ids = HashMap::new();
        for entry in &new {
            ids.insert(entry.dump_id, self.next_id);
            self.known.insert(key(entry), self.next_id);
            self.next_id = next_id(self.next_id)?;
        }
        let here: HashMap<i32, i32> = toc
            .entries
            .iter()
            .filter_map(|entry| Some((entry.dump_id, *self.known.get(&key(entry))?)))
            .collect();
        for entry in new {
            let dependencies = entry
                .dependencies
                .iter()
                .filter_map(|id| here.get(id).copied());
            let dependencies = dependencies.collect();
            let moved = Entry {
                dump_id: ids[&entry.dump_id],
                dependencies,
                ..entry.clone()
            };
            let kept = if is_refresh(entry) {
                &mut self.refreshes
            } else {
                &mut self.data
            };
            kept.push(moved);
        }
        self.ids.push(ids);
        Ok(())
    }

    /// Rows and sequence values before the first index, rows before sequence values that are there;
    /// refreshes last, they read everything.
    fn finish(self) -> Joined {
        let mut toc = self.toc;
        let comes_after =
            |entry: &Entry| entry.section == Section::PostData || entry.is("SEQUENCE SET");
        let place = toc
            .entries
            .iter()
            .position(comes_after)
            .unwrap_or(toc.entries.len());
        toc.entries.splice(place..place, self.data);
        toc.entries.extend(self.refreshes);
        Joined { toc, ids: self.ids }
    }
}

/// Ids that stay what they are.
fn ids_of(toc: &Toc) -> HashMap<i32, i32> {
    let entries = toc.entries.iter();
    entries
        .map(|entry| (entry.dump_id, entry.dump_id))
        .collect()
}

fn key(entry: &Entry) -> Key {
    (
        entry.desc.clone(),
        entry.namespace.clone(),
        entry.tag.clone(),
    )
}

fn is_refresh(entry: &Entry) -> bool {
    entry.is("MATERIALIZED VIEW DATA")
}

fn is_data(entry: &Entry) -> bool {
    let has_rows = entry.is_table_data() && entry.offset != Offset::NoData;
    has_rows || entry.is("SEQUENCE SET") || is_refresh(entry)
}

/// Ours among those of their kind, all by schema and name, as pg_dump orders them.
pub(crate) fn among(
    there: Vec<Entry>,
    ours: Vec<Entry>,
    is_of_kind: impl Fn(&Entry) -> bool,
) -> Vec<Entry> {
    let before = |a: &Entry, b: &Entry| (&a.namespace, &a.tag) < (&b.namespace, &b.tag);
    let mut ours = ours.into_iter().peekable();
    let mut merged = Vec::new();
    for entry in there {
        if is_of_kind(&entry) {
            while let Some(ours) = ours.next_if(|ours| before(ours, &entry)) {
                merged.push(ours);
            }
        }
        merged.push(entry);
    }
    merged.extend(ours);
    merged
}

/// The dump id after this one.
pub(crate) fn next_id(id: i32) -> Result<i32, Fault> {
    id.checked_add(1)
        .ok_or_else(|| Fault::bare(FaultKind::Internal, "dump ids are used up"))
}
