//! Words of the columns, from and to the values they stand for.

use respaldo_domain::backup::{BackupKind, BackupState};
use respaldo_domain::validation::{Finding, Severity, ValidationLevel};
use respaldo_engine::ports::EventLevel;

/// `backup_manifest.tipo_backup`.
pub(crate) fn kind(kind: BackupKind) -> &'static str {
    match kind {
        BackupKind::Full => "FULL",
        BackupKind::Differential => "DIFERENCIAL",
        BackupKind::Incremental => "INCREMENTAL",
    }
}

/// All labels a kind is found under: the existing system's MANUAL is a full.
pub(crate) fn kinds(wanted: BackupKind) -> Vec<&'static str> {
    match wanted {
        BackupKind::Full => vec![kind(wanted), "MANUAL"],
        BackupKind::Differential | BackupKind::Incremental => vec![kind(wanted)],
    }
}

/// `backup_manifest.estado`.
pub(crate) fn state(state: BackupState) -> &'static str {
    match state {
        BackupState::Pending => "PENDIENTE",
        BackupState::Running => "EN_PROGRESO",
        BackupState::Completed => "COMPLETADO",
        BackupState::Failed => "FALLIDO",
        BackupState::Validating => "VALIDANDO",
    }
}

/// The state a label says; the table's check admits no other.
pub(crate) fn state_of(label: &str) -> Option<BackupState> {
    use BackupState::{Completed, Failed, Pending, Running, Validating};
    [Pending, Running, Completed, Failed, Validating]
        .into_iter()
        .find(|s| state(*s) == label)
}

/// `backup_validation.tipo_validacion`.
pub(crate) fn level(level: ValidationLevel) -> &'static str {
    match level {
        ValidationLevel::Presence => "existencia_archivo",
        ValidationLevel::Checksum => "checksum",
        ValidationLevel::Readable => "legible",
        ValidationLevel::Chain => "cadena",
        ValidationLevel::Drill => "simulacro",
    }
}

/// `backup_validation.resultado`.
pub(crate) fn verdict(findings: &[Finding]) -> &'static str {
    match findings
        .iter()
        .map(|finding| finding.severity)
        .max_by_key(|s| *s == Severity::Error)
    {
        None => "EXITOSO",
        Some(Severity::Warning) => "ADVERTENCIA",
        Some(Severity::Error) => "FALLIDO",
    }
}

/// `backup_event.nivel_log`.
pub(crate) fn event_level(level: EventLevel) -> &'static str {
    match level {
        EventLevel::Info => "INFO",
        EventLevel::Warning => "WARNING",
        EventLevel::Error => "ERROR",
    }
}
