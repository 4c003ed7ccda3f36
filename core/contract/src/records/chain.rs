//! Validation of one backup in the shape programs of the existing system expect
//! (`validate_backup_chain`). Unlike theirs, ours does look at the whole chain.

use chrono::{DateTime, FixedOffset};
use respaldo_domain::backup::BackupId;
use respaldo_domain::report::Validation;
use respaldo_domain::validation::{Finding, Severity, ValidationLevel};
use serde::Serialize;

use super::FindingRecord;
use super::validation::verdict;
use crate::labels::Label;
use crate::messages::{ErrorCode, Lang, Spoken};

/// Validation of one backup, level by level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainValidationRecord {
    /// It restores exactly, as far as was looked.
    pub valido: bool,
    /// A sentence about it.
    pub mensaje: String,
    /// One check per level.
    pub validaciones: Vec<ChainCheckRecord>,
    /// The backup; missing where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<ChainBackupRecord>,
}

/// A check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainCheckRecord {
    /// `existencia_archivo`, `checksum`, `legible`, `cadena` or `simulacro`.
    pub tipo: &'static str,
    /// Nothing that prevents an exact restore was found.
    pub exito: bool,
    /// What was.
    pub mensaje: String,
}

/// The backup that was validated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainBackupRecord {
    /// Number, where the catalog knows it.
    pub id: Option<BackupId>,
    /// Its kind.
    pub tipo: String,
    /// Path or address of its archive.
    pub archivo: String,
    /// Its time.
    pub fecha: DateTime<FixedOffset>,
}

impl ChainValidationRecord {
    /// The record of a validation of a backup made at `made_at`.
    pub fn of(validation: &Validation, made_at: DateTime<FixedOffset>, lang: Lang) -> Self {
        let looked_at = ValidationLevel::ALL
            .into_iter()
            .filter(|level| *level <= validation.level);
        Self {
            valido: validation.is_valid(),
            mensaje: verdict(validation, lang),
            validaciones: looked_at
                .map(|level| check(level, &validation.findings, lang))
                .collect(),
            backup: Some(ChainBackupRecord {
                id: validation.id,
                tipo: validation.archive.kind().label().to_owned(),
                archivo: validation.location.clone(),
                fecha: made_at,
            }),
        }
    }

    /// The record where there is no such backup.
    ///
    /// ```
    /// use respaldo_contract::messages::Lang;
    /// use respaldo_contract::records::ChainValidationRecord;
    ///
    /// let json = serde_json::to_value(ChainValidationRecord::unknown(Lang::Es)).unwrap();
    /// assert_eq!(json["valido"], false);
    /// assert!(json.get("backup").is_none());
    /// ```
    pub fn unknown(lang: Lang) -> Self {
        Self {
            valido: false,
            mensaje: ErrorCode::UnknownBackup.text(lang).title.to_owned(),
            validaciones: Vec::new(),
            backup: None,
        }
    }
}

fn check(level: ValidationLevel, findings: &[Finding], lang: Lang) -> ChainCheckRecord {
    let of_level = || findings.iter().filter(|finding| finding.level == level);
    let sentences: Vec<_> = of_level()
        .map(|finding| FindingRecord::of(finding, lang).mensaje)
        .collect();
    let nothing_found = || level.spoken(lang).to_owned();
    ChainCheckRecord {
        tipo: check_name(level),
        exito: of_level().all(|finding| finding.severity != Severity::Error),
        mensaje: if sentences.is_empty() {
            nothing_found()
        } else {
            sentences.join("; ")
        },
    }
}

/// The first two are the existing system's.
fn check_name(level: ValidationLevel) -> &'static str {
    match level {
        ValidationLevel::Presence => "existencia_archivo",
        ValidationLevel::Checksum => "checksum",
        ValidationLevel::Readable => "legible",
        ValidationLevel::Chain => "cadena",
        ValidationLevel::Drill => "simulacro",
    }
}
