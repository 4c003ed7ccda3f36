//! Findings as they come together.

use std::fmt::Display;

use respaldo_domain::validation::{Finding, FindingCode, Severity, ValidationLevel};
use respaldo_engine::ports::{Fault, FaultKind};

/// What one validator found so far.
pub(crate) struct Findings {
    level: ValidationLevel,
    found: Vec<Finding>,
}

impl Findings {
    pub(crate) fn new(level: ValidationLevel) -> Self {
        Self {
            level,
            found: Vec::new(),
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Finding> {
        self.found
    }

    /// Something that keeps the backup from being restored exactly.
    pub(crate) fn error(
        &mut self,
        code: FindingCode,
        subject: impl Display,
        detail: impl Into<String>,
    ) {
        let (level, severity) = (self.level, Severity::Error);
        let (subject, detail) = (subject.to_string(), detail.into());
        self.found.push(Finding {
            level,
            severity,
            code,
            subject,
            detail,
        });
    }

    /// What could not be read: a finding that says whether it is missing, damaged or unknown. Only
    /// an interruption ends the validation.
    pub(crate) fn fault(&mut self, subject: impl Display, fault: &Fault) -> Result<(), Fault> {
        let code = match fault.kind {
            FaultKind::Cancelled => return Err(Fault::bare(fault.kind, fault.subject.clone())),
            FaultKind::NotFound => FindingCode::Missing,
            FaultKind::Corrupt => FindingCode::Unreadable,
            _ => FindingCode::NotChecked,
        };
        self.error(code, subject, chain_of(fault));
        Ok(())
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
