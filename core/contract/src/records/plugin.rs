//! Results of `plugin`.

use serde::Serialize;

/// Strategies there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginListRecord {
    /// Those that come with respaldo, then the configured ones.
    pub complementos: Vec<PluginRecord>,
}

/// A strategy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PluginRecord {
    /// The name by which a configuration uses it.
    pub nombre: String,
    /// `sink`, `detector`, `dumper` or `validator`; none where a plugin cannot be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clase: Option<&'static str>,
    /// It comes with respaldo.
    pub incluido: bool,
    /// It can be used.
    pub utilizable: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problema: Option<String>,
    /// `vendor.name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its own name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub titulo: Option<String>,
    /// Version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Who makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autor: Option<String>,
    /// SPDX expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licencia: Option<String>,
    /// One sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descripcion: Option<String>,
    /// The library.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ruta: Option<String>,
    /// Its hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// `process` or `in-process`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aislamiento: Option<&'static str>,
    /// Version of the interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interfaz: Option<String>,
    /// JSON Schema of its options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opciones: Option<serde_json::Value>,
}

/// The configuration that allows a library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginPinRecord {
    /// The library.
    pub ruta: String,
    /// Its hash.
    pub sha256: String,
    /// What is in it.
    pub complementos: Vec<PluginRecord>,
    /// Lines for the configuration file.
    pub configuracion: String,
}

/// What an examination of a library found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginCheckRecord {
    /// Every promise is kept.
    pub exitoso: bool,
    /// A sentence about it.
    pub mensaje: String,
    /// The library.
    pub ruta: String,
    /// Its hash.
    pub sha256: String,
    /// What was examined.
    pub complemento: PluginRecord,
    /// Every promise.
    pub comprobaciones: Vec<PromiseRecord>,
}

/// A promise and whether it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PromiseRecord {
    /// `biblioteca`, `instancia`, `comportamiento` or `cadena`.
    pub seccion: &'static str,
    /// The promise.
    pub promesa: String,
    /// It is kept.
    pub cumple: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detalle: Option<String>,
}

/// A skeleton that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginNewRecord {
    /// It was written.
    pub exitoso: bool,
    /// A sentence about it.
    pub mensaje: String,
    /// The folder.
    pub carpeta: String,
    /// Files in it.
    pub archivos: Vec<String>,
}
