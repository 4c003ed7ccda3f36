//! The smaller parts of a manifest.

use respaldo_domain::backup::ArchiveName;
use respaldo_domain::changes::Reason;
use respaldo_domain::coverage::{Coverage, Gap, GapKind};
use respaldo_domain::manifest::{
    ArchiveFacts, ArchiveRest, Compression, Contents, LargeObjects, PluginUse, Tools,
};
use respaldo_domain::object::{ObjectKey, ObjectRole, Plain, SealedObject, Sha256};
use serde::{Deserialize, Serialize};

use crate::labels::{wire, wire_open};

/// Programs that made a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolsRecord {
    /// Version of respaldo.
    pub respaldo: String,
    /// Name of the dumper.
    pub volcador: String,
    /// Version of pg_dump.
    pub pg_dump: String,
    /// Name of the detector.
    pub detector: String,
    /// Algorithm of the row fingerprints.
    pub huella: String,
    /// Libraries of others that took part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub complementos: Vec<PluginUseRecord>,
}

/// A library of others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginUseRecord {
    /// Its name in the configuration.
    pub nombre: String,
    /// `vendor.name`.
    pub id: String,
    /// Version.
    pub version: String,
    /// Hash of the library.
    pub sha256: Sha256,
}

/// An object of a backup set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectRecord {
    /// What it is for.
    #[serde(with = "wire")]
    pub rol: ObjectRole,
    /// Its key in every sink.
    pub clave: ObjectKey,
    /// Stored size.
    pub bytes: u64,
    /// Hash of the stored bytes.
    pub sha256: Sha256,
    /// What is in it, where it is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claro: Option<PlainRecord>,
}

/// Bytes that are stored encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlainRecord {
    /// How many.
    pub bytes: u64,
    /// Their hash.
    pub sha256: Sha256,
}

/// An archive that holds data of the restore point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveRecord {
    /// Its name.
    pub nombre: ArchiveName,
    /// Stored size.
    pub bytes: u64,
    /// Hash of the stored bytes.
    pub sha256: Sha256,
    /// Compression of its blocks.
    #[serde(with = "wire")]
    pub compresion: Compression,
    /// Version of its header.
    pub version_cabecera: String,
    /// Everything of it that is no block of rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resto: Option<RestRecord>,
    /// What is in it, where it is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claro: Option<PlainRecord>,
}

/// Header, definitions and large objects of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestRecord {
    /// Offsets and lengths.
    pub tramos: Vec<(u64, u64)>,
    /// Hash of these bytes one after the other.
    pub sha256: Sha256,
}

/// The table of contents of an archive, for backups that may take definitions from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentsRecord {
    /// Hash of what the definitions depend on.
    pub clave: Sha256,
    /// Its size.
    pub bytes: u64,
    /// Its hash.
    pub sha256: Sha256,
    /// The backup whose definitions these are, where they were not written anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tomado_de: Option<ArchiveName>,
}

/// All large objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LargeObjectsRecord {
    /// How many.
    pub cantidad: u64,
    /// Why they were dumped or not.
    #[serde(with = "wire_open")]
    pub motivo: Reason,
    /// Where they lie.
    pub archivo: Option<ArchiveName>,
    /// Hash of their contents, owners and grants.
    pub huella: Option<String>,
}

/// What a backup covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageRecord {
    /// Nothing is missing.
    pub completa: bool,
    /// What is.
    pub faltantes: Vec<GapRecord>,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapRecord {
    /// The object, quoted.
    pub objeto: String,
    /// What is in the way.
    #[serde(with = "wire")]
    pub causa: GapKind,
    /// A statement that mends it.
    pub remedio: String,
}

impl From<&Tools> for ToolsRecord {
    fn from(tools: &Tools) -> Self {
        let tools = tools.clone();
        Self {
            respaldo: tools.respaldo,
            volcador: tools.dumper,
            pg_dump: tools.pg_dump,
            detector: tools.detector,
            huella: tools.fingerprint,
            complementos: tools
                .plugins
                .into_iter()
                .map(|plugin| PluginUseRecord {
                    nombre: plugin.name,
                    id: plugin.id,
                    version: plugin.version,
                    sha256: plugin.sha256,
                })
                .collect(),
        }
    }
}

impl From<ToolsRecord> for Tools {
    fn from(record: ToolsRecord) -> Self {
        Self {
            respaldo: record.respaldo,
            dumper: record.volcador,
            pg_dump: record.pg_dump,
            detector: record.detector,
            fingerprint: record.huella,
            plugins: record
                .complementos
                .into_iter()
                .map(|plugin| PluginUse {
                    name: plugin.nombre,
                    id: plugin.id,
                    version: plugin.version,
                    sha256: plugin.sha256,
                })
                .collect(),
        }
    }
}

impl From<Plain> for PlainRecord {
    fn from(plain: Plain) -> Self {
        Self {
            bytes: plain.size_bytes,
            sha256: plain.sha256,
        }
    }
}

impl From<PlainRecord> for Plain {
    fn from(record: PlainRecord) -> Self {
        Self {
            size_bytes: record.bytes,
            sha256: record.sha256,
        }
    }
}

impl From<&SealedObject> for ObjectRecord {
    fn from(object: &SealedObject) -> Self {
        Self {
            rol: object.role,
            clave: object.key.clone(),
            bytes: object.size_bytes,
            sha256: object.sha256,
            claro: object.plain.map(Into::into),
        }
    }
}

impl From<ObjectRecord> for SealedObject {
    fn from(record: ObjectRecord) -> Self {
        Self {
            role: record.rol,
            key: record.clave,
            size_bytes: record.bytes,
            sha256: record.sha256,
            plain: record.claro.map(Into::into),
        }
    }
}

impl From<&ArchiveFacts> for ArchiveRecord {
    fn from(facts: &ArchiveFacts) -> Self {
        Self {
            nombre: facts.name.clone(),
            bytes: facts.size_bytes,
            sha256: facts.sha256,
            compresion: facts.compression,
            version_cabecera: facts.header_version.clone(),
            resto: facts.rest.as_ref().map(|rest| RestRecord {
                tramos: rest.ranges.clone(),
                sha256: rest.sha256,
            }),
            claro: facts.plain.map(Into::into),
        }
    }
}

impl From<ArchiveRecord> for ArchiveFacts {
    fn from(record: ArchiveRecord) -> Self {
        Self {
            name: record.nombre,
            size_bytes: record.bytes,
            sha256: record.sha256,
            compression: record.compresion,
            header_version: record.version_cabecera,
            rest: record.resto.map(|rest| ArchiveRest {
                ranges: rest.tramos,
                sha256: rest.sha256,
            }),
            plain: record.claro.map(Into::into),
        }
    }
}

impl From<&Contents> for ContentsRecord {
    fn from(contents: &Contents) -> Self {
        Self {
            clave: contents.key,
            bytes: contents.size_bytes,
            sha256: contents.sha256,
            tomado_de: contents.taken_from.clone(),
        }
    }
}

impl From<ContentsRecord> for Contents {
    fn from(record: ContentsRecord) -> Self {
        Self {
            key: record.clave,
            size_bytes: record.bytes,
            sha256: record.sha256,
            taken_from: record.tomado_de,
        }
    }
}

impl From<&LargeObjects> for LargeObjectsRecord {
    fn from(objects: &LargeObjects) -> Self {
        let objects = objects.clone();
        Self {
            cantidad: objects.count,
            motivo: objects.reason,
            archivo: objects.archive,
            huella: objects.fingerprint,
        }
    }
}

impl From<LargeObjectsRecord> for LargeObjects {
    fn from(record: LargeObjectsRecord) -> Self {
        Self {
            count: record.cantidad,
            reason: record.motivo,
            archive: record.archivo,
            fingerprint: record.huella,
        }
    }
}

impl From<&Coverage> for CoverageRecord {
    fn from(coverage: &Coverage) -> Self {
        let gap = |gap: &Gap| GapRecord {
            objeto: gap.object.clone(),
            causa: gap.kind,
            remedio: gap.remedy.clone(),
        };
        Self {
            completa: coverage.is_complete(),
            faltantes: coverage.gaps.iter().map(gap).collect(),
        }
    }
}

impl From<CoverageRecord> for Coverage {
    fn from(record: CoverageRecord) -> Self {
        let gap = |gap: GapRecord| Gap {
            object: gap.objeto,
            kind: gap.causa,
            remedy: gap.remedio,
        };
        Self {
            gaps: record.faltantes.into_iter().map(gap).collect(),
        }
    }
}
