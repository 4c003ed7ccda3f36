//! What a restore will do: computed from one manifest, shown by preview, executed as shown.

use std::collections::BTreeMap;

use crate::backup::ArchiveName;
use crate::manifest::{ArchiveFacts, Manifest, TableData, TableEntry};
use crate::table::TableName;

/// A restore, decided and not yet done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestorePlan {
    /// The restore point.
    pub manifest: Manifest,
    /// Tables to load, largest first.
    pub loads: Vec<TableLoad>,
    /// Archives it reads, in the order of the chain, with what it reads from each.
    pub sources: Vec<ArchiveShare>,
}

/// One table to be loaded once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableLoad {
    /// The table at the restore point.
    pub entry: TableEntry,
    /// Where its rows lie.
    pub data: TableData,
}

/// What a restore takes from one archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveShare {
    /// The archive.
    pub facts: ArchiveFacts,
    /// Tables taken from it.
    pub tables: usize,
    /// Stored bytes of their blocks.
    pub block_bytes: u64,
}

/// A table asked for that the restore point does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("table {0} is not in the backup")]
pub struct NoSuchTable(pub TableName);

/// Plans the restore of a whole restore point (`only` empty) or of some of its tables. Asking
/// for a partitioned table takes its leaves, named by `leaves_of`.
pub fn plan(manifest: Manifest, only: &[TableName]) -> Result<RestorePlan, NoSuchTable> {
    for name in only {
        if !manifest.tables.iter().any(|entry| &entry.name == name) {
            return Err(NoSuchTable(name.clone()));
        }
    }
    let wanted = |entry: &&TableEntry| only.is_empty() || only.contains(&entry.name);
    let mut loads: Vec<TableLoad> = manifest
        .tables
        .iter()
        .filter(wanted)
        .filter_map(|entry| {
            Some(TableLoad {
                entry: entry.clone(),
                data: entry.data.clone()?,
            })
        })
        .collect();
    loads.sort_by(|a, b| {
        (b.data.plain_bytes, &a.entry.name).cmp(&(a.data.plain_bytes, &b.entry.name))
    });
    let sources = shares(&manifest, &loads);
    Ok(RestorePlan {
        manifest,
        loads,
        sources,
    })
}

/// The archives read, the newest last: the restore point's own always, for its schema.
fn shares(manifest: &Manifest, loads: &[TableLoad]) -> Vec<ArchiveShare> {
    let mut per_archive: BTreeMap<&ArchiveName, (usize, u64)> = BTreeMap::new();
    for load in loads {
        let share = per_archive.entry(&load.data.archive).or_default();
        share.0 += 1;
        share.1 += load.data.block.length;
    }
    let needed = |facts: &&ArchiveFacts| {
        facts.name == manifest.archive
            || &facts.name == manifest.definitions_in()
            || per_archive.contains_key(&facts.name)
            || manifest.large_objects.archive.as_ref() == Some(&facts.name)
    };
    let share = |facts: &ArchiveFacts| {
        let (tables, block_bytes) = per_archive.get(&facts.name).copied().unwrap_or_default();
        ArchiveShare {
            facts: facts.clone(),
            tables,
            block_bytes,
        }
    };
    manifest.archives.iter().filter(needed).map(share).collect()
}
