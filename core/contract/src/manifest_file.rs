//! The manifest as it is stored: JSON with Spanish keys, one line per table, and a seal.
//!
//! The last field, `sello`, is the SHA-256 of every byte before its own key: whoever edits,
//! truncates or re-encodes a manifest breaks it. Within a format unknown keys are ignored, so
//! that a later minor version may add some; a newer format is refused by name before anything
//! else is looked at.
//!
//! Of an encrypted set the file is a header, format 2: what may be known without a key. The whole
//! manifest, format 1, is an encrypted object of the set.

use respaldo_domain::manifest::{FORMAT, HEADER_FORMAT, Header, Manifest};
use serde::Deserialize;

mod document;
mod header;
mod parts;
mod seal;
mod source;
mod table;

use document::Document;
use header::HeaderDocument;
pub use parts::{
    ArchiveRecord, ContentsRecord, CoverageRecord, GapRecord, LargeObjectsRecord, ObjectRecord,
    PlainRecord, PluginUseRecord, ToolsRecord,
};
pub use source::{LineageRecord, PropertiesRecord, SourceRecord};
pub use table::DataRecord;

/// A manifest that cannot be written or used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestFileError {
    /// It could not be put into JSON.
    #[error("writing a manifest")]
    Encode(#[source] serde_json::Error),
    /// Not JSON, cut off, or not a manifest.
    #[error("the manifest is not readable")]
    Unreadable(#[source] serde_json::Error),
    /// Made by a newer version.
    #[error("the manifest has format {found}, this version reads up to {known}: upgrade respaldo")]
    NewerFormat {
        /// Its format.
        found: u32,
        /// The newest known here.
        known: u32,
    },
    /// It does not end in a seal.
    #[error("the manifest has no seal at its end")]
    NoSeal,
    /// The seal is of other bytes.
    #[error("the manifest was changed after it was sealed")]
    SealBroken,
    /// The whole of it is elsewhere, encrypted.
    #[error("it is the header of an encrypted manifest")]
    HeaderOnly,
    /// It needs an archive which it does not describe.
    #[error("the manifest does not describe the archive {0}")]
    ArchiveNotListed(String),
}

/// A manifest as the bytes to be stored.
pub fn encode(manifest: &Manifest) -> Result<Vec<u8>, ManifestFileError> {
    seal::seal(&Document::of(manifest)).map_err(ManifestFileError::Encode)
}

/// Reads stored bytes back. What is wrong with them is told in this order: format, seal, content.
///
/// ```
/// use respaldo_contract::manifest_file::{ManifestFileError, decode};
///
/// let newer = br#"{"formato": 99, "sello": "of a kind not known yet"}"#;
/// let refused = decode(newer);
/// assert!(matches!(refused, Err(ManifestFileError::NewerFormat { found: 99, .. })));
/// ```
pub fn decode(bytes: &[u8]) -> Result<Manifest, ManifestFileError> {
    let document = document(bytes).map_err(|found| refusal(bytes, found))?;
    let manifest = Manifest::from(document);
    describes_what_it_needs(&manifest)?;
    Ok(manifest)
}

/// A sealed whole manifest. A file of thousands of tables is read once.
fn document(bytes: &[u8]) -> Result<Document<'_>, ManifestFileError> {
    seal::check(bytes)?;
    let document: Document<'_> =
        serde_json::from_slice(bytes).map_err(ManifestFileError::Unreadable)?;
    match document.format() {
        ..HEADER_FORMAT => Ok(document),
        _ => Err(ManifestFileError::HeaderOnly),
    }
}

/// What is told of bytes that are no whole manifest: what their format says comes before what was found.
fn refusal(bytes: &[u8], found: ManifestFileError) -> ManifestFileError {
    match (format(bytes), found) {
        (Err(unknown), _) => unknown,
        (Ok(HEADER_FORMAT), ManifestFileError::Unreadable(_)) => ManifestFileError::HeaderOnly,
        (Ok(_), found) => found,
    }
}

/// The header of an encrypted manifest as the bytes to be stored.
pub fn encode_header(header: &Header) -> Result<Vec<u8>, ManifestFileError> {
    seal::seal(&HeaderDocument::of(header)).map_err(ManifestFileError::Encode)
}

/// Reads the header of any manifest back.
pub fn decode_header(bytes: &[u8]) -> Result<Header, ManifestFileError> {
    if opened(bytes)? == FORMAT {
        return decode(bytes).map(|manifest| manifest.header);
    }
    let document: HeaderDocument =
        serde_json::from_slice(bytes).map_err(ManifestFileError::Unreadable)?;
    let header = Header::from(document);
    match header.archive_facts(&header.archive) {
        Some(_) => Ok(header),
        None => Err(ManifestFileError::ArchiveNotListed(
            header.archive.to_string(),
        )),
    }
}

/// The format of sealed bytes.
fn opened(bytes: &[u8]) -> Result<u32, ManifestFileError> {
    let format = format(bytes)?;
    seal::check(bytes)?;
    Ok(format)
}

/// The format that bytes say they are of.
fn format(bytes: &[u8]) -> Result<u32, ManifestFileError> {
    let Head { formato } = serde_json::from_slice(bytes).map_err(ManifestFileError::Unreadable)?;
    if formato > HEADER_FORMAT {
        return Err(ManifestFileError::NewerFormat {
            found: formato,
            known: HEADER_FORMAT,
        });
    }
    Ok(formato)
}

/// What is told before anything else.
#[derive(Deserialize)]
struct Head {
    formato: u32,
}

/// A restore looks archives up by name: each one named must be described.
fn describes_what_it_needs(manifest: &Manifest) -> Result<(), ManifestFileError> {
    let of_tables = manifest
        .tables
        .iter()
        .filter_map(|table| Some(&table.data.as_ref()?.archive));
    let of_objects = manifest.large_objects.archive.iter();
    let mut needed = std::iter::once(&manifest.archive)
        .chain(of_tables)
        .chain(of_objects);
    match needed.find(|name| manifest.archive_facts(name).is_none()) {
        Some(name) => Err(ManifestFileError::ArchiveNotListed(name.to_string())),
        None => Ok(()),
    }
}
