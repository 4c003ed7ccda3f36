//! The result of `preview`.

use std::collections::HashMap;

use chrono::{DateTime, FixedOffset};
use respaldo_domain::backup::{ArchiveName, BackupId};
use respaldo_domain::object::{ObjectRole, Sha256};
use respaldo_domain::report::{LiveChange, LiveDifference, PreviewBackup, PreviewReport};
use respaldo_domain::restore_plan::TableLoad;
use serde::Serialize;

use super::FindingRecord;
use super::common::megabytes;
use crate::labels::Label;
use crate::messages::Lang;

/// What a restore would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PreviewRecord {
    /// There is a restore point.
    pub existe: bool,
    /// The time asked for, else that of the restore point.
    pub fecha: Option<DateTime<FixedOffset>>,
    /// Backups it takes data from.
    pub cantidad_backups: usize,
    /// Stored size of their archives.
    pub tamano_total_bytes: u64,
    /// The same in megabytes, two decimals.
    pub tamano_total_mb: f64,
    /// Bytes of them that a restore reads.
    pub bytes_a_leer: u64,
    /// Oldest of the backups.
    pub fecha_inicial: Option<DateTime<FixedOffset>>,
    /// The restore point.
    pub fecha_final: Option<DateTime<FixedOffset>>,
    /// The backups, oldest first.
    pub backups: Vec<PreviewBackupRecord>,
    /// Per table, where its rows come from.
    pub tablas: Vec<PreviewTableRecord>,
    /// What is missing or corrupt.
    pub problemas: Vec<FindingRecord>,
    /// Comparison with the live database, where asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub en_vivo: Vec<LiveRecord>,
}

/// A backup a restore takes data from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreviewBackupRecord {
    /// Number, where the catalog knows it.
    pub id: Option<BackupId>,
    /// Its kind.
    pub tipo: String,
    /// Path or address of its archive.
    pub archivo: String,
    /// Its restore point.
    pub fecha: DateTime<FixedOffset>,
    /// Stored size of its archive.
    pub tamano: Option<u64>,
    /// Hash of its archive.
    pub checksum: Option<Sha256>,
    /// WAL position at its snapshot.
    pub lsn_inicio: Option<String>,
    /// WAL position after its dump.
    pub lsn_fin: Option<String>,
}

/// A table a restore would load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreviewTableRecord {
    /// Its name, quoted where needed.
    pub tabla: String,
    /// Number of the backup its rows come from, where the catalog knows it.
    pub backup_id: Option<BackupId>,
    /// That backup's lasting name.
    pub backup: String,
    /// Rows.
    pub filas: u64,
    /// Size of their COPY text.
    pub bytes: u64,
}

/// A table at the restore point against the live one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LiveRecord {
    /// Its name, quoted where needed.
    pub tabla: String,
    /// `identica`, `desaparecerian`, `volverian` or `distinta`.
    pub cambio: &'static str,
    /// Rows now; none where the table is absent.
    pub filas_actuales: Option<u64>,
    /// Rows at the restore point.
    pub filas_punto: Option<u64>,
}

impl PreviewRecord {
    /// The record of a report; `asked` is the time asked for.
    pub fn of(report: &PreviewReport, asked: Option<DateTime<FixedOffset>>, lang: Lang) -> Self {
        let plan = &report.plan;
        let ids: HashMap<&ArchiveName, Option<BackupId>> = report
            .backups
            .iter()
            .map(|backup| (&backup.manifest.archive, backup.id))
            .collect();
        let total = plan
            .sources
            .iter()
            .map(|source| source.facts.size_bytes)
            .sum();
        let oldest = report
            .backups
            .iter()
            .map(|backup| backup.manifest.snapshot_at)
            .min();
        Self {
            existe: true,
            fecha: Some(asked.unwrap_or(plan.manifest.snapshot_at)),
            cantidad_backups: plan.sources.len(),
            tamano_total_bytes: total,
            tamano_total_mb: megabytes(total),
            bytes_a_leer: plan.sources.iter().map(|source| source.block_bytes).sum(),
            fecha_inicial: Some(oldest.unwrap_or(plan.manifest.snapshot_at)),
            fecha_final: Some(plan.manifest.snapshot_at),
            backups: report
                .backups
                .iter()
                .map(PreviewBackupRecord::from)
                .collect(),
            tablas: plan.loads.iter().map(|load| table_of(load, &ids)).collect(),
            problemas: FindingRecord::all(&report.problems, lang),
            en_vivo: report.live.iter().map(LiveRecord::from).collect(),
        }
    }

    /// The record where there is nothing to restore from.
    ///
    /// ```
    /// use respaldo_contract::records::PreviewRecord;
    ///
    /// let json = serde_json::to_value(PreviewRecord::none(None)).unwrap();
    /// assert_eq!(json["existe"], false);
    /// assert_eq!(json["backups"], serde_json::json!([]));
    /// ```
    pub fn none(asked: Option<DateTime<FixedOffset>>) -> Self {
        Self {
            existe: false,
            fecha: asked,
            cantidad_backups: 0,
            tamano_total_bytes: 0,
            tamano_total_mb: 0.0,
            bytes_a_leer: 0,
            fecha_inicial: None,
            fecha_final: None,
            backups: Vec::new(),
            tablas: Vec::new(),
            problemas: Vec::new(),
            en_vivo: Vec::new(),
        }
    }
}

impl From<&PreviewBackup> for PreviewBackupRecord {
    fn from(backup: &PreviewBackup) -> Self {
        let manifest = &backup.manifest;
        let archive = manifest.object(ObjectRole::Archive);
        Self {
            id: backup.id,
            tipo: manifest.kind.label().to_owned(),
            archivo: backup.location.clone(),
            fecha: manifest.snapshot_at,
            tamano: archive.map(|archive| archive.size_bytes),
            checksum: archive.map(|archive| archive.sha256),
            lsn_inicio: manifest.lsn_start.clone(),
            lsn_fin: manifest.lsn_end.clone(),
        }
    }
}

fn table_of(load: &TableLoad, ids: &HashMap<&ArchiveName, Option<BackupId>>) -> PreviewTableRecord {
    PreviewTableRecord {
        tabla: load.entry.name.to_string(),
        backup_id: ids.get(&load.data.archive).copied().flatten(),
        backup: load.data.archive.to_string(),
        filas: load.data.fingerprint.rows,
        bytes: load.data.plain_bytes,
    }
}

impl From<&LiveDifference> for LiveRecord {
    fn from(difference: &LiveDifference) -> Self {
        let (cambio, filas_actuales, filas_punto) = match difference.change {
            LiveChange::Identical => ("identica", None, None),
            LiveChange::WouldVanish { rows } => ("desaparecerian", Some(rows), None),
            LiveChange::WouldReturn { rows } => ("volverian", None, Some(rows)),
            LiveChange::Differs {
                rows_now,
                rows_then,
            } => ("distinta", Some(rows_now), Some(rows_then)),
        };
        Self {
            tabla: difference.table.to_string(),
            cambio,
            filas_actuales,
            filas_punto,
        }
    }
}
