//! The header of an encrypted manifest, field by field in the order of the file.
//!
//! They are the first ones of the whole document and stand here again: flattened into it, a reader
//! would hold all tables twice before it knew what they are.

use chrono::{DateTime, FixedOffset};
use respaldo_domain::backup::{ArchiveName, BackupKind, Trigger};
use respaldo_domain::base::FullReason;
use respaldo_domain::manifest::{Counts, HEADER_FORMAT, Header};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ArchiveRecord, ObjectRecord, SourceRecord, ToolsRecord};
use crate::labels::{wire, wire_option};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct HeaderDocument {
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
    archivos: Vec<ArchiveRecord>,
    excluidos: Vec<String>,
    tablas_total: usize,
    tablas_volcadas: usize,
    cobertura_completa: bool,
}

impl HeaderDocument {
    pub(super) fn of(header: &Header) -> Self {
        Self {
            formato: HEADER_FORMAT,
            archivo: header.archive.clone(),
            tipo: header.kind,
            etiqueta: header.label.clone(),
            disparador: header.trigger,
            ejecucion: header.run,
            secuencia: header.sequence,
            base: header.base.clone(),
            full: header.full.clone(),
            motivo_full: header.full_reason,
            inicio: header.started_at,
            fin: header.finished_at,
            instantanea: header.snapshot_at,
            lsn_inicio: header.lsn_start.clone(),
            lsn_fin: header.lsn_end.clone(),
            origen: SourceRecord::from(&header.source),
            herramientas: ToolsRecord::from(&header.tools),
            objetos: header.objects.iter().map(ObjectRecord::from).collect(),
            definiciones: header.definitions.clone(),
            archivos: header.archives.iter().map(ArchiveRecord::from).collect(),
            excluidos: header.excluded.clone(),
            tablas_total: header.counts.tables,
            tablas_volcadas: header.counts.dumped,
            cobertura_completa: header.counts.is_complete,
        }
    }
}

impl From<HeaderDocument> for Header {
    fn from(document: HeaderDocument) -> Self {
        Self {
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
            counts: Counts {
                tables: document.tablas_total,
                dumped: document.tablas_volcadas,
                is_complete: document.cobertura_completa,
            },
        }
    }
}
