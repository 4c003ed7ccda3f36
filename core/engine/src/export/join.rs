//! Which block of which archive makes up a restore point, under one table of contents.

use std::collections::HashMap;

use respaldo_archive::{Entry, Offset, Splice, Toc};
use respaldo_domain::backup::ArchiveName;
use respaldo_domain::manifest::{Manifest, TableData, TableEntry};

use super::ExportError;
use super::names::renamed;
use super::source::Source;
use crate::faults::step;
use crate::parts::Parts;
use crate::ports::{Context, Fault, FaultKind, ObjectReader};
use crate::rest;

/// The joined table of contents and, by dump id, where each block lies.
pub(crate) struct Joined {
    pub(crate) toc: Toc,
    pub(crate) sources: HashMap<i32, Source>,
}

/// Begins with the archive of the definitions and takes in from the others what lies there.
pub(super) fn join(
    parts: &Parts,
    manifest: &Manifest,
    cx: &Context,
) -> Result<Joined, ExportError> {
    check_rests(parts, manifest, cx)?;
    let home = manifest.definitions_in();
    let mut toc = read_toc(parts, home, cx)?;
    let mut sources = large_objects(parts, home, &toc, cx)?;
    let kept: HashMap<i32, (&TableEntry, &TableData)> = rows_in(manifest, home)
        .map(|(table, data)| (data.block.dump_id, (table, data)))
        .collect();
    toc.retain(|entry| match entry.is_table_data() {
        true => kept.contains_key(&entry.dump_id),
        false => !entry.is_of_large_objects() || !large_objects_lie_elsewhere(manifest),
    });
    sources.retain(|dump_id, _| toc.entry(*dump_id).is_some());
    for (dump_id, (table, data)) in kept {
        sources.insert(dump_id, Source::of_table(data, &table.name));
    }
    let mut splice = Splice::new(toc).map_err(ExportError::Splice)?;
    for facts in manifest.archives.iter().filter(|facts| &facts.name != home) {
        step("export.archive").map_err(ExportError::Backup)?;
        take_from(parts, manifest, &facts.name, &mut splice, &mut sources, cx)?;
    }
    let toc = splice.finish();
    Ok(Joined { toc, sources })
}

/// The tables whose rows as of the restore point lie in an archive.
pub(crate) fn rows_in<'m>(
    manifest: &'m Manifest,
    archive: &'m ArchiveName,
) -> impl Iterator<Item = (&'m TableEntry, &'m TableData)> {
    let tables = manifest.tables.iter();
    tables.filter_map(move |table| {
        let data = table.data.as_ref()?;
        (&data.archive == archive).then_some((table, data))
    })
}

/// The archive of the definitions may have large objects of its own which are not the newest.
pub(crate) fn large_objects_lie_elsewhere(manifest: &Manifest) -> bool {
    let archive = manifest.large_objects.archive.as_ref();
    archive.is_some_and(|archive| archive != manifest.definitions_in())
}

/// Rows and large objects of the restore point that lie in another archive.
fn take_from(
    parts: &Parts,
    manifest: &Manifest,
    archive: &ArchiveName,
    splice: &mut Splice,
    sources: &mut HashMap<i32, Source>,
    cx: &Context,
) -> Result<(), ExportError> {
    let foreign = read_toc(parts, archive, cx)?;
    splice
        .check_compression(foreign.header.compression)
        .and_then(|()| splice.raise_to(foreign.header.version))
        .map_err(ExportError::Splice)?;
    for (table, data, entry) in entries_of(manifest, archive, &foreign)? {
        let now = renamed(entry, table);
        let dump_id = splice
            .add(now.as_ref().unwrap_or(entry))
            .map_err(ExportError::Splice)?;
        sources.insert(dump_id, Source::of_table(data, &table.name));
    }
    if manifest.large_objects.archive.as_ref() == Some(archive) {
        let ids = splice
            .add_large_objects(&foreign)
            .map_err(ExportError::Splice)?;
        for (old, source) in large_objects(parts, archive, &foreign, cx)? {
            if let Some(new) = ids.get(&old) {
                sources.insert(*new, source);
            }
        }
    }
    Ok(())
}

/// A table of the restore point, its rows, and their entry in an archive.
pub(crate) type Found<'m, 't> = (&'m TableEntry, &'m TableData, &'t Entry);

/// The tables whose rows lie in an archive with their entries there, in the archive's order.
pub(crate) fn entries_of<'m, 't>(
    manifest: &'m Manifest,
    archive: &'m ArchiveName,
    toc: &'t Toc,
) -> Result<Vec<Found<'m, 't>>, ExportError> {
    let mut wanted: HashMap<i32, _> = rows_in(manifest, archive)
        .map(|(table, data)| (data.block.dump_id, (table, data)))
        .collect();
    let take = |entry| -> Option<Found<'m, 't>> {
        let entry: &Entry = entry;
        let (table, data) = wanted.remove(&entry.dump_id)?;
        Some((table, data, entry))
    };
    let found = toc.table_data().filter_map(take).collect();
    match wanted.into_values().next() {
        None => Ok(found),
        Some((table, _)) => {
            let what = format!("{archive} has no entry for table {}", table.name);
            Err(ExportError::Backup(Fault::bare(FaultKind::Corrupt, what)))
        }
    }
}

/// Blocks of large objects. The manifest does not say their length, but blocks lie one after the
/// other, so each ends where the next begins.
fn large_objects(
    parts: &Parts,
    archive: &ArchiveName,
    toc: &Toc,
    cx: &Context,
) -> Result<HashMap<i32, Source>, ExportError> {
    let inside = parts.store.inside();
    let size = inside
        .head(&archive.key(), cx)
        .map_err(ExportError::Backup)?
        .size_bytes;
    let start = |entry: &Entry| match entry.offset {
        Offset::At(at) => Some(at),
        Offset::NotSet | Offset::NoData => None,
    };
    let mut starts: Vec<u64> = toc.entries.iter().filter_map(start).collect();
    starts.sort_unstable();
    let source = |entry: &Entry| {
        let offset = start(entry).filter(|_| !entry.is_table_data())?;
        let next = starts.partition_point(|at| *at <= offset);
        let end = starts.get(next).copied().unwrap_or(size);
        let source = Source {
            archive: archive.clone(),
            offset,
            length: end.saturating_sub(offset),
            sha256: None,
            table: None,
        };
        Some((entry.dump_id, source))
    };
    Ok(toc.entries.iter().filter_map(source).collect())
}

/// Definitions and large objects have no block that would be checked as it passes.
fn check_rests(parts: &Parts, manifest: &Manifest, cx: &Context) -> Result<(), ExportError> {
    let large_objects = manifest.large_objects.archive.as_ref();
    let needed = [Some(manifest.definitions_in()), large_objects];
    let mut archives = manifest.archives.iter();
    archives
        .try_for_each(|facts| match &facts.rest {
            None if !needed.contains(&Some(&facts.name)) => Ok(()),
            _ => rest::check(&parts.store.inside(), facts, cx),
        })
        .map_err(ExportError::Backup)
}

/// The table of contents of a stored archive.
pub(crate) fn read_toc(
    parts: &Parts,
    archive: &ArchiveName,
    cx: &Context,
) -> Result<Toc, ExportError> {
    let key = archive.key();
    let mut stream = parts
        .store
        .open_inside(&key, None, cx)
        .map_err(ExportError::Backup)?;
    let (toc, _) = Toc::read(&mut stream)
        .map_err(|e| ExportError::Backup(Fault::new(FaultKind::Corrupt, key.to_string(), e)))?;
    Ok(toc)
}
