//! Results of `sink`.

use serde::Serialize;

use super::PromiseRecord;

/// The configured sinks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SinkListRecord {
    /// In the order in which they are read.
    pub destinos: Vec<SinkStateRecord>,
}

/// How a sink stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SinkStateRecord {
    /// Its name in the configuration.
    pub nombre: String,
    /// What it is: `local`, `s3`, a plugin's name.
    pub clase: String,
    /// A backup fails where it does.
    pub requerido: bool,
    /// Where its objects are found.
    pub direccion: String,
    /// It answers.
    pub disponible: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problema: Option<String>,
    /// Room left, where it can tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub espacio_libre_bytes: Option<u64>,
    /// Backups that it is owed.
    pub pendientes: usize,
    /// Why the last try to give it one failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub motivo_pendiente: Option<String>,
}

/// What an examination of a sink found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SinkCheckRecord {
    /// Every promise is kept.
    pub exitoso: bool,
    /// A sentence about it.
    pub mensaje: String,
    /// The sink.
    pub destino: String,
    /// Every promise.
    pub comprobaciones: Vec<PromiseRecord>,
}

/// What was copied into a sink.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SinkSyncRecord {
    /// It lacks nothing any more.
    pub exitoso: bool,
    /// A sentence about it.
    pub mensaje: String,
    /// The sink.
    pub destino: String,
    /// Backups copied now.
    pub copiados: Vec<String>,
    /// Their stored bytes.
    pub bytes: u64,
    /// Backups that it still lacks.
    pub fallidos: Vec<SinkLackRecord>,
    /// Those that it has and does not lock for as long as others need them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sin_bloqueo: Vec<SinkLackRecord>,
}

/// A backup that a sink still lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SinkLackRecord {
    /// The backup.
    pub archivo: String,
    /// Why it was not copied.
    pub motivo: String,
}
