//! What a kit takes from which archive.

use std::collections::HashMap;
use std::fmt::Write;

use respaldo_archive::{ArchiveError, Entry, Offset, Toc};
use respaldo_domain::backup::ArchiveName;
use respaldo_domain::manifest::Manifest;

use super::archive_path;
use crate::export::ExportError;
use crate::export::join::{entries_of, large_objects_lie_elsewhere, read_toc};
use crate::export::names::renamed;
use crate::export::source::Source;
use crate::parts::Parts;
use crate::ports::Context;

/// The archive of renamed tables' rows.
pub(super) const RENAMED: &str = "archives/renamed_tables.dump";
/// The list of definitions.
pub(super) const DEFINITIONS: &str = "lists/definitions.list";
const LARGE_OBJECTS: &str = "lists/large_objects.list";

/// A kit, decided.
pub(super) struct Plan {
    /// Archives it holds.
    pub(super) archives: Vec<ArchiveName>,
    /// Lists for pg_restore, by file name.
    pub(super) lists: Vec<(String, String)>,
    /// What is loaded besides the archive of the definitions: list and archive.
    pub(super) loads: Vec<(String, String)>,
    /// Rows of tables renamed since.
    pub(super) renamed: Renamed,
    /// Whether several sessions may make the definitions that follow the rows: whether the stored
    /// archive names all that they wait for.
    pub(super) rest_in_parallel: bool,
}

/// An archive of nothing but rows; without a table of contents where there are none.
#[derive(Default)]
pub(super) struct Renamed {
    pub(super) toc: Option<Toc>,
    pub(super) sources: HashMap<i32, Source>,
}

/// Decides where everything comes from.
pub(super) fn plan(parts: &Parts, manifest: &Manifest, cx: &Context) -> Result<Plan, ExportError> {
    let home = manifest.definitions_in();
    let stored = read_toc(parts, home, cx)?;
    let mut toc = stored.clone();
    toc.make_exact();
    let mut plan = Plan {
        archives: vec![home.clone()],
        lists: Vec::new(),
        loads: Vec::new(),
        renamed: Renamed::default(),
        rest_in_parallel: toc == stored,
    };
    let rows = plan.rows_of(manifest, home, &toc, &toc)?;
    let listed = |entry: &Entry| match entry.is_table_data() {
        true => rows.contains(&entry.dump_id),
        false => !entry.is_of_large_objects() || !large_objects_lie_elsewhere(manifest),
    };
    plan.lists
        .push((DEFINITIONS.to_owned(), list(&toc, listed)));
    for facts in manifest.archives.iter().filter(|facts| &facts.name != home) {
        let foreign = read_toc(parts, &facts.name, cx)?;
        toc.upgrade(foreign.header.version.max(toc.header.version))
            .map_err(ExportError::Splice)?;
        plan.take_from(manifest, &facts.name, &toc, &foreign)?;
    }
    Ok(plan)
}

impl Plan {
    fn take_from(
        &mut self,
        manifest: &Manifest,
        archive: &ArchiveName,
        home: &Toc,
        foreign: &Toc,
    ) -> Result<(), ExportError> {
        let rows = self.rows_of(manifest, archive, home, foreign)?;
        if !rows.is_empty() {
            let rows = list(foreign, |entry| rows.contains(&entry.dump_id));
            self.load(archive, format!("lists/{archive}.list"), rows);
        }
        if manifest.large_objects.archive.as_ref() == Some(archive) {
            let objects = list(foreign, Entry::is_of_large_objects);
            self.load(archive, LARGE_OBJECTS.to_owned(), objects);
        }
        Ok(())
    }

    fn load(&mut self, archive: &ArchiveName, name: String, list: String) {
        self.lists.push((name.clone(), list));
        self.loads.push((name, archive_path(archive)));
        if !self.archives.contains(archive) {
            self.archives.push(archive.clone());
        }
    }

    /// Dump ids of the rows that pg_restore loads from an archive itself; those of renamed tables
    /// are put aside.
    fn rows_of(
        &mut self,
        manifest: &Manifest,
        archive: &ArchiveName,
        home: &Toc,
        toc: &Toc,
    ) -> Result<Vec<i32>, ExportError> {
        let mut rows = Vec::new();
        for (table, data, entry) in entries_of(manifest, archive, toc)? {
            match renamed(entry, table) {
                None => rows.push(entry.dump_id),
                Some(now) => {
                    let source = Source::of_table(data, &table.name);
                    self.renamed.add(home, now, source)?;
                }
            }
        }
        Ok(rows)
    }
}

impl Renamed {
    /// Its beginning is that of the archive of the definitions: encoding and the like.
    fn add(&mut self, home: &Toc, entry: Entry, source: Source) -> Result<(), ExportError> {
        const FIRST: [&str; 3] = ["ENCODING", "STDSTRINGS", "SEARCHPATH"];
        let begin = || home.slice(|entry| FIRST.iter().any(|kind| entry.is(kind)));
        let toc = self.toc.get_or_insert_with(begin);
        let newest = home.header.version.max(toc.header.version);
        let ids = toc.entries.iter().map(|entry| entry.dump_id);
        let last = ids.max().unwrap_or(0);
        let dump_id = last
            .checked_add(1)
            .ok_or(ExportError::Splice(ArchiveError::NoFreeId))?;
        toc.entries.push(Entry {
            dump_id,
            dependencies: Vec::new(),
            offset: Offset::NotSet,
            ..entry
        });
        toc.upgrade(newest).map_err(ExportError::Splice)?;
        self.sources.insert(dump_id, source);
        Ok(())
    }
}

/// A list as `pg_restore --list` prints it and `--use-list` takes it; only the numbers count.
fn list(toc: &Toc, mut listed: impl FnMut(&Entry) -> bool) -> String {
    let mut text = String::new();
    for entry in toc.entries.iter().filter(|entry| listed(entry)) {
        let schema = entry.namespace.as_ref().map(ToString::to_string);
        let owner = entry.owner.as_ref().map(ToString::to_string);
        let line = format!(
            "{}; {} {} {} {} {} {}",
            entry.dump_id,
            entry.table_oid,
            entry.oid,
            entry.desc,
            schema
                .filter(|schema| !schema.is_empty())
                .as_deref()
                .unwrap_or("-"),
            entry.tag,
            owner.unwrap_or_default()
        );
        // A name may hold line breaks; what followed one would be taken for another entry.
        let _ = writeln!(text, "{}", line.replace(['\n', '\r'], " "));
    }
    text
}
