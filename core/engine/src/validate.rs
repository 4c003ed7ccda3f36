//! Looking at backups: every validator up to a level, going on after the first problem, each
//! outcome recorded.

mod scheduled;

use std::collections::BTreeSet;
use std::time::Instant;

use chrono::{Local, Utc};
use respaldo_domain::backup::{ArchiveName, BackupState};
use respaldo_domain::manifest::{Header, Manifest};
use respaldo_domain::report::Validation;
use respaldo_domain::validation::{Finding, FindingCode, Severity, ValidationLevel};
use respaldo_postgres::ConnInfo;

use crate::backup::chain;
use crate::faults::step;
use crate::intent::WorkDir;
use crate::parts::Parts;
use crate::ports::{
    CatalogFilter, Context, Fault, FaultKind, Inside, ObjectReader, ValidationRecord,
    ValidationRequest, Verified,
};
use crate::reading::{self, Reading};
use crate::schedule::note_validation;
use crate::selector::{Selector, resolve};

pub use scheduled::Deeper;
pub(crate) use scheduled::on_schedule;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct ValidateRequest {
    /// Which backups; `None`: all of them.
    pub selectors: Option<Vec<Selector>>,
    /// How deep.
    pub level: ValidationLevel,
    /// A server for drills; `None`: the source's.
    pub scratch_server: Option<ConnInfo>,
}

impl ValidateRequest {
    /// Everything a restore of one backup would read.
    pub fn chain_of(selector: Selector) -> Self {
        Self {
            selectors: Some(vec![selector]),
            level: ValidationLevel::Chain,
            scratch_server: None,
        }
    }
}

/// Why nothing was looked at.
#[derive(Debug, thiserror::Error)]
pub enum ValidateError {
    /// No such backup.
    #[error("there is no such backup")]
    Unknown(#[source] Fault),
    /// Storage cannot be read at all.
    #[error("the repository cannot be read")]
    Repository(#[source] Fault),
}

/// Looks at each backup and records what was found.
pub fn validate(
    parts: &Parts,
    request: &ValidateRequest,
    cx: &Context,
) -> Result<Vec<Validation>, ValidateError> {
    let started_at = Utc::now();
    let names = names(parts, request, cx)?;
    let verified = Verified::default();
    let mut validations = Vec::new();
    for name in names {
        cx.check().map_err(ValidateError::Repository)?;
        let validation = look_at(parts, &name, request, &verified, cx);
        // Only what this look itself came upon may have gone without a fault.
        let is_listed = request.selectors.is_none();
        if !validation.is_valid() && is_listed && was_removed(parts, &name, cx) {
            continue;
        }
        record(parts, &validation);
        validations.push(validation);
    }
    if request.selectors.is_none() {
        note_validation(parts, started_at);
    }
    Ok(validations)
}

fn names(
    parts: &Parts,
    request: &ValidateRequest,
    cx: &Context,
) -> Result<Vec<ArchiveName>, ValidateError> {
    let Some(selectors) = &request.selectors else {
        return every(parts, cx).map_err(ValidateError::Repository);
    };
    let one = |selector| match resolve(parts, selector, cx) {
        Ok(name) => Ok(name),
        // A backup the catalog knows and storage lost is what validation is there to find.
        Err(fault) if fault.kind == FaultKind::NotFound => match selector {
            Selector::Name(name) => Ok(name.clone()),
            _ => Err(ValidateError::Unknown(fault)),
        },
        Err(fault) => Err(ValidateError::Repository(fault)),
    };
    selectors.iter().map(one).collect()
}

/// Everything that is sealed, and what the catalog says was sealed: that a manifest is gone is for
/// validation to find.
fn every(parts: &Parts, cx: &Context) -> Result<Vec<ArchiveName>, Fault> {
    let mut names: BTreeSet<ArchiveName> = parts.store.sealed(cx)?.into_iter().collect();
    let filter = CatalogFilter {
        state: Some(BackupState::Completed),
        ours_only: true,
        ..CatalogFilter::default()
    };
    match parts.catalog.as_ref().map(|catalog| catalog.list(&filter)) {
        Some(Ok(known)) => names.extend(known.iter().filter_map(|e| e.archive.parse().ok())),
        Some(Err(fault)) => tracing::debug!(%fault, "the catalog is not asked what it knows"),
        None => {}
    }
    Ok(names.into_iter().collect())
}

/// Whether the set was removed since it was listed: no manifest is there, and the catalog has
/// forgotten it or somebody is about to let it forget.
fn was_removed(parts: &Parts, name: &ArchiveName, cx: &Context) -> bool {
    let asked = parts.store.head(&name.manifest_key(), cx);
    if !matches!(asked, Err(fault) if fault.kind == FaultKind::NotFound) {
        return false;
    }
    let is_being_removed =
        || WorkDir::open(&parts.settings.work_dir).is_ok_and(|work| work.intends(name));
    match parts.catalog.as_ref().map(|catalog| catalog.find(name)) {
        Some(Ok(Some(entry))) if entry.state == BackupState::Completed => is_being_removed(),
        Some(Err(_)) => is_being_removed(),
        _ => true,
    }
}

/// Keeps retention away from what is looked at, where that can be.
fn hold(parts: &Parts, header: &Header, cx: &Context) -> Option<Reading> {
    let held = reading::hold(parts, header, cx);
    held.inspect_err(|fault| tracing::debug!(%fault, "what is validated is not held"))
        .ok()
}

fn look_at(
    parts: &Parts,
    name: &ArchiveName,
    request: &ValidateRequest,
    verified: &Verified,
    cx: &Context,
) -> Validation {
    let started = Instant::now();
    let findings = match parts.store.header(name, &*parts.codec, cx) {
        Ok(header) => {
            let _reading = hold(parts, &header, cx);
            let levels = ValidationLevel::ALL
                .into_iter()
                .filter(|level| *level <= request.level);
            let look = Look {
                levels: levels.collect(),
                scratch_server: request.scratch_server.as_ref(),
                verified,
            };
            match parts.store.manifest(name, &*parts.codec, cx) {
                Ok(manifest) => look.at(parts, &header, Some(&manifest), cx),
                Err(fault) if fault.kind == FaultKind::NoKey => look.at(parts, &header, None, cx),
                Err(fault) => vec![unreadable_manifest(name, &fault)],
            }
        }
        Err(fault) => vec![unreadable_manifest(name, &fault)],
    };
    let id = parts
        .catalog
        .as_ref()
        .and_then(|catalog| catalog.find(name).ok().flatten());
    Validation {
        id: id.and_then(|entry| entry.id),
        archive: name.clone(),
        location: parts.store.location(&name.key()),
        level: request.level,
        findings,
        seconds: started.elapsed().as_secs_f64(),
        at: Local::now().fixed_offset(),
    }
}

/// The levels looked at right after a backup.
pub fn after_backup(
    parts: &Parts,
    manifest: &Manifest,
    cx: &Context,
) -> Result<Vec<Finding>, Fault> {
    step("backup.validators")?;
    let look = Look {
        levels: parts.settings.validate_after.clone(),
        scratch_server: None,
        verified: &Verified::default(),
    };
    Ok(look.at(parts, manifest, Some(manifest), cx))
}

/// How deep to look, and with what.
struct Look<'a> {
    levels: Vec<ValidationLevel>,
    scratch_server: Option<&'a ConnInfo>,
    verified: &'a Verified,
}

impl Look<'_> {
    /// Runs the validators of the levels. A check that could not be made is a finding. Where what is
    /// inside is encrypted and no key is at hand, one warning says so for all that would look there.
    fn at(
        &self,
        parts: &Parts,
        header: &Header,
        manifest: Option<&Manifest>,
        cx: &Context,
    ) -> Vec<Finding> {
        let store = parts.store.inside();
        let locked = match header.is_encrypted() {
            true => parts.store.vault().key().err(),
            false => None,
        };
        let inside = manifest
            .filter(|_| locked.is_none())
            .map(|manifest| Inside {
                manifest,
                objects: &store,
            });
        let request = ValidationRequest {
            header,
            objects: &*parts.store,
            inside,
            scratch_server: self.scratch_server.or(Some(&parts.source)),
            verified: self.verified,
        };
        let mut findings = Vec::new();
        let chosen = |level| self.levels.contains(&level);
        let validators = parts.validators.iter().filter(|one| chosen(one.level()));
        for validator in validators {
            match validator.validate(&request, cx) {
                Ok(found) => findings.extend(found),
                Err(fault) => findings.push(Finding {
                    level: validator.level(),
                    severity: Severity::Error,
                    code: FindingCode::NotChecked,
                    subject: validator.name().to_owned(),
                    detail: chain(&fault),
                }),
            }
        }
        let deepest = self.levels.iter().max();
        let deepest = deepest.filter(|level| **level > ValidationLevel::Checksum);
        if let Some((fault, level)) = locked.zip(deepest) {
            findings.push(Finding {
                level: *level,
                severity: Severity::Warning,
                code: FindingCode::NoKey,
                subject: header.archive.to_string(),
                detail: chain(&fault),
            });
        }
        findings
    }
}

fn unreadable_manifest(name: &ArchiveName, fault: &Fault) -> Finding {
    let code = match fault.kind {
        FaultKind::NotFound => FindingCode::Missing,
        _ => FindingCode::ManifestUnreadable,
    };
    Finding {
        level: ValidationLevel::Presence,
        severity: Severity::Error,
        code,
        subject: name.manifest_key().to_string(),
        detail: chain(fault),
    }
}

/// Records the outcome; a catalog that cannot be written does not make a backup invalid.
fn record(parts: &Parts, validation: &Validation) {
    let Some(catalog) = &parts.catalog else {
        return;
    };
    let recorded = catalog.record_validation(&ValidationRecord {
        archive: &validation.archive,
        level: validation.level,
        findings: &validation.findings,
        sha256_found: None,
        sha256_expected: None,
        seconds: validation.seconds,
    });
    if let Err(fault) = recorded {
        tracing::warn!(error = %chain(&fault), "the validation could not be recorded");
    }
}
