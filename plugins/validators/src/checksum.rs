//! Checksum: every object of the set has its SHA-256, and the stored manifest is the one in hand.

use std::sync::Arc;

use respaldo_domain::manifest::Header;
use respaldo_domain::object::{ObjectKey, Sha256};
use respaldo_domain::validation::{Finding, FindingCode, ValidationLevel};
use respaldo_engine::ports::{Codec, Context, Fault, FaultKind, ValidationRequest, Validator};

use crate::findings::{Findings, chain_of};
use crate::seal;
use crate::stream::Watched;

pub(crate) const NAME: &str = "checksum";

/// Reads and hashes the set's own objects.
pub struct Checksum {
    codec: Arc<dyn Codec>,
}

impl Checksum {
    /// A validator that reads manifests with this codec.
    pub fn new(codec: Arc<dyn Codec>) -> Self {
        Self { codec }
    }

    /// A damaged manifest may still be read; it must say what the manifest in hand says. One that
    /// was just made may hold finer times than are written, so its spelling counts as well.
    fn manifest(
        &self,
        request: &ValidationRequest<'_>,
        findings: &mut Findings,
        cx: &Context,
    ) -> Result<(), Fault> {
        let key = request.header.archive.manifest_key();
        match seal::read(request, &request.header.archive, &*self.codec, cx) {
            Ok((bytes, stored)) if self.is_in_hand(request, &bytes, &stored)? => {}
            Ok(_) => {
                let detail = "the stored manifest is another than the one in hand";
                findings.error(FindingCode::WrongChecksum, key, detail);
            }
            Err(fault) if fault.kind == FaultKind::Corrupt => {
                findings.error(FindingCode::ManifestUnreadable, key, chain_of(&fault));
            }
            Err(fault) => findings.fault(key, &fault)?,
        }
        Ok(())
    }
}

impl Checksum {
    fn is_in_hand(
        &self,
        request: &ValidationRequest<'_>,
        bytes: &[u8],
        stored: &Header,
    ) -> Result<bool, Fault> {
        if stored.is_encrypted() {
            let public = request.header.public();
            return Ok(*stored == public || self.codec.encode_header(&public)? == bytes);
        }
        let Some(inside) = request.inside else {
            return Ok(stored == request.header);
        };
        Ok(self.codec.encode_manifest(inside.manifest)? == bytes
            || self.codec.decode_manifest(bytes)? == *inside.manifest)
    }
}

impl Validator for Checksum {
    fn name(&self) -> &str {
        NAME
    }

    fn level(&self) -> ValidationLevel {
        ValidationLevel::Checksum
    }

    fn validate(
        &self,
        request: &ValidationRequest<'_>,
        cx: &Context,
    ) -> Result<Vec<Finding>, Fault> {
        let mut findings = Findings::new(self.level());
        self.manifest(request, &mut findings, cx)?;
        for object in &request.header.objects {
            whole(request, &object.key, object.sha256, &mut findings, cx)?;
        }
        Ok(findings.into_vec())
    }
}

/// Hashes a whole object; `false` where it could not be read at all.
pub(crate) fn whole(
    request: &ValidationRequest<'_>,
    key: &ObjectKey,
    expected: Sha256,
    findings: &mut Findings,
    cx: &Context,
) -> Result<bool, Fault> {
    cx.check()?;
    let claim = ("object", key, expected);
    if request.verified.knows(&claim) {
        return Ok(true);
    }
    match Watched::open(request.objects, key, None, cx).and_then(Watched::finish) {
        Ok((found, _)) if found == expected => {
            request.verified.note(&claim);
            Ok(true)
        }
        Ok((found, size_bytes)) => {
            let detail = format!("SHA-256 {found} of {size_bytes} bytes instead of {expected}");
            findings.error(FindingCode::WrongChecksum, key, detail);
            Ok(true)
        }
        Err(fault) => findings.fault(key, &fault).map(|()| false),
    }
}
