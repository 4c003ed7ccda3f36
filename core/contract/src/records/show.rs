//! The result of `show`: everything a manifest says.

use chrono::{DateTime, FixedOffset};
use respaldo_domain::backup::{ArchiveName, BackupId, BackupState};
use respaldo_domain::manifest::{Manifest, TableEntry};
use respaldo_domain::object::{ObjectRole, Sha256};
use serde::Serialize;
use uuid::Uuid;

use super::common::seconds_between;
use crate::labels::{Label, OpenLabel, wire};
use crate::manifest_file::{
    ArchiveRecord, ContentsRecord, CoverageRecord, DataRecord, LargeObjectsRecord, ObjectRecord,
    SourceRecord, ToolsRecord,
};
use crate::messages::{Lang, Spoken};

/// One backup in full.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShowRecord {
    /// Number, where the catalog knows it.
    pub id: Option<BackupId>,
    /// Its kind.
    pub tipo: String,
    /// State.
    #[serde(serialize_with = "wire::serialize")]
    pub estado: BackupState,
    /// Path or address of its archive.
    pub archivo: String,
    /// Lasting name.
    pub nombre: ArchiveName,
    /// The operator's label.
    pub etiqueta: Option<String>,
    /// Who asked for it.
    pub disparador: String,
    /// The run.
    pub ejecucion: Uuid,
    /// Place in the repository's history.
    pub secuencia: u64,
    /// What it was compared with.
    pub base: Option<ArchiveName>,
    /// The full at the root of its chain.
    pub full: ArchiveName,
    /// Why a full was made instead of what was asked for.
    pub motivo_full: Option<String>,
    /// Start.
    pub inicio: DateTime<FixedOffset>,
    /// End.
    pub fin: DateTime<FixedOffset>,
    /// The restore point.
    pub instantanea: DateTime<FixedOffset>,
    /// Seconds from start to end.
    pub duracion_segundos: f64,
    /// WAL position at the snapshot.
    pub lsn_inicio: Option<String>,
    /// WAL position after the dump.
    pub lsn_fin: Option<String>,
    /// Stored size of the archive.
    pub tamano_bytes: Option<u64>,
    /// Hash of the archive.
    pub checksum_sha256: Option<Sha256>,
    /// Tables of the database.
    pub tablas_total: usize,
    /// Tables dumped.
    pub tablas_volcadas: usize,
    /// The database it is of.
    pub origen: SourceRecord,
    /// What made it.
    pub herramientas: ToolsRecord,
    /// Objects of the set.
    pub objetos: Vec<ObjectRecord>,
    /// The table of contents of its archive, and whose definitions are in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indice: Option<ContentsRecord>,
    /// Archives that hold data of this restore point.
    pub archivos: Vec<ArchiveRecord>,
    /// Each table: why it was dumped or not, where its data lies.
    pub tablas: Vec<ShowTableRecord>,
    /// All large objects.
    pub objetos_grandes: LargeObjectsRecord,
    /// Relations excluded by configuration.
    pub excluidos: Vec<String>,
    /// What could not be read.
    pub cobertura: CoverageRecord,
    /// Schemas of the database.
    pub esquemas: Vec<String>,
    /// Roles its objects name.
    pub roles: Vec<String>,
}

/// A table of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShowTableRecord {
    /// Its name, quoted where needed.
    pub tabla: String,
    /// What it is.
    pub clase: String,
    /// Its rows are in this backup's archive.
    pub volcada: bool,
    /// Reason code.
    pub motivo: String,
    /// The reason in words.
    pub explicacion: String,
    /// Where its rows lie, and their fingerprint.
    pub datos: Option<DataRecord>,
    /// Columns with their types.
    pub columnas: Vec<(String, String)>,
}

/// What the catalog knows of a backup besides its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogued {
    /// Number, where the catalog knows it.
    pub id: Option<BackupId>,
    /// State.
    pub state: BackupState,
    /// Where its archive lies.
    pub location: String,
}

impl ShowRecord {
    /// The record of a manifest.
    pub fn of(manifest: &Manifest, catalogued: Catalogued, lang: Lang) -> Self {
        let archive = manifest.object(ObjectRole::Archive);
        Self {
            id: catalogued.id,
            tipo: manifest.kind.label().to_owned(),
            estado: catalogued.state,
            archivo: catalogued.location,
            nombre: manifest.archive.clone(),
            etiqueta: manifest.label.clone(),
            disparador: manifest.trigger.label().to_owned(),
            ejecucion: manifest.run,
            secuencia: manifest.sequence,
            base: manifest.base.clone(),
            full: manifest.full.clone(),
            motivo_full: manifest.full_reason.map(|reason| reason.label().to_owned()),
            inicio: manifest.started_at,
            fin: manifest.finished_at,
            instantanea: manifest.snapshot_at,
            duracion_segundos: seconds_between(manifest.started_at, manifest.finished_at),
            lsn_inicio: manifest.lsn_start.clone(),
            lsn_fin: manifest.lsn_end.clone(),
            tamano_bytes: archive.map(|archive| archive.size_bytes),
            checksum_sha256: archive.map(|archive| archive.sha256),
            tablas_total: manifest.tables.len(),
            tablas_volcadas: manifest.dumped().count(),
            origen: SourceRecord::from(&manifest.source),
            herramientas: ToolsRecord::from(&manifest.tools),
            objetos: manifest.objects.iter().map(ObjectRecord::from).collect(),
            indice: manifest.contents.as_ref().map(ContentsRecord::from),
            archivos: manifest.archives.iter().map(ArchiveRecord::from).collect(),
            tablas: manifest
                .tables
                .iter()
                .map(|table| table_of(table, manifest, lang))
                .collect(),
            objetos_grandes: LargeObjectsRecord::from(&manifest.large_objects),
            excluidos: manifest.excluded.clone(),
            cobertura: CoverageRecord::from(&manifest.coverage),
            esquemas: manifest.schemas.clone(),
            roles: manifest.roles.clone(),
        }
    }
}

fn table_of(table: &TableEntry, manifest: &Manifest, lang: Lang) -> ShowTableRecord {
    let column =
        |column: &respaldo_domain::table::Column| (column.name.clone(), column.sql_type.clone());
    ShowTableRecord {
        tabla: table.name.to_string(),
        clase: table.kind.label().to_owned(),
        volcada: table.holds_data_in(&manifest.archive),
        motivo: table.reason.label().to_owned(),
        explicacion: table.reason.spoken(lang).to_owned(),
        datos: table.data.clone().map(DataRecord::from),
        columnas: table.columns.iter().map(column).collect(),
    }
}
