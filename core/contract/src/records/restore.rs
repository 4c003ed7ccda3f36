//! The result of `restore`.

use chrono::{DateTime, FixedOffset};
use respaldo_domain::report::{RestoreReport, TableDifference, Verification};
use serde::Serialize;

use super::WarningRecord;
use super::common::two_decimals;
use crate::messages::{Lang, Outcome, duration};

/// A restore that was done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RestoreRecord {
    /// It was done.
    pub exitoso: bool,
    /// A sentence about it.
    pub mensaje: String,
    /// Archives whose data was used, in the order of the chain.
    pub backups_aplicados: Vec<String>,
    /// The restore point.
    pub instantanea: DateTime<FixedOffset>,
    /// Duration.
    pub tiempo_segundos: f64,
    /// Database that now holds it.
    pub base_destino: String,
    /// Where the database that was there before is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anterior: Option<String>,
    /// Tables loaded.
    pub tablas_restauradas: usize,
    /// Comparison with the backup.
    pub verificacion: VerificationRecord,
    /// WAL position of the state restored, where the source told it.
    pub lsn_final: Option<String>,
    /// What deserves a look.
    pub avisos: Vec<WarningRecord>,
}

/// Comparison of what was restored with the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerificationRecord {
    /// Tables compared.
    pub tablas: usize,
    /// Tables equal.
    pub iguales: usize,
    /// Tables that differ.
    pub distintas: Vec<DifferenceRecord>,
}

/// A table that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DifferenceRecord {
    /// Its name, quoted where needed.
    pub tabla: String,
    /// Rows in the backup.
    pub filas_esperadas: u64,
    /// Rows found.
    pub filas_encontradas: u64,
    /// Fingerprint in the backup.
    pub huella_esperada: String,
    /// Fingerprint found.
    pub huella_encontrada: String,
    /// Why its text may differ, where a reason is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub motivo: Option<String>,
}

impl RestoreRecord {
    /// The record of a report.
    pub fn of(report: &RestoreReport, lang: Lang) -> Self {
        let manifest = &report.plan.manifest;
        Self {
            exitoso: true,
            mensaje: message(report, lang),
            backups_aplicados: report.applied().map(ToString::to_string).collect(),
            instantanea: manifest.snapshot_at,
            tiempo_segundos: two_decimals(report.seconds),
            base_destino: report.target.clone(),
            anterior: report.previous_kept_as.clone(),
            tablas_restauradas: report.plan.loads.len(),
            verificacion: VerificationRecord::from(&report.verification),
            lsn_final: manifest.lsn_start.clone(),
            avisos: WarningRecord::all(&report.warnings, lang),
        }
    }
}

impl From<&Verification> for VerificationRecord {
    fn from(verification: &Verification) -> Self {
        Self {
            tablas: verification.tables,
            iguales: verification.equal,
            distintas: verification
                .different
                .iter()
                .map(DifferenceRecord::from)
                .collect(),
        }
    }
}

impl From<&TableDifference> for DifferenceRecord {
    fn from(difference: &TableDifference) -> Self {
        Self {
            tabla: difference.table.to_string(),
            filas_esperadas: difference.expected.rows,
            filas_encontradas: difference.found.rows,
            huella_esperada: format!("{:032x}", difference.expected.sum),
            huella_encontrada: format!("{:032x}", difference.found.sum),
            motivo: difference.excuse.clone(),
        }
    }
}

/// What was restored, how it compares, and where the old database is.
fn message(report: &RestoreReport, lang: Lang) -> String {
    let verified = &report.verification;
    let restored = Outcome::Restored {
        database: &report.target,
        tables: &report.plan.loads.len(),
        point: &report.plan.manifest.snapshot_at.to_rfc3339(),
        time: &duration(report.seconds, lang),
    };
    let mut parts = vec![restored.text(lang)];
    if !verified.different.is_empty() {
        let different = &verified.different.len();
        parts.push(
            Outcome::RestoredDiffers {
                different,
                tables: &verified.tables,
            }
            .text(lang),
        );
    } else if verified.tables > 0 {
        parts.push(
            Outcome::RestoredEqual {
                tables: &verified.tables,
            }
            .text(lang),
        );
    }
    if let Some(name) = &report.previous_kept_as {
        parts.push(Outcome::PreviousKept { name }.text(lang));
    }
    parts.join("; ")
}
