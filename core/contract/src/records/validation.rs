//! The result of `validate`.

use chrono::{DateTime, FixedOffset};
use respaldo_domain::backup::BackupId;
use respaldo_domain::report::Validation;
use serde::Serialize;

use super::FindingRecord;
use super::common::two_decimals;
use crate::labels::{Label, ValidationResult};
use crate::messages::{Lang, Outcome};

/// Validations of some or all backups.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ValidationRecord {
    /// Backups looked at.
    pub total: usize,
    /// Those that restore exactly.
    pub validos: usize,
    /// Those that do not.
    pub invalidos: usize,
    /// Each of them.
    pub validaciones: Vec<BackupValidationRecord>,
    /// A sentence about all.
    pub mensaje: String,
}

/// Validation of one backup.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BackupValidationRecord {
    /// Number, where the catalog knows it.
    pub id: Option<BackupId>,
    /// Its kind.
    pub tipo: String,
    /// Path or address of its archive.
    pub archivo: String,
    /// It restores exactly, as far as this level sees.
    pub valido: bool,
    /// EXITOSO, ADVERTENCIA or FALLIDO.
    pub resultado: String,
    /// How deep it was looked at.
    pub nivel: String,
    /// What was found.
    pub hallazgos: Vec<FindingRecord>,
    /// When.
    pub fecha: DateTime<FixedOffset>,
    /// Duration.
    pub tiempo_segundos: f64,
    /// A sentence about it.
    pub mensaje: String,
}

impl ValidationRecord {
    /// The record of validations.
    pub fn of(validations: &[Validation], lang: Lang) -> Self {
        let total = validations.len();
        let valid = validations
            .iter()
            .filter(|validation| validation.is_valid())
            .count();
        let invalid = total - valid;
        let outcome = Outcome::ValidatedAll {
            total: &total,
            valid: &valid,
            invalid: &invalid,
        };
        let one = |validation| BackupValidationRecord::of(validation, lang);
        Self {
            total,
            validos: valid,
            invalidos: invalid,
            validaciones: validations.iter().map(one).collect(),
            mensaje: outcome.text(lang),
        }
    }
}

impl BackupValidationRecord {
    /// The record of one validation.
    pub fn of(validation: &Validation, lang: Lang) -> Self {
        Self {
            id: validation.id,
            tipo: validation.archive.kind().label().to_owned(),
            archivo: validation.location.clone(),
            valido: validation.is_valid(),
            resultado: ValidationResult::of(&validation.findings)
                .label()
                .to_owned(),
            nivel: validation.level.label().to_owned(),
            hallazgos: FindingRecord::all(&validation.findings, lang),
            fecha: validation.at,
            tiempo_segundos: two_decimals(validation.seconds),
            mensaje: verdict(validation, lang),
        }
    }
}

/// One sentence on a validation.
pub(super) fn verdict(validation: &Validation, lang: Lang) -> String {
    let archive = &validation.archive;
    let level = &validation.level.label();
    let count = &validation.findings.len();
    match ValidationResult::of(&validation.findings) {
        ValidationResult::Passed => Outcome::Valid { archive, level }.text(lang),
        ValidationResult::Warned => Outcome::ValidWithWarnings {
            archive,
            level,
            count,
        }
        .text(lang),
        ValidationResult::Failed => Outcome::Invalid {
            archive,
            level,
            count,
        }
        .text(lang),
    }
}
