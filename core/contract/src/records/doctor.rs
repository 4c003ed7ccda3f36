//! The result of `doctor`.

use serde::Serialize;

use crate::labels::{Label, wire};
use crate::messages::{Doctor, Lang};

/// The surroundings, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DoctorRecord {
    /// No check failed.
    pub exitoso: bool,
    /// A sentence about all.
    pub mensaje: String,
    /// Each check.
    pub comprobaciones: Vec<DoctorCheckRecord>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DoctorCheckRecord {
    /// What was looked at, for programs: `servidor`, `herramientas`, `permisos`...
    pub nombre: &'static str,
    /// How it looks.
    #[serde(serialize_with = "wire::serialize")]
    pub estado: CheckState,
    /// What was seen.
    pub mensaje: String,
    /// What to do about it; a statement to run where one mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sugerencia: Option<String>,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckState {
    /// In order.
    Good,
    /// Works, with a limitation.
    Warning,
    /// Backups or restores would fail.
    Bad,
}

labels!(CheckState, "state of a check" {
    Good => "BIEN",
    Warning => "ADVERTENCIA",
    Bad => "ERROR",
});

impl DoctorRecord {
    /// The record of all checks.
    pub fn of(checks: Vec<DoctorCheckRecord>, lang: Lang) -> Self {
        let count = |state| checks.iter().filter(|check| check.estado == state).count();
        let (errors, warnings) = (count(CheckState::Bad), count(CheckState::Warning));
        let mensaje = match (errors, warnings) {
            (0, 0) => Doctor::Healthy {}.text(lang),
            _ => Doctor::Problems {
                errors: &errors,
                warnings: &warnings,
            }
            .text(lang),
        };
        Self {
            exitoso: errors == 0,
            mensaje,
            comprobaciones: checks,
        }
    }
}
