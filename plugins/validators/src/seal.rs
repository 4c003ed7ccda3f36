//! Manifests in storage.

use std::io::Read;

use respaldo_domain::backup::ArchiveName;
use respaldo_domain::manifest::Manifest;
use respaldo_engine::ports::{Codec, Context, Fault, FaultKind, ValidationRequest};

use crate::stream::Watched;

const MAX_MANIFEST_BYTES: u64 = 512 * 1024 * 1024;

/// The stored bytes of a set's manifest, and the manifest they are.
pub(crate) fn read(
    request: &ValidationRequest<'_>,
    name: &ArchiveName,
    codec: &dyn Codec,
    cx: &Context,
) -> Result<(Vec<u8>, Manifest), Fault> {
    let key = name.manifest_key();
    let mut stream = Watched::open(request, &key, None, cx)?;
    let mut bytes = Vec::new();
    let read = stream
        .by_ref()
        .take(MAX_MANIFEST_BYTES)
        .read_to_end(&mut bytes);
    if let Some(fault) = stream.into_fault() {
        return Err(fault);
    }
    read.map_err(|error| Fault::io(format!("read {key}"), error))?;
    let manifest = codec.decode_manifest(&bytes)?;
    if manifest.archive == *name {
        return Ok((bytes, manifest));
    }
    let subject = format!("{key} is the manifest of {}", manifest.archive);
    Err(Fault::bare(FaultKind::Corrupt, subject))
}
