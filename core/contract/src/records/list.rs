//! One line of `list`.

use chrono::{DateTime, FixedOffset};
use respaldo_domain::backup::{BackupId, BackupState};
use respaldo_domain::object::Sha256;
use serde::Serialize;

use crate::labels::wire;

/// A catalogued backup, ours or the existing system's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListRecord {
    /// Number; null where storage told of it and no catalog did.
    pub id: Option<BackupId>,
    /// Type as stored; MANUAL occurs in old rows.
    pub tipo: String,
    /// Path or address of the archive.
    pub archivo: String,
    /// File name of the archive.
    pub nombre: String,
    /// Start.
    pub fecha_inicio: DateTime<FixedOffset>,
    /// End.
    pub fecha_fin: DateTime<FixedOffset>,
    /// Stored size in bytes.
    pub tamano: Option<u64>,
    /// Hash of the archive.
    pub checksum: Option<Sha256>,
    /// State.
    #[serde(serialize_with = "wire::serialize")]
    pub estado: BackupState,
    /// Copied to a second place.
    pub nube_subido: bool,
    /// Where that copy is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nube_url: Option<String>,
    /// What is there: LOCAL, S3 ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nube_proveedor: Option<String>,
    /// Number of the base.
    pub backup_base_id: Option<BackupId>,
    /// WAL position at its snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lsn_inicio: Option<String>,
    /// WAL position after its dump.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lsn_fin: Option<String>,
    /// The operator's label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etiqueta: Option<String>,
    /// Made by respaldo rather than by the existing system.
    pub propio: bool,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_mensaje: Option<String>,
}
