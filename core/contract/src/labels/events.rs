//! Words for values that only the catalog knows: validation results and events.

use respaldo_domain::validation::{Finding, Severity};

use super::Label;

/// What `backup_validation.resultado` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValidationResult {
    /// Nothing found.
    Passed,
    /// It does not restore exactly.
    Failed,
    /// It restores; something deserves a look.
    Warned,
}

impl ValidationResult {
    /// The result that findings amount to.
    pub fn of(findings: &[Finding]) -> Self {
        if findings
            .iter()
            .any(|finding| finding.severity == Severity::Error)
        {
            Self::Failed
        } else if findings.is_empty() {
            Self::Passed
        } else {
            Self::Warned
        }
    }
}

labels!(ValidationResult, "validation result" {
    Passed => "EXITOSO",
    Failed => "FALLIDO",
    Warned => "ADVERTENCIA",
});

/// What happened, as `backup_event.tipo_evento` and the event stream name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventName {
    /// A backup began.
    BackupStarted,
    /// A manifest was stored.
    BackupSealed,
    /// A run ended without a seal.
    BackupFailed,
    /// A restore began.
    RestoreStarted,
    /// A restore ended well.
    RestoreDone,
    /// A restore failed.
    RestoreFailed,
    /// A backup was validated.
    Validated,
    /// A backup was deleted by an operator.
    Deleted,
    /// A backup was removed by retention.
    Expired,
    /// A backup of the existing system was taken into the catalog.
    Adopted,
    /// The catalog was rebuilt from manifests.
    CatalogRebuilt,
    /// Catalog and storage were brought in line.
    Reconciled,
    /// An optional sink was brought up to date.
    SinkSynced,
    /// The professional engine took over.
    EngineProfessional,
    /// The legacy service took over.
    EngineLegacy,
    /// Nothing can make backups.
    EngineStopped,
    /// Settings were changed.
    SettingsChanged,
}

labels!(EventName, "event" {
    BackupStarted => "respaldo_iniciado",
    BackupSealed => "respaldo_completado",
    BackupFailed => "respaldo_fallido",
    RestoreStarted => "restauracion_iniciada",
    RestoreDone => "restauracion_completada",
    RestoreFailed => "restauracion_fallida",
    Validated => "validacion",
    Deleted => "respaldo_eliminado",
    Expired => "respaldo_vencido",
    Adopted => "respaldo_adoptado",
    CatalogRebuilt => "catalogo_reconstruido",
    Reconciled => "catalogo_conciliado",
    SinkSynced => "destino_sincronizado",
    EngineProfessional => "motor_profesional",
    EngineLegacy => "motor_legacy",
    EngineStopped => "motor_detenido",
    SettingsChanged => "ajustes_cambiados",
});
