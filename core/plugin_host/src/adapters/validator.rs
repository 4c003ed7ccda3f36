//! A plugin that looks at sealed backups.

use std::sync::Arc;

use respaldo_domain::object::ObjectRole;
use respaldo_domain::validation::{Finding, FindingCode, Severity, ValidationLevel};
use respaldo_engine::ports::{Codec, Context, Fault, FaultKind, ValidationRequest, Validator};
use respaldo_sdk::records::{self, Subject};
use serde_json::Value;

use super::{broke, json, read};
use crate::plugin::Plugin;
use crate::request::Request;
use crate::service::Streams;

/// The level that reads a set's own archive, which is what a validator of others is given.
pub const VALIDATORS_LEVEL: ValidationLevel = ValidationLevel::Readable;

/// A plugin that looks at sealed backups; it belongs to the level that reads a set's own archive.
pub struct PluginValidator {
    plugin: Plugin,
    codec: Arc<dyn Codec>,
}

impl PluginValidator {
    /// The validator of a plugin; manifests are given to it as this codec spells them.
    pub fn new(plugin: Plugin, codec: Arc<dyn Codec>) -> Self {
        Self { plugin, codec }
    }

    fn finding(&self, told: records::Finding) -> Finding {
        Finding {
            level: self.level(),
            severity: match told.severity {
                records::Severity::Warning => Severity::Warning,
                records::Severity::Error => Severity::Error,
            },
            code: FindingCode::Other(told.code),
            subject: told.subject,
            detail: told.detail,
        }
    }
}

impl Validator for PluginValidator {
    fn name(&self) -> &str {
        self.plugin.id()
    }

    fn level(&self) -> ValidationLevel {
        VALIDATORS_LEVEL
    }

    fn validate(
        &self,
        request: &ValidationRequest<'_>,
        cx: &Context,
    ) -> Result<Vec<Finding>, Fault> {
        let Some(inside) = request.inside else {
            return Ok(Vec::new());
        };
        let manifest = self.codec.encode_manifest(inside.manifest)?;
        let manifest: Value = serde_json::from_slice(&manifest)
            .map_err(|error| Fault::new(FaultKind::Internal, "spelling a manifest", error))?;
        let objects = inside.manifest.objects.iter();
        let Some(archive) = objects.clone().find(|o| o.role == ObjectRole::Archive) else {
            return Ok(Vec::new());
        };
        let call = Request::Validate {
            request: json(&Subject {
                key: archive.key.to_string(),
                size_bytes: archive
                    .plain
                    .map_or(archive.size_bytes, |plain| plain.size_bytes),
                sha256: archive.content_sha256().to_string(),
                manifest,
            })?,
        };
        let mut stream = match inside.objects.open(&archive.key, None, cx) {
            Ok(stream) => stream,
            // That it is not there is what the level before this one finds.
            Err(fault) if fault.kind == FaultKind::NotFound => return Ok(Vec::new()),
            Err(fault) => return Err(fault),
        };
        let mut told: Vec<records::Finding> = Vec::new();
        let mut streams = Streams {
            source: Some(&mut *stream),
            into: None,
            emit: &mut |json| {
                told.push(read(json)?);
                Ok(())
            },
        };
        self.plugin.call(&call, &mut streams, cx)?;
        if told.len() > 10_000 {
            let what = format!("it told {} findings of one archive", told.len());
            return Err(broke(&self.plugin, &call, what));
        }
        Ok(told.into_iter().map(|told| self.finding(told)).collect())
    }
}
