//! Readable: every block of the set's own archive decodes to the rows its fingerprint says.

use respaldo_domain::validation::{Finding, FindingCode, ValidationLevel};
use respaldo_engine::ports::{Context, Fault, ValidationRequest, Validator};

use crate::archive;
use crate::findings::Findings;
use crate::view::View;

pub(crate) const NAME: &str = "readable";

/// Decodes the set's own archive.
#[derive(Debug, Clone, Copy, Default)]
pub struct Readable;

impl Validator for Readable {
    fn name(&self) -> &str {
        NAME
    }

    fn level(&self) -> ValidationLevel {
        ValidationLevel::Readable
    }

    fn validate(
        &self,
        request: &ValidationRequest<'_>,
        cx: &Context,
    ) -> Result<Vec<Finding>, Fault> {
        let mut findings = Findings::new(self.level());
        let Some(view) = View::of(request) else {
            return Ok(Vec::new());
        };
        let name = &view.manifest.archive;
        if let Some(facts) = view.manifest.archive_facts(name) {
            archive::check(&view, facts, &mut findings, cx)?;
        } else {
            let detail = "the manifest does not describe its own archive";
            findings.error(FindingCode::ManifestUnreadable, name, detail);
        }
        Ok(findings.into_vec())
    }
}
