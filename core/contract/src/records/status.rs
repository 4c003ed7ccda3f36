//! The result of `status`.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset};
use respaldo_domain::backup::BackupKind;
use serde::Serialize;

use super::{BackupShare, ListRecord, SpaceRecord, StatsRecord};
use crate::labels::{Label, wire};
use crate::messages::EngineState;

/// What is going on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatusRecord {
    /// PROFESIONAL, LEGACY or DETENIDO.
    #[serde(serialize_with = "wire::serialize")]
    pub motor: EngineState,
    /// Why it is not the professional one.
    pub motivo: Option<String>,
    /// The run under way.
    pub en_curso: Option<RunningRecord>,
    /// Next due time per kind.
    pub proximos_backups: BTreeMap<&'static str, NextRunRecord>,
    /// The newest completed backup.
    pub ultimo_backup: Option<ListRecord>,
    /// Counts and sizes.
    pub estadisticas: StatsRecord,
    /// Space per kind.
    pub espacio_uso: SpaceRecord,
    /// Sinks that are to be given backups later.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub destinos_pendientes: Vec<OwedRecord>,
    /// Now.
    pub fecha_actual: DateTime<FixedOffset>,
    /// The service on this machine, where one is at work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub servicio: Option<ServiceRecord>,
}

/// What a sink is to be given later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwedRecord {
    /// The sink.
    pub nombre: String,
    /// How many backups.
    pub pendientes: usize,
    /// Since when it is owed one.
    pub desde: DateTime<FixedOffset>,
    /// Tries to give them that failed in a row.
    pub intentos: u32,
    /// When a service tries next.
    pub proximo_intento: DateTime<FixedOffset>,
    /// Why it did not take the last one.
    pub motivo_pendiente: String,
}

/// A service at work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceRecord {
    /// Its process.
    pub pid: u32,
    /// Whether it makes the backups; where it does not, another leads.
    pub lidera: bool,
    /// Address of its panel.
    pub panel: Option<String>,
}

/// A run under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunningRecord {
    /// What it does: `backup`, `restore`, `validate`...
    pub tarea: String,
    /// Kind of the backup, where it makes one.
    pub tipo: Option<&'static str>,
    /// Since when.
    pub inicio: DateTime<FixedOffset>,
    /// Machine it runs on.
    pub equipo: Option<String>,
    /// Where it is, in words.
    pub avance: Option<String>,
}

/// When a kind is due next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NextRunRecord {
    /// The time.
    pub next_run: DateTime<FixedOffset>,
    /// The rule in words.
    pub schedule: String,
}

impl StatusRecord {
    /// A status without a run, a last backup or due times; those are set on the result.
    ///
    /// ```
    /// use respaldo_contract::messages::EngineState;
    /// use respaldo_contract::records::StatusRecord;
    ///
    /// let now = chrono::DateTime::parse_from_rfc3339("2026-11-24T02:17:46-03:00").unwrap();
    /// let status = StatusRecord::new(EngineState::Professional, &[], now);
    /// let json = serde_json::to_value(status).unwrap();
    /// assert_eq!(json["motor"], "PROFESIONAL");
    /// assert_eq!(json["estadisticas"]["_total"]["cantidad"], 0);
    /// ```
    pub fn new(motor: EngineState, backups: &[BackupShare], now: DateTime<FixedOffset>) -> Self {
        let estadisticas = StatsRecord::of(backups);
        Self {
            motor,
            motivo: None,
            en_curso: None,
            proximos_backups: BTreeMap::new(),
            ultimo_backup: None,
            espacio_uso: SpaceRecord::from(&estadisticas),
            estadisticas,
            destinos_pendientes: Vec::new(),
            fecha_actual: now,
            servicio: None,
        }
    }

    /// Adds the next due time of a kind.
    pub fn add_next_run(&mut self, kind: BackupKind, next: NextRunRecord) {
        self.proximos_backups.insert(kind.label(), next);
    }
}
