//! The source in a manifest: server, database, history.

use chrono::{DateTime, FixedOffset};
use respaldo_domain::source::{DatabaseProperties, Lineage, SourceFacts};
use respaldo_domain::table::Oid;
use serde::{Deserialize, Serialize};

/// The database a backup is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// Name of the database.
    pub base_datos: String,
    /// `server_version_num`.
    pub version_servidor: u32,
    /// Its history.
    pub linaje: LineageRecord,
    /// It was a standby.
    pub en_recuperacion: bool,
    /// Role that made the backup.
    pub rol: String,
    /// That role was a superuser.
    pub superusuario: bool,
    /// That role saw other sessions' activity.
    pub lee_estadisticas: bool,
    /// What makes an equal database.
    pub propiedades: PropertiesRecord,
}

/// The history transaction ids and counters belong to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineageRecord {
    /// System identifier: a text, because many JSON readers round numbers of this size.
    #[serde(with = "as_text")]
    pub identificador_sistema: u64,
    /// Identifier of the database.
    pub oid_base: Oid,
    /// Timeline.
    pub linea_de_tiempo: u32,
    /// Start of the server.
    pub inicio_servidor: DateTime<FixedOffset>,
    /// Reset of the archiver's statistics.
    pub reinicio_archivador: Option<DateTime<FixedOffset>>,
    /// Reset of the background writer's statistics.
    pub reinicio_bgwriter: Option<DateTime<FixedOffset>>,
}

/// Properties of the database itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertiesRecord {
    /// Encoding.
    pub codificacion: String,
    /// LC_COLLATE.
    pub collate: String,
    /// LC_CTYPE.
    pub ctype: String,
    /// Provider of the locale.
    pub proveedor_locale: Option<String>,
    /// ICU or builtin locale.
    pub locale: Option<String>,
    /// Owner.
    pub propietario: String,
    /// Grants.
    pub permisos: Option<Vec<String>>,
    /// Comment.
    pub comentario: Option<String>,
    /// Connection limit.
    pub limite_conexiones: i32,
    /// Settings: role and `name=value`.
    pub ajustes: Vec<(String, String)>,
    /// Tablespace.
    pub tablespace: String,
}

impl From<&SourceFacts> for SourceRecord {
    fn from(facts: &SourceFacts) -> Self {
        Self {
            base_datos: facts.database.clone(),
            version_servidor: facts.server_version_num,
            linaje: LineageRecord::from(&facts.lineage),
            en_recuperacion: facts.in_recovery,
            rol: facts.role.clone(),
            superusuario: facts.superuser,
            lee_estadisticas: facts.reads_all_stats,
            propiedades: PropertiesRecord::from(&facts.properties),
        }
    }
}

impl From<SourceRecord> for SourceFacts {
    fn from(record: SourceRecord) -> Self {
        Self {
            database: record.base_datos,
            server_version_num: record.version_servidor,
            lineage: record.linaje.into(),
            in_recovery: record.en_recuperacion,
            role: record.rol,
            superuser: record.superusuario,
            reads_all_stats: record.lee_estadisticas,
            properties: record.propiedades.into(),
        }
    }
}

impl From<&Lineage> for LineageRecord {
    fn from(lineage: &Lineage) -> Self {
        Self {
            identificador_sistema: lineage.system_identifier,
            oid_base: lineage.database_oid,
            linea_de_tiempo: lineage.timeline,
            inicio_servidor: lineage.server_started_at,
            reinicio_archivador: lineage.archiver_reset_at,
            reinicio_bgwriter: lineage.bgwriter_reset_at,
        }
    }
}

impl From<LineageRecord> for Lineage {
    fn from(record: LineageRecord) -> Self {
        Self {
            system_identifier: record.identificador_sistema,
            database_oid: record.oid_base,
            timeline: record.linea_de_tiempo,
            server_started_at: record.inicio_servidor,
            archiver_reset_at: record.reinicio_archivador,
            bgwriter_reset_at: record.reinicio_bgwriter,
        }
    }
}

impl From<&DatabaseProperties> for PropertiesRecord {
    fn from(properties: &DatabaseProperties) -> Self {
        let properties = properties.clone();
        Self {
            codificacion: properties.encoding,
            collate: properties.collate,
            ctype: properties.ctype,
            proveedor_locale: properties.locale_provider,
            locale: properties.locale,
            propietario: properties.owner,
            permisos: properties.acl,
            comentario: properties.comment,
            limite_conexiones: properties.connection_limit,
            ajustes: properties.settings,
            tablespace: properties.tablespace,
        }
    }
}

impl From<PropertiesRecord> for DatabaseProperties {
    fn from(record: PropertiesRecord) -> Self {
        Self {
            encoding: record.codificacion,
            collate: record.collate,
            ctype: record.ctype,
            locale_provider: record.proveedor_locale,
            locale: record.locale,
            owner: record.propietario,
            acl: record.permisos,
            comment: record.comentario,
            connection_limit: record.limite_conexiones,
            settings: record.ajustes,
            tablespace: record.tablespace,
        }
    }
}

/// A whole number written as text.
mod as_text {
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature serde asks for"
    )]
    pub(super) fn serialize<S: Serializer>(number: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
