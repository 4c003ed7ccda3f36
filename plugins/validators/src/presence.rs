//! Presence: everything that the set needs is there, with its size.

use std::collections::BTreeMap;

use respaldo_domain::manifest::{Header, Manifest};
use respaldo_domain::object::ObjectKey;
use respaldo_domain::validation::{Finding, FindingCode, ValidationLevel};
use respaldo_engine::ports::{Context, Fault, ObjectInfo, ValidationRequest, Validator};

use crate::findings::Findings;

pub(crate) const NAME: &str = "presence";

/// Looks at names and sizes only.
#[derive(Debug, Clone, Copy, Default)]
pub struct Presence;

impl Validator for Presence {
    fn name(&self) -> &str {
        NAME
    }

    fn level(&self) -> ValidationLevel {
        ValidationLevel::Presence
    }

    fn validate(
        &self,
        request: &ValidationRequest<'_>,
        cx: &Context,
    ) -> Result<Vec<Finding>, Fault> {
        let mut findings = Findings::new(self.level());
        if let Some(inside) = request.inside {
            describes_what_it_needs(inside.manifest, &mut findings);
        }
        own_archive_agrees(request.header, &mut findings);
        manifest_is_there(request, &mut findings, cx)?;
        for (key, size_bytes) in needed(request.header) {
            cx.check()?;
            if let Some(info) = head(request, &key, &mut findings, cx)?
                && info.size_bytes != size_bytes
            {
                let detail = format!("{} bytes instead of {size_bytes}", info.size_bytes);
                findings.error(FindingCode::WrongSize, &key, detail);
            }
        }
        Ok(findings.into_vec())
    }
}

/// Sizes of the set's objects and of every archive that holds data of it, each once.
fn needed(manifest: &Header) -> BTreeMap<ObjectKey, u64> {
    let archives = manifest
        .archives
        .iter()
        .map(|facts| (facts.name.key(), facts.size_bytes));
    let objects = manifest
        .objects
        .iter()
        .map(|object| (object.key.clone(), object.size_bytes));
    archives.chain(objects).collect()
}

fn manifest_is_there(
    request: &ValidationRequest<'_>,
    findings: &mut Findings,
    cx: &Context,
) -> Result<(), Fault> {
    let key = request.header.archive.manifest_key();
    let info = head(request, &key, findings, cx)?;
    if info.is_some_and(|info| info.size_bytes == 0) {
        findings.error(FindingCode::WrongSize, &key, "it is empty");
    }
    Ok(())
}

fn head(
    request: &ValidationRequest<'_>,
    key: &ObjectKey,
    findings: &mut Findings,
    cx: &Context,
) -> Result<Option<ObjectInfo>, Fault> {
    match request.objects.head(key, cx) {
        Ok(info) => Ok(Some(info)),
        Err(fault) => findings.fault(key, &fault).map(|()| None),
    }
}

/// A manifest must have the facts of every archive it refers to.
fn describes_what_it_needs(manifest: &Manifest, findings: &mut Findings) {
    let mut missing = |subject: String, archive: &respaldo_domain::backup::ArchiveName| {
        if manifest.archive_facts(archive).is_none() {
            let detail = format!("the manifest does not describe {archive}, which it needs");
            findings.error(FindingCode::ManifestUnreadable, subject, detail);
        }
    };
    missing(manifest.archive.to_string(), &manifest.archive);
    for table in &manifest.tables {
        if let Some(data) = &table.data {
            missing(table.name.to_string(), &data.archive);
        }
    }
    if let Some(archive) = &manifest.large_objects.archive {
        missing("large objects".to_owned(), archive);
    }
}

/// It must agree with itself on its own archive.
fn own_archive_agrees(manifest: &Header, findings: &mut Findings) {
    let key = manifest.archive.key();
    let object = manifest.objects.iter().find(|object| object.key == key);
    let facts = manifest.archive_facts(&manifest.archive);
    let agree = match (object, facts) {
        (Some(object), Some(facts)) => {
            (object.size_bytes, object.sha256) == (facts.size_bytes, facts.sha256)
        }
        _ => object.is_some(),
    };
    if !agree {
        let detail = "the manifest contradicts itself on its own archive";
        findings.error(FindingCode::ManifestUnreadable, &manifest.archive, detail);
    }
}
