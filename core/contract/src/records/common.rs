//! Parts that several records share.

use chrono::{DateTime, FixedOffset};
use respaldo_domain::report::Warning;
use respaldo_domain::validation::Finding;
use serde::Serialize;

use crate::labels::{Label, OpenLabel};
use crate::messages::{Lang, LegacyNotice, Spoken};

/// Something an operator should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WarningRecord {
    /// Stable code.
    pub codigo: String,
    /// The object concerned, and particulars.
    pub asunto: String,
    /// A sentence about it.
    pub mensaje: String,
}

impl WarningRecord {
    /// A warning in words.
    pub fn of(warning: &Warning, lang: Lang) -> Self {
        Self {
            codigo: warning.code.label().to_owned(),
            asunto: warning.subject.clone(),
            mensaje: sentence(warning.code.spoken(lang), &[&warning.subject]),
        }
    }

    /// A notice of the legacy service in words.
    pub fn of_legacy(notice: LegacyNotice, subject: &str, lang: Lang) -> Self {
        Self {
            codigo: notice.label().to_owned(),
            asunto: subject.to_owned(),
            mensaje: sentence(notice.spoken(lang), &[subject]),
        }
    }

    pub(super) fn all(warnings: &[Warning], lang: Lang) -> Vec<Self> {
        warnings
            .iter()
            .map(|warning| Self::of(warning, lang))
            .collect()
    }
}

/// Something wrong with a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingRecord {
    /// The level that found it.
    pub nivel: String,
    /// ERROR or ADVERTENCIA.
    pub gravedad: String,
    /// Stable code.
    pub codigo: String,
    /// The object, table or archive concerned.
    pub asunto: String,
    /// A sentence about it.
    pub mensaje: String,
}

impl FindingRecord {
    /// A finding in words.
    pub fn of(finding: &Finding, lang: Lang) -> Self {
        Self {
            nivel: finding.level.label().to_owned(),
            gravedad: finding.severity.label().to_owned(),
            codigo: finding.code.label().to_owned(),
            asunto: finding.subject.clone(),
            mensaje: sentence(
                finding.code.spoken(lang),
                &[&finding.subject, &finding.detail],
            ),
        }
    }

    pub(super) fn all(findings: &[Finding], lang: Lang) -> Vec<Self> {
        findings
            .iter()
            .map(|finding| Self::of(finding, lang))
            .collect()
    }
}

/// A phrase and its particulars, the empty ones left out.
fn sentence(phrase: &str, particulars: &[&str]) -> String {
    let mut text = phrase.to_owned();
    for part in particulars.iter().filter(|part| !part.is_empty()) {
        text.push_str(": ");
        text.push_str(part);
    }
    text
}

/// Mebibytes with two decimals.
pub(super) fn megabytes(bytes: u64) -> f64 {
    two_decimals(bytes as f64 / (1024.0 * 1024.0))
}

/// Gibibytes with two decimals.
pub(super) fn gigabytes(bytes: u64) -> f64 {
    two_decimals(bytes as f64 / (1024.0 * 1024.0 * 1024.0))
}

/// Rounded to two decimals.
pub(super) fn two_decimals(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Seconds between two times, with milliseconds; never negative, whatever the clock did.
pub(super) fn seconds_between(start: DateTime<FixedOffset>, end: DateTime<FixedOffset>) -> f64 {
    let millis = (end - start).num_milliseconds().max(0);
    millis as f64 / 1000.0
}
