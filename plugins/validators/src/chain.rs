//! Chain: what a restore of the set reads from other archives is as good as its own.
//!
//! Each of them must still be sealed by a manifest that describes the same archive, have its
//! SHA-256, and decode where this restore point needs it.

use std::sync::Arc;

use respaldo_domain::manifest::ArchiveFacts;
use respaldo_domain::validation::{Finding, FindingCode, ValidationLevel};
use respaldo_engine::ports::{Codec, Context, Fault, FaultKind, ValidationRequest, Validator};

use crate::findings::{Findings, chain_of};
use crate::view::View;
use crate::{archive, checksum, seal};

pub(crate) const NAME: &str = "chain";

/// Looks at the other archives of a restore point.
pub struct Chain {
    codec: Arc<dyn Codec>,
}

impl Chain {
    /// A validator that reads manifests with this codec.
    pub fn new(codec: Arc<dyn Codec>) -> Self {
        Self { codec }
    }

    /// Without its seal an archive is litter that the next expiry may take.
    fn still_sealed(
        &self,
        request: &ValidationRequest<'_>,
        facts: &ArchiveFacts,
        findings: &mut Findings,
        cx: &Context,
    ) -> Result<(), Fault> {
        let problem = match seal::read(request, &facts.name, &*self.codec, cx) {
            Ok((_, header)) => match header.archive_facts(&facts.name) {
                Some(own) if own.public() == facts.public() => return Ok(()),
                _ => "its own manifest describes another archive".to_owned(),
            },
            Err(fault) => match fault.kind {
                FaultKind::NotFound | FaultKind::Corrupt => chain_of(&fault),
                _ => return findings.fault(facts.name.manifest_key(), &fault),
            },
        };
        findings.error(FindingCode::BrokenChain, &facts.name, problem);
        Ok(())
    }
}

impl Validator for Chain {
    fn name(&self) -> &str {
        NAME
    }

    fn level(&self) -> ValidationLevel {
        ValidationLevel::Chain
    }

    fn validate(
        &self,
        request: &ValidationRequest<'_>,
        cx: &Context,
    ) -> Result<Vec<Finding>, Fault> {
        let mut findings = Findings::new(self.level());
        let view = View::of(request);
        // Without a key the header tells which they are.
        let header = view.map_or(request.header, |view| &view.manifest.header);
        for facts in header
            .archives
            .iter()
            .filter(|facts| facts.name != header.archive)
        {
            self.still_sealed(request, facts, &mut findings, cx)?;
            let is_there =
                checksum::whole(request, &facts.name.key(), facts.sha256, &mut findings, cx)?;
            if let Some(view) = view.filter(|_| is_there) {
                archive::check(&view, facts, &mut findings, cx)?;
            }
        }
        Ok(findings.into_vec())
    }
}
