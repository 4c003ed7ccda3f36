//! The result of `backup`.

use chrono::{DateTime, FixedOffset};
use respaldo_domain::backup::{BackupId, BackupKind};
use respaldo_domain::manifest::{FROM_CHAIN, Manifest, TableEntry};
use respaldo_domain::object::{ObjectRole, Sha256};
use respaldo_domain::report::{BackupReport, SinkOutcome, SinkState};
use serde::Serialize;
use uuid::Uuid;

use super::WarningRecord;
use super::common::{seconds_between, two_decimals};
use crate::labels::{Label, OpenLabel};
use crate::manifest_file::CoverageRecord;
use crate::messages::{Lang, Outcome, Spoken, size};

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BackupRecord {
    /// It was made.
    pub exitoso: bool,
    /// Number in the catalog.
    pub id: Option<BackupId>,
    /// FULL, DIFERENCIAL or INCREMENTAL: what was made, whatever was asked for.
    pub tipo: String,
    /// Path or address of the archive.
    pub archivo: String,
    /// Lasting name.
    pub nombre: String,
    /// The operator's label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etiqueta: Option<String>,
    /// The run.
    pub ejecucion: Uuid,
    /// Start.
    pub inicio: DateTime<FixedOffset>,
    /// End.
    pub fin: DateTime<FixedOffset>,
    /// The restore point.
    pub instantanea: DateTime<FixedOffset>,
    /// Seconds from start to end.
    pub duracion_segundos: f64,
    /// Stored size of the archive.
    pub tamano_bytes: Option<u64>,
    /// Hash of the archive.
    pub checksum_sha256: Option<Sha256>,
    /// Number of the base.
    pub backup_base_id: Option<BackupId>,
    /// Why a full was made instead of what was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub motivo_full: Option<String>,
    /// Tables of the database.
    pub tablas_total: usize,
    /// Tables dumped.
    pub tablas_volcadas: usize,
    /// Each table with its reason.
    pub tablas: Vec<BackupTableRecord>,
    /// What could not be read.
    pub cobertura: CoverageRecord,
    /// What each sink did.
    pub destinos: Vec<SinkRecord>,
    /// What deserves a look.
    pub avisos: Vec<WarningRecord>,
    /// How long each step took.
    pub pasos: Vec<StepRecord>,
    /// A sentence about it.
    pub mensaje: String,
}

/// A table of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackupTableRecord {
    /// Its name, quoted where needed.
    pub tabla: String,
    /// Its rows are in this backup's archive.
    pub volcada: bool,
    /// Why or why not.
    pub motivo: String,
    /// Rows at the restore point.
    pub filas: Option<u64>,
    /// Size of their COPY text.
    pub bytes: Option<u64>,
}

/// What a sink did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SinkRecord {
    /// Name in the configuration.
    pub nombre: String,
    /// GUARDADO or PENDIENTE.
    pub estado: &'static str,
    /// Address of the archive there.
    pub url: String,
    /// Why it is owed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detalle: Option<String>,
}

/// The duration of a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepRecord {
    /// Name of the step.
    pub paso: &'static str,
    /// Seconds.
    pub segundos: f64,
}

impl BackupRecord {
    /// The record of a report.
    pub fn of(report: &BackupReport, lang: Lang) -> Self {
        let manifest = &report.manifest;
        let archive = manifest.object(ObjectRole::Archive);
        let step = |step: &respaldo_domain::report::StepTime| StepRecord {
            paso: step.step,
            segundos: two_decimals(step.seconds),
        };
        Self {
            exitoso: true,
            id: report.id,
            tipo: manifest.kind.label().to_owned(),
            archivo: report.location.clone(),
            nombre: manifest.archive.to_string(),
            etiqueta: manifest.label.clone(),
            ejecucion: manifest.run,
            inicio: manifest.started_at,
            fin: manifest.finished_at,
            instantanea: manifest.snapshot_at,
            duracion_segundos: seconds_between(manifest.started_at, manifest.finished_at),
            tamano_bytes: archive.map(|archive| archive.size_bytes),
            checksum_sha256: archive.map(|archive| archive.sha256),
            backup_base_id: report.base_id,
            motivo_full: manifest.full_reason.map(|reason| reason.label().to_owned()),
            tablas_total: manifest.tables.len(),
            tablas_volcadas: manifest.dumped().count(),
            tablas: manifest
                .tables
                .iter()
                .map(|table| table_of(table, manifest))
                .collect(),
            cobertura: CoverageRecord::from(&manifest.coverage),
            destinos: report.sinks.iter().map(SinkRecord::from).collect(),
            avisos: WarningRecord::all(&report.warnings, lang),
            pasos: report.steps.iter().map(step).collect(),
            mensaje: message(manifest, lang),
        }
    }
}

fn table_of(table: &TableEntry, manifest: &Manifest) -> BackupTableRecord {
    BackupTableRecord {
        tabla: table.name.to_string(),
        volcada: table.holds_data_in(&manifest.archive),
        motivo: table.reason.label().to_owned(),
        filas: table.data.as_ref().map(|data| data.fingerprint.rows),
        bytes: table.data.as_ref().map(|data| data.plain_bytes),
    }
}

impl From<&SinkOutcome> for SinkRecord {
    fn from(outcome: &SinkOutcome) -> Self {
        let (estado, detalle) = match &outcome.state {
            SinkState::Stored => ("GUARDADO", None),
            SinkState::Owed(reason) => ("PENDIENTE", Some(reason.clone())),
        };
        Self {
            nombre: outcome.sink.clone(),
            estado,
            url: outcome.url.clone(),
            detalle,
        }
    }
}

/// What was made, and what of it is not as asked.
fn message(manifest: &Manifest, lang: Lang) -> String {
    let mut parts = vec![headline(manifest, lang)];
    if let Some(reason) = manifest.full_reason {
        parts.push(
            Outcome::BackupFullInstead {
                reason: &reason.spoken(lang),
            }
            .text(lang),
        );
    }
    if !manifest.coverage.is_complete() {
        parts.push(
            Outcome::BackupPartial {
                count: &manifest.coverage.gaps.len(),
            }
            .text(lang),
        );
    }
    parts.join("; ")
}

fn headline(manifest: &Manifest, lang: Lang) -> String {
    let kind = &manifest.kind.spoken(lang);
    let archive = &manifest.archive;
    let total = &manifest.tables.len();
    if manifest.tools.dumper == FROM_CHAIN {
        let point = &manifest.snapshot_at.to_rfc3339();
        return Outcome::BackupFromChain { archive, point }.text(lang);
    }
    let dumped = &manifest.dumped().count();
    if *dumped == 0 && manifest.kind != BackupKind::Full {
        return Outcome::BackupNothingChanged {
            kind,
            archive,
            total,
        }
        .text(lang);
    }
    let stored = &size(manifest.stored_bytes(), lang);
    Outcome::BackupMade {
        kind,
        archive,
        dumped,
        total,
        size: stored,
    }
    .text(lang)
}
