//! How many backups there are and how much they take, per kind.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset};
use respaldo_domain::backup::BackupKind;
use serde::Serialize;

use super::common::{gigabytes, megabytes};
use crate::labels::Label;

/// A completed backup as the sums see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupShare {
    /// Its kind.
    pub kind: BackupKind,
    /// Stored size.
    pub bytes: u64,
    /// Its start.
    pub at: DateTime<FixedOffset>,
}

/// Completed backups of one kind, as somebody else added them up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindShare {
    /// Their kind.
    pub kind: BackupKind,
    /// How many.
    pub count: usize,
    /// Stored size.
    pub bytes: u64,
    /// Start of the oldest.
    pub first: DateTime<FixedOffset>,
    /// Start of the newest.
    pub last: DateTime<FixedOffset>,
}

/// `estadisticas`: per kind, and `_total`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatsRecord {
    /// Kinds that occur.
    #[serde(flatten)]
    pub por_tipo: BTreeMap<&'static str, KindStatsRecord>,
    /// All of them.
    #[serde(rename = "_total")]
    pub total: TotalStatsRecord,
}

/// Backups of one kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindStatsRecord {
    /// How many.
    pub cantidad: usize,
    /// Stored size.
    pub tamano_bytes: u64,
    /// The same in megabytes.
    pub tamano_mb: f64,
    /// The oldest.
    pub primero: DateTime<FixedOffset>,
    /// The newest.
    pub ultimo: DateTime<FixedOffset>,
}

/// All backups.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TotalStatsRecord {
    /// How many.
    pub cantidad: usize,
    /// Stored size.
    pub tamano_bytes: u64,
    /// The same in megabytes.
    pub tamano_mb: f64,
    /// The same in gigabytes.
    pub tamano_gb: f64,
}

/// `espacio_uso`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpaceRecord {
    /// Kinds that occur.
    pub por_tipo: BTreeMap<&'static str, KindSpaceRecord>,
    /// All of them.
    pub total: TotalSpaceRecord,
}

/// Space of one kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindSpaceRecord {
    /// Bytes.
    pub bytes: u64,
    /// Megabytes.
    pub mb: f64,
    /// Gigabytes.
    pub gb: f64,
    /// How many backups.
    pub cantidad: usize,
}

/// Space of all.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TotalSpaceRecord {
    /// Bytes.
    pub bytes: u64,
    /// Megabytes.
    pub mb: f64,
    /// Gigabytes.
    pub gb: f64,
}

impl StatsRecord {
    /// The sums over completed backups.
    pub fn of(backups: &[BackupShare]) -> Self {
        let bytes = backups.iter().map(|backup| backup.bytes).sum();
        let kinds = BackupKind::ALL.iter().filter_map(|kind| {
            let of_kind: Vec<_> = backups
                .iter()
                .filter(|backup| backup.kind == *kind)
                .collect();
            Some((kind.label(), KindStatsRecord::of(&of_kind)?))
        });
        Self {
            por_tipo: kinds.collect(),
            total: TotalStatsRecord {
                cantidad: backups.len(),
                tamano_bytes: bytes,
                tamano_mb: megabytes(bytes),
                tamano_gb: gigabytes(bytes),
            },
        }
    }
}

impl StatsRecord {
    /// The sums over sums; there may be several of one kind.
    pub fn of_kinds(shares: &[KindShare]) -> Self {
        let bytes = shares.iter().map(|share| share.bytes).sum();
        let kinds = BackupKind::ALL.iter().filter_map(|kind| {
            let of_kind = || shares.iter().filter(|share| share.kind == *kind);
            let bytes = of_kind().map(|share| share.bytes).sum();
            let stats = KindStatsRecord {
                cantidad: of_kind().map(|share| share.count).sum(),
                tamano_bytes: bytes,
                tamano_mb: megabytes(bytes),
                primero: of_kind().map(|share| share.first).min()?,
                ultimo: of_kind().map(|share| share.last).max()?,
            };
            Some((kind.label(), stats))
        });
        Self {
            por_tipo: kinds.collect(),
            total: TotalStatsRecord {
                cantidad: shares.iter().map(|share| share.count).sum(),
                tamano_bytes: bytes,
                tamano_mb: megabytes(bytes),
                tamano_gb: gigabytes(bytes),
            },
        }
    }
}

impl KindStatsRecord {
    /// `None` where there are none.
    fn of(backups: &[&BackupShare]) -> Option<Self> {
        let bytes = backups.iter().map(|backup| backup.bytes).sum();
        Some(Self {
            cantidad: backups.len(),
            tamano_bytes: bytes,
            tamano_mb: megabytes(bytes),
            primero: backups.iter().map(|backup| backup.at).min()?,
            ultimo: backups.iter().map(|backup| backup.at).max()?,
        })
    }
}

impl From<&StatsRecord> for SpaceRecord {
    fn from(stats: &StatsRecord) -> Self {
        let space = |stats: &KindStatsRecord| KindSpaceRecord {
            bytes: stats.tamano_bytes,
            mb: stats.tamano_mb,
            gb: gigabytes(stats.tamano_bytes),
            cantidad: stats.cantidad,
        };
        let total = &stats.total;
        Self {
            por_tipo: stats
                .por_tipo
                .iter()
                .map(|(kind, stats)| (*kind, space(stats)))
                .collect(),
            total: TotalSpaceRecord {
                bytes: total.tamano_bytes,
                mb: total.tamano_mb,
                gb: total.tamano_gb,
            },
        }
    }
}
