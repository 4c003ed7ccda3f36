//! The seal at the end of a manifest.
//!
//! It covers the bytes as they are stored rather than some canonical form of their meaning, so
//! keys that this version does not know are covered too, and `sha256sum` alone can check it.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::ManifestFileError;
use crate::layout;

const KEY: &str = "\"sello\":\"";
const END: &str = "\"\n}\n";
const HEX_DIGITS: usize = 64;

/// Writes an object and adds the seal as its last field.
pub(super) fn seal<T: Serialize>(document: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = layout::to_lines(document)?;
    let content = bytes
        .trim_ascii_end()
        .strip_suffix(b"}")
        .unwrap_or(&bytes)
        .trim_ascii_end();
    bytes.truncate(content.len());
    bytes.extend_from_slice(b",\n ");
    let hash = hex_of(&bytes);
    for part in [KEY, &hash, END] {
        bytes.extend_from_slice(part.as_bytes());
    }
    Ok(bytes)
}

/// Checks that the bytes are those that were sealed.
pub(super) fn check(bytes: &[u8]) -> Result<(), ManifestFileError> {
    let (content, hash) = split(bytes).ok_or(ManifestFileError::NoSeal)?;
    if hex_of(content).as_bytes() == hash {
        Ok(())
    } else {
        Err(ManifestFileError::SealBroken)
    }
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_suffix(END.as_bytes())?;
    let (rest, hash) = rest.split_at_checked(rest.len().checked_sub(HEX_DIGITS)?)?;
    Some((rest.strip_suffix(KEY.as_bytes())?, hash))
}

fn hex_of(bytes: &[u8]) -> String {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    respaldo_domain::object::Sha256(digest).to_string()
}
