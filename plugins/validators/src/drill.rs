//! The drill: the backup is restored into a scratch database, every table compared, and the
//! database dropped. The one validation that shows that a restore works.

use respaldo_domain::report::{RestoreReport, TableDifference};
use respaldo_domain::validation::{Finding, FindingCode, Severity, ValidationLevel};
use respaldo_engine::operations::{Operations, Selector};
use respaldo_engine::ports::{Context, Fault, ValidationRequest, Validator};
use respaldo_engine::restore::RestoreError;

/// Name in the configuration.
pub const NAME: &str = "drill";

/// Rehearses a restore.
pub struct Drill {
    operations: Operations,
}

impl Drill {
    /// A drill of what these operations back up.
    pub fn new(operations: Operations) -> Self {
        Self { operations }
    }
}

impl Validator for Drill {
    fn name(&self) -> &str {
        NAME
    }

    fn level(&self) -> ValidationLevel {
        ValidationLevel::Drill
    }

    fn validate(
        &self,
        request: &ValidationRequest<'_>,
        cx: &Context,
    ) -> Result<Vec<Finding>, Fault> {
        let archive = &request.header.archive;
        if request.inside.is_none() {
            return Ok(Vec::new());
        }
        let selector = Selector::Name(archive.clone());
        let server = request.scratch_server.cloned();
        match self.operations.rehearse(selector, server, cx) {
            Ok(report) => Ok(remarks(archive.as_str(), &report)),
            Err(RestoreError::Differs(verification)) => {
                Ok(verification.different.iter().map(difference).collect())
            }
            Err(error) => Ok(vec![failure(archive.as_str(), &error)]),
        }
    }
}

fn finding(severity: Severity, code: FindingCode, subject: String, detail: String) -> Finding {
    Finding {
        level: ValidationLevel::Drill,
        severity,
        code,
        subject,
        detail,
    }
}

/// What an operator should know of a drill that succeeded.
fn remarks(archive: &str, report: &RestoreReport) -> Vec<Finding> {
    let remark = |text: &String| {
        let code = FindingCode::DrillDiffers;
        finding(Severity::Warning, code, archive.to_owned(), text.clone())
    };
    let excused = report
        .verification
        .different
        .iter()
        .filter_map(|table| table.excuse.as_ref());
    excused.map(remark).collect()
}

fn difference(table: &TableDifference) -> Finding {
    let detail = format!(
        "{} rows instead of {}",
        table.found.rows, table.expected.rows
    );
    let severity = match table.excuse {
        Some(_) => Severity::Warning,
        None => Severity::Error,
    };
    finding(
        severity,
        FindingCode::DrillDiffers,
        table.table.to_string(),
        detail,
    )
}

fn failure(archive: &str, error: &RestoreError) -> Finding {
    let mut detail = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        detail.push_str(": ");
        detail.push_str(&error.to_string());
        cause = error.source();
    }
    finding(
        Severity::Error,
        FindingCode::DrillFailed,
        archive.to_owned(),
        detail,
    )
}
