//! The sealed backups of a repository, from their manifests.
//!
//! Storage is the truth; a manifest never changes once written, so what base choice needs of each
//! is kept in an index file in the working folder. The index is a cache: lost or unreadable, it
//! is made again from the manifests.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset};
use respaldo_domain::backup::{ArchiveName, BackupKind};
use respaldo_domain::base::{BaseCandidate, restore_point};
use respaldo_domain::manifest::Header;

use crate::intent::{WorkDir, write_durably};
use crate::ports::{Codec, Context, Fault};
use crate::store::Store;

/// All sealed backups, and the manifests that could not be read.
#[derive(Debug, Default)]
pub struct History {
    /// Sealed backups, in the order of the repository's history.
    pub candidates: Vec<BaseCandidate>,
    /// Names whose manifest is there and not readable, with the fault.
    pub unreadable: Vec<(ArchiveName, Fault)>,
}

impl History {
    /// Lists the manifests in storage and reads those the index does not know.
    pub fn load(
        store: &Store,
        codec: &dyn Codec,
        work: &WorkDir,
        cx: &Context,
    ) -> Result<Self, Fault> {
        let mut index = read_index(work);
        let known = index.len();
        let mut history = Self::default();
        let mut fresh = BTreeMap::new();
        for name in store.sealed(cx)? {
            match index.remove(&name) {
                Some(candidate) => {
                    fresh.insert(name, candidate);
                }
                None => match store.header(&name, codec, cx) {
                    Ok(header) => {
                        fresh.insert(name, BaseCandidate::of(&header));
                    }
                    Err(fault) if fault.kind.is_transient() => return Err(fault),
                    Err(fault) => history.unreadable.push((name, fault)),
                },
            }
        }
        if !index.is_empty() || fresh.len() != known {
            write_index(work, &fresh);
        }
        history.candidates = fresh.into_values().collect();
        history
            .candidates
            .sort_by(|a, b| (a.sequence, &a.archive).cmp(&(b.sequence, &b.archive)));
        Ok(history)
    }

    /// Adds a backup just sealed to the index, so that the next run need not read its manifest.
    pub(crate) fn remember(&self, work: &WorkDir, sealed: &Header) {
        let all = self.candidates.iter().cloned();
        let all = all.chain([BaseCandidate::of(sealed)]);
        let index = all.map(|candidate| (candidate.archive.clone(), candidate));
        write_index(work, &index.collect());
    }

    /// The restore point for a time; the newest backup for `None`.
    pub fn restore_point(&self, at: Option<DateTime<FixedOffset>>) -> Option<ArchiveName> {
        let points = self.candidates.iter().map(|candidate| {
            (
                candidate.archive.clone(),
                candidate.snapshot_at,
                candidate.sequence,
            )
        });
        restore_point(points, at)
    }

    /// The number the next backup has in the repository's history.
    pub fn next_sequence(&self) -> u64 {
        self.candidates
            .iter()
            .map(|candidate| candidate.sequence)
            .max()
            .map_or(1, |last| last + 1)
    }

    /// Those that a later backup may build on: the newest full and what came after it.
    pub(crate) fn bases(&self) -> impl Iterator<Item = &ArchiveName> {
        let is_full = |candidate: &BaseCandidate| candidate.kind == BackupKind::Full;
        let from = self.candidates.iter().rposition(is_full).unwrap_or(0);
        self.candidates[from..]
            .iter()
            .map(|candidate| &candidate.archive)
    }

    /// The newest backup.
    pub fn newest(&self) -> Option<&BaseCandidate> {
        self.candidates.last()
    }
}

/// The backups that this machine saw in storage when it looked last.
pub fn seen_last(work: &WorkDir) -> Vec<BaseCandidate> {
    read_index(work).into_values().collect()
}

/// A set's name, and the header of its manifest where that can be read.
pub type NamedHeader = (ArchiveName, Result<Header, Fault>);

/// Reads the header of every manifest there is, for what needs more than candidates.
pub fn all_headers(
    store: &Store,
    codec: &dyn Codec,
    cx: &Context,
) -> Result<Vec<NamedHeader>, Fault> {
    let names = store.sealed(cx)?;
    Ok(names
        .into_iter()
        .map(|name| {
            let header = store.header(&name, codec, cx);
            (name, header)
        })
        .collect())
}

const INDEX_FILE: &str = "index.json";

fn read_index(work: &WorkDir) -> BTreeMap<ArchiveName, BaseCandidate> {
    let text = std::fs::read(work.file(INDEX_FILE)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

fn write_index(work: &WorkDir, index: &BTreeMap<ArchiveName, BaseCandidate>) {
    let written = serde_json::to_vec(index)
        .map_err(std::io::Error::other)
        .and_then(|text| write_durably(&work.file(INDEX_FILE), &text));
    if let Err(error) = written {
        tracing::debug!(%error, "the index of manifests was not written; it will be made again");
    }
}
