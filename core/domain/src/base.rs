//! Which backup a new one is compared with.

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};

use crate::backup::{ArchiveName, BackupKind};
use crate::manifest::{Compression, Header};
use crate::schedule::PastRun;
use crate::source::Lineage;

/// Why a full was made although a differential or incremental was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FullReason {
    /// No sealed backup to compare with.
    NoBase,
    /// The newest base is of another database or server.
    OtherLineage,
    /// The base's blocks are compressed by another algorithm.
    OtherCompression,
    /// The base's row fingerprints are of another algorithm.
    OtherFingerprint,
    /// The base was made with other exclusions.
    OtherExclusions,
    /// The base's objects are not all there.
    BaseDamaged,
    /// The base is encrypted, and this machine has neither a key nor what it kept of it.
    BaseLocked,
}

/// What base choice and the schedule look at in a sealed backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseCandidate {
    /// Its name.
    pub archive: ArchiveName,
    /// Its kind.
    pub kind: BackupKind,
    /// Its place in the repository's history.
    pub sequence: u64,
    /// Its restore point.
    pub snapshot_at: DateTime<FixedOffset>,
    /// The history it belongs to.
    pub lineage: Lineage,
    /// Compression of its own archive.
    pub compression: Compression,
    /// Fingerprint algorithm.
    pub fingerprint: String,
    /// Exclusions it was made with.
    pub excluded: Vec<String>,
    /// The run that made it.
    pub run: PastRun,
    /// The existing system made it.
    pub adopted: bool,
}

impl BaseCandidate {
    /// The candidate a manifest is.
    pub fn of(manifest: &Header) -> Self {
        let own = manifest.archive_facts(&manifest.archive);
        Self {
            archive: manifest.archive.clone(),
            kind: manifest.kind,
            sequence: manifest.sequence,
            snapshot_at: manifest.snapshot_at,
            lineage: manifest.source.lineage.clone(),
            compression: own.map_or(Compression::Gzip, |facts| facts.compression),
            fingerprint: manifest.tools.fingerprint.clone(),
            excluded: manifest.excluded.clone(),
            run: PastRun::of(manifest),
            adopted: manifest.is_adopted(),
        }
    }
}

/// What the new backup needs of its base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseNeeds {
    /// The history of the source now.
    pub lineage: Lineage,
    /// Compression the dumper will use.
    pub compression: Compression,
    /// Fingerprint algorithm in use.
    pub fingerprint: String,
    /// Exclusions in force.
    pub excluded: Vec<String>,
}

/// The outcome of base choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BaseChoice {
    /// A full: asked for (`None`), or unavoidable.
    Full(Option<FullReason>),
    /// A backup of the asked kind upon this base.
    On(ArchiveName),
}

/// Chooses the base for a backup of `kind`: the newest full for a differential, the newest
/// backup of any kind for an incremental. Only the newest is looked at: comparing with an older
/// one would silently skip what the newest saw.
pub fn choose(kind: BackupKind, candidates: &[BaseCandidate], needs: &BaseNeeds) -> BaseChoice {
    if kind == BackupKind::Full {
        return BaseChoice::Full(None);
    }
    let usable = |candidate: &&BaseCandidate| {
        kind == BackupKind::Incremental || candidate.kind == BackupKind::Full
    };
    let Some(newest) = candidates.iter().filter(usable).max_by_key(|c| c.sequence) else {
        return BaseChoice::Full(Some(FullReason::NoBase));
    };
    match mismatch(newest, needs) {
        Some(reason) => BaseChoice::Full(Some(reason)),
        None => BaseChoice::On(newest.archive.clone()),
    }
}

fn mismatch(base: &BaseCandidate, needs: &BaseNeeds) -> Option<FullReason> {
    if !base.lineage.same_database(&needs.lineage) {
        Some(FullReason::OtherLineage)
    } else if base.compression != needs.compression {
        Some(FullReason::OtherCompression)
    } else if base.fingerprint != needs.fingerprint {
        Some(FullReason::OtherFingerprint)
    } else if base.excluded != needs.excluded {
        Some(FullReason::OtherExclusions)
    } else {
        None
    }
}

/// The restore point for "as of `at`": the newest backup whose snapshot is not later.
pub fn restore_point(
    candidates: impl IntoIterator<Item = (ArchiveName, DateTime<FixedOffset>, u64)>,
    at: Option<DateTime<FixedOffset>>,
) -> Option<ArchiveName> {
    let in_time = candidates
        .into_iter()
        .filter(|(_, snapshot_at, _)| match at {
            Some(at) => *snapshot_at <= at,
            None => true,
        });
    let newest = match at {
        Some(_) => in_time.max_by_key(|(_, snapshot_at, sequence)| (*snapshot_at, *sequence)),
        None => in_time.max_by_key(|(_, snapshot_at, sequence)| (*sequence, *snapshot_at)),
    };
    newest.map(|(name, _, _)| name)
}
