//! The engine's codec, spelled by the contract.

use std::collections::BTreeMap;

use respaldo_contract::labels::Label;
use respaldo_contract::manifest_file::{self, ManifestFileError};
use respaldo_contract::stats_file;
use respaldo_domain::backup::BackupKind;
use respaldo_domain::manifest::{Header, Manifest};
use respaldo_domain::readings::Readings;
use respaldo_engine::ports::{Codec, Fault, FaultKind};
use serde_json::Value;

/// Manifests and readings as JSON in the contract's words.
#[derive(Debug, Clone, Copy, Default)]
pub struct ContractCodec;

impl Codec for ContractCodec {
    fn encode_manifest(&self, manifest: &Manifest) -> Result<Vec<u8>, Fault> {
        manifest_file::encode(manifest).map_err(|error| {
            Fault::new(
                FaultKind::Internal,
                format!("writing the manifest of {}", manifest.archive),
                error,
            )
        })
    }

    fn decode_manifest(&self, bytes: &[u8]) -> Result<Manifest, Fault> {
        manifest_file::decode(bytes).map_err(unreadable)
    }

    fn encode_header(&self, header: &Header) -> Result<Vec<u8>, Fault> {
        manifest_file::encode_header(header).map_err(|error| {
            let subject = format!("writing the header of {}", header.archive);
            Fault::new(FaultKind::Internal, subject, error)
        })
    }

    fn decode_header(&self, bytes: &[u8]) -> Result<Header, Fault> {
        manifest_file::decode_header(bytes).map_err(unreadable)
    }

    fn encode_readings(&self, readings: &Readings) -> Result<Vec<u8>, Fault> {
        stats_file::encode(readings)
            .map_err(|error| Fault::new(FaultKind::Internal, "writing readings", error))
    }

    fn decode_readings(&self, bytes: &[u8]) -> Result<Readings, Fault> {
        stats_file::decode(bytes)
            .map_err(|error| Fault::new(FaultKind::Corrupt, "reading readings", error))
    }

    fn decode_figures(&self, bytes: &[u8]) -> Result<BTreeMap<String, Value>, Fault> {
        stats_file::decode_figures(bytes)
            .map_err(|error| Fault::new(FaultKind::Corrupt, "reading readings", error))
    }

    fn kind_label(&self, kind: BackupKind) -> String {
        kind.label().to_owned()
    }
}

fn unreadable(error: ManifestFileError) -> Fault {
    let kind = match &error {
        // Nothing is wrong with the backup: this program is too old for it.
        ManifestFileError::NewerFormat { .. } => FaultKind::Invalid,
        ManifestFileError::Encode(_) => FaultKind::Internal,
        ManifestFileError::Unreadable(_)
        | ManifestFileError::NoSeal
        | ManifestFileError::SealBroken
        | ManifestFileError::HeaderOnly
        | ManifestFileError::ArchiveNotListed(_) => FaultKind::Corrupt,
    };
    Fault::new(kind, "reading a manifest", error)
}
