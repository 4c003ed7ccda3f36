//! The results of `expire` and `retention`.

use chrono::{DateTime, FixedOffset};
use respaldo_domain::backup::{ArchiveName, BackupKind};
use respaldo_domain::retention::{Fate, KeepReason, Policy};
use serde::Serialize;

use crate::labels::wire;
use crate::messages::{FateWord, Lang, Outcome};

/// What retention did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExpireRecord {
    /// Everything that was to go went.
    pub exitoso: bool,
    /// Nothing was removed: only what would be is told.
    pub simulacro: bool,
    /// A sentence about it.
    pub mensaje: String,
    /// What goes or went, newest first.
    pub eliminados: Vec<ExpiredRecord>,
    /// What stays and why, newest first.
    pub conservados: Vec<KeptRecord>,
    /// Stored bytes that are given back.
    pub bytes_liberados: u64,
    /// What was to go and could not be removed everywhere.
    pub pendientes: Vec<String>,
}

/// A backup that goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExpiredRecord {
    /// Lasting name.
    pub archivo: ArchiveName,
    /// Its kind.
    #[serde(serialize_with = "wire::serialize")]
    pub tipo: BackupKind,
    /// Its restore point.
    pub instantanea: DateTime<FixedOffset>,
    /// Since when it need not be kept.
    pub vencido_desde: DateTime<FixedOffset>,
    /// Stored bytes.
    pub tamano: u64,
}

/// A backup that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptRecord {
    /// Lasting name.
    pub archivo: ArchiveName,
    /// Its kind.
    #[serde(serialize_with = "wire::serialize")]
    pub tipo: BackupKind,
    /// Its restore point.
    pub instantanea: DateTime<FixedOffset>,
    /// Why it stays.
    #[serde(serialize_with = "wire::serialize")]
    pub motivo: FateWord,
    /// The backup that needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub necesario_para: Option<ArchiveName>,
}

/// A backup as it is ruled upon.
#[derive(Debug, Clone)]
pub struct RuledBackup {
    /// Lasting name.
    pub archive: ArchiveName,
    /// Its kind.
    pub kind: BackupKind,
    /// Its restore point.
    pub snapshot_at: DateTime<FixedOffset>,
    /// Stored bytes.
    pub bytes: u64,
    /// What becomes of it.
    pub fate: Fate,
}

impl ExpireRecord {
    /// What would be done.
    pub fn rehearsed(ruled: &[RuledBackup], lang: Lang) -> Self {
        let mut record = Self::ruled(ruled, true);
        record.bytes_liberados = record.eliminados.iter().map(|gone| gone.tamano).sum();
        record.mensaje = Outcome::WouldExpire {
            removed: &record.eliminados.len(),
            kept: &record.conservados.len(),
        }
        .text(lang);
        record
    }

    /// What was done; `failed` are backups that could not be removed, each with the reason.
    pub fn done(
        ruled: &[RuledBackup],
        removed: &[ArchiveName],
        freed_bytes: u64,
        failed: Vec<String>,
        lang: Lang,
    ) -> Self {
        let mut record = Self::ruled(ruled, false);
        record
            .eliminados
            .retain(|gone| removed.contains(&gone.archivo));
        record.bytes_liberados = freed_bytes;
        record.exitoso = failed.is_empty();
        record.pendientes = failed;
        record.mensaje = Outcome::Expired {
            removed: &record.eliminados.len(),
            kept: &(ruled.len() - record.eliminados.len()),
        }
        .text(lang);
        record
    }

    fn ruled(ruled: &[RuledBackup], rehearsal: bool) -> Self {
        let mut record = Self {
            exitoso: true,
            simulacro: rehearsal,
            mensaje: String::new(),
            eliminados: Vec::new(),
            conservados: Vec::new(),
            bytes_liberados: 0,
            pendientes: Vec::new(),
        };
        for backup in ruled {
            match &backup.fate {
                Fate::Expire(since) => record.eliminados.push(ExpiredRecord {
                    archivo: backup.archive.clone(),
                    tipo: backup.kind,
                    instantanea: backup.snapshot_at,
                    vencido_desde: *since,
                    tamano: backup.bytes,
                }),
                Fate::Keep(reason) => record.conservados.push(KeptRecord {
                    archivo: backup.archive.clone(),
                    tipo: backup.kind,
                    instantanea: backup.snapshot_at,
                    motivo: FateWord::of(&backup.fate),
                    necesario_para: match reason {
                        KeepReason::NeededBy(by) => Some(by.clone()),
                        _ => None,
                    },
                }),
            }
        }
        record
    }
}

/// The policy in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RetentionRecord {
    /// Months a full is kept.
    pub full_months: u32,
    /// Weeks a differential is kept.
    pub dif_weeks: u32,
    /// Days an incremental is kept.
    pub inc_days: u32,
    /// Newest complete chains kept whatever their age.
    pub min_chains: u32,
    /// It is applied after each backup that succeeded.
    pub automatica: bool,
}

impl RetentionRecord {
    /// A policy and whether it is applied without being asked.
    pub fn of(policy: &Policy, automatic: bool) -> Self {
        Self {
            full_months: policy.full_months,
            dif_weeks: policy.dif_weeks,
            inc_days: policy.inc_days,
            min_chains: policy.min_chains,
            automatica: automatic,
        }
    }
}
