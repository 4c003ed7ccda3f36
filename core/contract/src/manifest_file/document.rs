//! The whole manifest, field by field in the order of the file.

use std::borrow::Cow;

use chrono::{DateTime, FixedOffset};
use respaldo_domain::backup::{ArchiveName, BackupKind, Trigger};
use respaldo_domain::base::FullReason;
use respaldo_domain::coverage::Coverage;
use respaldo_domain::manifest::{Counts, FORMAT, Header, Manifest, TableEntry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    ArchiveRecord, ContentsRecord, CoverageRecord, LargeObjectsRecord, ObjectRecord, SourceRecord,
    ToolsRecord,
};
use crate::labels::{wire, wire_option};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Document<'a> {
    formato: u32,
    archivo: ArchiveName,
    #[serde(with = "wire")]
    tipo: BackupKind,
    etiqueta: Option<String>,
    #[serde(with = "wire")]
    disparador: Trigger,
    ejecucion: Uuid,
    secuencia: u64,
    base: Option<ArchiveName>,
    full: ArchiveName,
    #[serde(with = "wire_option", default)]
    motivo_full: Option<FullReason>,
    inicio: DateTime<FixedOffset>,
    fin: DateTime<FixedOffset>,
    instantanea: DateTime<FixedOffset>,
    lsn_inicio: Option<String>,
    lsn_fin: Option<String>,
    origen: SourceRecord,
    herramientas: ToolsRecord,
    objetos: Vec<ObjectRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    definiciones: Option<ArchiveName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    indice: Option<ContentsRecord>,
    archivos: Vec<ArchiveRecord>,
    #[serde(with = "super::table::each")]
    tablas: Cow<'a, [TableEntry]>,
    objetos_grandes: LargeObjectsRecord,
    excluidos: Vec<String>,
    cobertura: CoverageRecord,
    esquemas: Vec<String>,
    roles: Vec<String>,
}

impl<'a> Document<'a> {
    pub(super) fn of(manifest: &'a Manifest) -> Self {
        Self {
            formato: FORMAT,
            archivo: manifest.archive.clone(),
            tipo: manifest.kind,
            etiqueta: manifest.label.clone(),
            disparador: manifest.trigger,
            ejecucion: manifest.run,
            secuencia: manifest.sequence,
            base: manifest.base.clone(),
            full: manifest.full.clone(),
            motivo_full: manifest.full_reason,
            inicio: manifest.started_at,
            fin: manifest.finished_at,
            instantanea: manifest.snapshot_at,
            lsn_inicio: manifest.lsn_start.clone(),
            lsn_fin: manifest.lsn_end.clone(),
            origen: SourceRecord::from(&manifest.source),
            herramientas: ToolsRecord::from(&manifest.tools),
            objetos: manifest.objects.iter().map(ObjectRecord::from).collect(),
            definiciones: manifest.definitions.clone(),
            indice: manifest.contents.as_ref().map(ContentsRecord::from),
            archivos: manifest.archives.iter().map(ArchiveRecord::from).collect(),
            tablas: Cow::Borrowed(&manifest.tables),
            objetos_grandes: LargeObjectsRecord::from(&manifest.large_objects),
            excluidos: manifest.excluded.clone(),
            cobertura: CoverageRecord::from(&manifest.coverage),
            esquemas: manifest.schemas.clone(),
            roles: manifest.roles.clone(),
        }
    }

    pub(super) fn format(&self) -> u32 {
        self.formato
    }
}

impl From<Document<'_>> for Manifest {
    fn from(document: Document<'_>) -> Self {
        let coverage = Coverage::from(document.cobertura);
        let header = Header {
            counts: Counts::of(&document.archivo, &document.tablas, &coverage),
            archive: document.archivo,
            kind: document.tipo,
            label: document.etiqueta,
            trigger: document.disparador,
            run: document.ejecucion,
            sequence: document.secuencia,
            base: document.base,
            full: document.full,
            full_reason: document.motivo_full,
            started_at: document.inicio,
            finished_at: document.fin,
            snapshot_at: document.instantanea,
            lsn_start: document.lsn_inicio,
            lsn_end: document.lsn_fin,
            source: document.origen.into(),
            tools: document.herramientas.into(),
            objects: document.objetos.into_iter().map(Into::into).collect(),
            definitions: document.definiciones,
            archives: document.archivos.into_iter().map(Into::into).collect(),
            excluded: document.excluidos,
        };
        Self {
            header,
            contents: document.indice.map(Into::into),
            tables: document.tablas.into_owned(),
            large_objects: document.objetos_grandes.into(),
            coverage,
            schemas: document.esquemas,
            roles: document.roles,
        }
    }
}
