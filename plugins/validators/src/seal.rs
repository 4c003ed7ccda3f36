//! Manifests in storage.

use std::io::Read;

use respaldo_domain::backup::ArchiveName;
use respaldo_domain::manifest::Header;
use respaldo_engine::ports::{Codec, Context, Fault, FaultKind, ValidationRequest};

use crate::stream::Watched;

const MAX_MANIFEST_BYTES: u64 = 512 * 1024 * 1024;

/// The stored bytes of a set's manifest, and its header.
pub(crate) fn read(
    request: &ValidationRequest<'_>,
    name: &ArchiveName,
    codec: &dyn Codec,
    cx: &Context,
) -> Result<(Vec<u8>, Header), Fault> {
    let key = name.manifest_key();
    let mut stream = Watched::open(request.objects, &key, None, cx)?;
    let mut bytes = Vec::new();
    let read = stream
        .by_ref()
        .take(MAX_MANIFEST_BYTES)
        .read_to_end(&mut bytes);
    if let Some(fault) = stream.into_fault() {
        return Err(fault);
    }
    read.map_err(|error| Fault::io(format!("read {key}"), error))?;
    let header = codec.decode_header(&bytes)?;
    if header.archive == *name {
        return Ok((bytes, header));
    }
    let subject = format!("{key} is the manifest of {}", header.archive);
    Err(Fault::bare(FaultKind::Corrupt, subject))
}
