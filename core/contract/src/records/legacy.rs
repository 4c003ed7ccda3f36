//! The results of `legacy`. `list` and the state of the copy have the English keys that the existing
//! legacy service gives them; everything else has the Spanish ones.

use chrono::{DateTime, FixedOffset};
use serde::Serialize;

use super::WarningRecord;
use super::common::{seconds_between, two_decimals};
use crate::labels::wire;
use crate::messages::{Lang, LegacyFate, LegacyOwner, Outcome, duration, size};

/// A file of the legacy service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegacyFileRecord {
    /// File name.
    pub name: String,
    /// Path.
    pub path: String,
    /// daily, weekly, monthly or manual.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Bytes.
    pub size: u64,
    /// The time in its name, else that of its last change.
    pub created: DateTime<FixedOffset>,
    /// Whose it is.
    #[serde(rename = "propietario", serialize_with = "wire::serialize")]
    pub owner: LegacyOwner,
}

/// How the legacy service stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegacyStatusRecord {
    /// Its folder.
    pub carpeta: String,
    /// Where copies go, where that is configured.
    pub carpeta_copia: Option<String>,
    /// Each type, in the order in which missed ones are made up.
    pub tipos: Vec<LegacyKindRecord>,
}

/// How one type stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegacyKindRecord {
    /// daily, weekly, monthly or manual.
    pub tipo: &'static str,
    /// Its last run that is known.
    pub ultimo: Option<DateTime<FixedOffset>>,
    /// When it is due next; null for manual.
    pub next_run: Option<DateTime<FixedOffset>>,
    /// Its last hour was missed.
    pub pendiente: bool,
}

/// A legacy backup that was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LegacyBackupRecord {
    /// It was made.
    pub exitoso: bool,
    /// daily, weekly, monthly or manual.
    pub tipo: &'static str,
    /// Path; null where an external program did not tell.
    pub archivo: Option<String>,
    /// Start.
    pub inicio: DateTime<FixedOffset>,
    /// End.
    pub fin: DateTime<FixedOffset>,
    /// Duration.
    pub duracion_segundos: f64,
    /// Size.
    pub tamano_bytes: Option<u64>,
    /// Hash of the file.
    pub checksum_sha256: Option<String>,
    /// The copy, where one is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sincronizacion: Option<LegacySyncRecord>,
    /// What deserves a look.
    pub avisos: Vec<WarningRecord>,
    /// A sentence about it.
    pub mensaje: String,
}

/// How the copy went, as the existing service tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegacySyncRecord {
    /// The copy is there.
    pub success: bool,
    /// File name.
    pub file: String,
    /// Where the copy is, or was to be.
    pub destination: String,
    /// When.
    pub timestamp: DateTime<FixedOffset>,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What pruning did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegacyPruneRecord {
    /// Everything that was to go went.
    pub exitoso: bool,
    /// Nothing was removed: only what would be is told.
    pub simulacro: bool,
    /// A sentence about it.
    pub mensaje: String,
    /// What goes or went.
    pub eliminados: Vec<LegacyRuledRecord>,
    /// What stays, and why.
    pub conservados: Vec<LegacyRuledRecord>,
    /// Bytes given back.
    pub bytes_liberados: u64,
    /// What deserves a look.
    pub avisos: Vec<WarningRecord>,
}

/// A file that was ruled upon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegacyRuledRecord {
    /// The file.
    #[serde(flatten)]
    pub file: LegacyFileRecord,
    /// What becomes of it.
    #[serde(rename = "motivo", serialize_with = "wire::serialize")]
    pub fate: LegacyFate,
}

/// A file that was restored.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LegacyRestoreRecord {
    /// It was done.
    pub exitoso: bool,
    /// A sentence about it.
    pub mensaje: String,
    /// The file.
    pub backups_aplicados: Vec<String>,
    /// Duration.
    pub tiempo_segundos: f64,
    /// Database that now holds it.
    pub base_destino: String,
    /// Where the database that was there before is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anterior: Option<String>,
    /// Tables loaded.
    pub tablas_restauradas: usize,
    /// What deserves a look.
    pub avisos: Vec<WarningRecord>,
}

impl LegacyBackupRecord {
    /// Fills in the sentence and the duration.
    #[must_use]
    pub fn told(mut self, lang: Lang) -> Self {
        self.duracion_segundos = seconds_between(self.inicio, self.fin);
        self.mensaje = match (&self.archivo, self.tamano_bytes) {
            (Some(file), Some(bytes)) => Outcome::LegacyMade {
                kind: &self.tipo,
                file,
                size: &size(bytes, lang),
            }
            .text(lang),
            _ => Outcome::LegacyMadeElsewhere { kind: &self.tipo }.text(lang),
        };
        self
    }
}

impl LegacyPruneRecord {
    /// What is ruled, sorted by what becomes of it; `failed` are files that could not be removed.
    pub fn of(ruled: Vec<LegacyRuledRecord>, rehearsal: bool, failed: usize, lang: Lang) -> Self {
        let (gone, kept): (Vec<_>, Vec<_>) = ruled
            .into_iter()
            .partition(|ruled| ruled.fate == LegacyFate::Removed);
        let (removed, kept_count) = (gone.len(), kept.len() + failed);
        let outcome = match rehearsal {
            true => Outcome::LegacyWouldPrune {
                removed: &removed,
                kept: &kept_count,
            },
            false => Outcome::LegacyPruned {
                removed: &removed,
                kept: &kept_count,
            },
        };
        Self {
            exitoso: failed == 0,
            simulacro: rehearsal,
            mensaje: outcome.text(lang),
            bytes_liberados: gone.iter().map(|ruled| ruled.file.size).sum(),
            eliminados: gone,
            conservados: kept,
            avisos: Vec::new(),
        }
    }
}

impl LegacyRestoreRecord {
    /// A restore of `file` into `database`.
    pub fn of(
        file: String,
        database: String,
        previous: Option<String>,
        tables: usize,
        seconds: f64,
        lang: Lang,
    ) -> Self {
        let restored = Outcome::LegacyRestored {
            file: &file,
            database: &database,
            tables: &tables,
            time: &duration(seconds, lang),
        };
        let mut message = restored.text(lang);
        if let Some(name) = &previous {
            message.push_str("; ");
            message.push_str(&Outcome::PreviousKept { name }.text(lang));
        }
        Self {
            exitoso: true,
            mensaje: message,
            backups_aplicados: vec![file],
            tiempo_segundos: two_decimals(seconds),
            base_destino: database,
            anterior: previous,
            tablas_restauradas: tables,
            avisos: Vec::new(),
        }
    }
}
