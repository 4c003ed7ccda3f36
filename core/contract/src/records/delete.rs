//! The result of `delete`.

use respaldo_domain::backup::{ArchiveName, BackupId};
use serde::Serialize;

use super::ErrorRecord;
use crate::messages::{ErrorCode, Lang, Outcome};

/// Backups deleted, or the ones in the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeleteRecord {
    /// They were deleted.
    pub exitoso: bool,
    /// A sentence about it.
    pub mensaje: String,
    /// What was deleted.
    pub eliminados: Vec<DeletedRecord>,
    /// What depends on it and prevents it.
    pub dependientes: Vec<DeletedRecord>,
    /// The error of a refusal, as every failure has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<super::ErrorDetailRecord>,
}

/// A backup, named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeletedRecord {
    /// Number, where the catalog knows it.
    pub id: Option<BackupId>,
    /// Lasting name.
    pub archivo: ArchiveName,
}

impl DeleteRecord {
    /// Backups that were deleted.
    pub fn deleted(backups: Vec<DeletedRecord>, lang: Lang) -> Self {
        Self {
            exitoso: true,
            mensaje: Outcome::Deleted {
                count: &backups.len(),
            }
            .text(lang),
            eliminados: backups,
            dependientes: Vec::new(),
            error: None,
        }
    }

    /// A refusal because of backups that depend on the one to go.
    pub fn refused(dependents: Vec<DeletedRecord>, lang: Lang) -> Self {
        let names: Vec<_> = dependents
            .iter()
            .map(|backup| backup.archivo.as_str())
            .collect();
        let detail = Outcome::DeleteWouldTake {
            archives: &names.join(", "),
        }
        .text(lang);
        let error = ErrorRecord::of(ErrorCode::HasDependents, detail, lang);
        Self {
            exitoso: false,
            mensaje: error.mensaje,
            eliminados: Vec::new(),
            dependientes: dependents,
            error: Some(error.error),
        }
    }
}
