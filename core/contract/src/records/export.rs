//! The results of `export` and `escape-kit`.

use chrono::{DateTime, FixedOffset};
use respaldo_domain::manifest::Manifest;
use respaldo_domain::object::Sha256;
use serde::Serialize;

use crate::manifest_file::CoverageRecord;
use crate::messages::{Lang, Outcome, size};

/// An archive that was exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportRecord {
    /// It was done.
    pub exitoso: bool,
    /// A sentence about it.
    pub mensaje: String,
    /// The file.
    pub archivo: String,
    /// Its size.
    pub tamano_bytes: u64,
    /// Lasting name of the backup.
    pub nombre: String,
    /// The restore point.
    pub instantanea: DateTime<FixedOffset>,
    /// Tables with rows in it.
    pub tablas: usize,
    /// Archives whose data was used, in the order of the chain.
    pub backups_usados: Vec<String>,
    /// What the backup could not read.
    pub cobertura: CoverageRecord,
}

/// An escape kit that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EscapeKitRecord {
    /// It was done.
    pub exitoso: bool,
    /// A sentence about it.
    pub mensaje: String,
    /// The folder.
    pub carpeta: String,
    /// Size of its files.
    pub tamano_bytes: u64,
    /// Lasting name of the backup.
    pub nombre: String,
    /// The restore point.
    pub instantanea: DateTime<FixedOffset>,
    /// Tables with rows in it.
    pub tablas: usize,
    /// Its files, as SHA256SUMS lists them.
    pub archivos: Vec<KitFileRecord>,
    /// What the backup could not read.
    pub cobertura: CoverageRecord,
}

/// A file of an escape kit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KitFileRecord {
    /// Its path in the folder.
    pub archivo: String,
    /// Its size.
    pub tamano_bytes: u64,
    /// Its hash.
    pub checksum_sha256: Sha256,
}

impl ExportRecord {
    /// The record of an export into a file.
    pub fn of(manifest: &Manifest, file: &str, size_bytes: u64, lang: Lang) -> Self {
        let exported = Outcome::Exported {
            file: &file,
            size: &size(size_bytes, lang),
        };
        Self {
            exitoso: true,
            mensaje: exported.text(lang),
            archivo: file.to_owned(),
            tamano_bytes: size_bytes,
            nombre: manifest.archive.to_string(),
            instantanea: manifest.snapshot_at,
            tablas: tables(manifest),
            backups_usados: manifest
                .archives
                .iter()
                .map(|facts| facts.name.to_string())
                .collect(),
            cobertura: CoverageRecord::from(&manifest.coverage),
        }
    }
}

impl EscapeKitRecord {
    /// The record of a kit.
    pub fn of(manifest: &Manifest, folder: &str, files: Vec<KitFileRecord>, lang: Lang) -> Self {
        Self {
            exitoso: true,
            mensaje: Outcome::EscapeKitWritten { folder: &folder }.text(lang),
            carpeta: folder.to_owned(),
            tamano_bytes: files.iter().map(|file| file.tamano_bytes).sum(),
            nombre: manifest.archive.to_string(),
            instantanea: manifest.snapshot_at,
            tablas: tables(manifest),
            archivos: files,
            cobertura: CoverageRecord::from(&manifest.coverage),
        }
    }
}

fn tables(manifest: &Manifest) -> usize {
    let tables = manifest.tables.iter();
    tables.filter(|table| table.data.is_some()).count()
}
