//! The result of `cloud`.

use serde::Serialize;

/// The copy to a second place, as the existing panel sets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CloudRecord {
    /// Backups are copied.
    pub enabled: bool,
    /// LOCAL, GOOGLE_DRIVE or S3.
    pub provider: &'static str,
    /// The folder.
    pub sync_dir: String,
    /// The sinks that copies go to now.
    pub destinos: Vec<String>,
    /// What is asked for and done in another way, or not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aviso: Option<String>,
}

/// What became of the copy of one backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CloudCopyRecord {
    /// It is there with all that it is restored from, or is not there any more.
    pub exitoso: bool,
    /// A sentence about it.
    pub mensaje: String,
    /// The sink.
    pub destino: String,
    /// Lasting name of the backup.
    pub archivo: String,
    /// Where its copy is; missing where there is none any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Backups copied now.
    pub copiados: Vec<String>,
    /// Stored bytes that were copied, or removed.
    pub bytes: u64,
    /// Backups that are still missing there, and why.
    pub fallidos: Vec<super::SinkLackRecord>,
}
