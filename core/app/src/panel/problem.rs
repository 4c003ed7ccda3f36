//! From failures to problems: one exhaustive table of HTTP's codes, and the words for all stable codes.

use respaldo_contract::labels::Label;
use respaldo_contract::messages::{ErrorCode, Lang, PanelCode};
use respaldo_panel::ports::{self, Phrases, Problem};

use super::{Program, lang};
use crate::failure::Failure;

/// HTTP's code for a failure.
fn status(code: ErrorCode) -> u16 {
    match code {
        ErrorCode::Internal => 500,
        ErrorCode::UnknownBackup
        | ErrorCode::NothingToRestore
        | ErrorCode::UnknownTable
        | ErrorCode::FileMissing => 404,
        ErrorCode::Usage | ErrorCode::ConfirmationNeeded | ErrorCode::NoPrimaryKey => 422,
        ErrorCode::LeaseHeld
        | ErrorCode::LeaseLost
        | ErrorCode::BackupInUse
        | ErrorCode::LegacyBusy
        | ErrorCode::HasDependents
        | ErrorCode::OutputExists
        | ErrorCode::TargetExists
        | ErrorCode::TargetMissing
        | ErrorCode::TargetNotEmpty
        | ErrorCode::TargetInUse
        | ErrorCode::RightsMissing
        | ErrorCode::RolesMissing
        | ErrorCode::ExtensionMissing
        | ErrorCode::CoverageIncomplete
        | ErrorCode::SnapshotOvertaken
        | ErrorCode::LockTimeout
        | ErrorCode::CatalogConflict
        | ErrorCode::ObjectMissing
        | ErrorCode::ObjectCorrupt
        | ErrorCode::ArchiveDamaged
        | ErrorCode::ArchivePartial
        | ErrorCode::ManifestUnreadable
        | ErrorCode::ManifestNewer
        | ErrorCode::ChainBroken
        | ErrorCode::RowsDiffer
        | ErrorCode::Interrupted => 409,
        ErrorCode::ConfigUnreadable
        | ErrorCode::ConfigInvalid
        | ErrorCode::PluginUnusable
        | ErrorCode::EncryptionKey
        | ErrorCode::SourceUnreachable
        | ErrorCode::SourceDenied
        | ErrorCode::SourceUnsupported
        | ErrorCode::ToolsMissing
        | ErrorCode::ToolsTooOld
        | ErrorCode::TargetUnreachable
        | ErrorCode::DetectorFailed
        | ErrorCode::DumpFailed
        | ErrorCode::ProgramFailed
        | ErrorCode::RestoreFailed
        | ErrorCode::CatalogUnreachable
        | ErrorCode::SinkUnavailable
        | ErrorCode::SinkDenied
        | ErrorCode::SinkFull
        | ErrorCode::SpoolFull
        | ErrorCode::OutputFailed => 503,
    }
}

/// A failure as a problem.
pub fn problem(failure: &Failure, lang: Lang) -> Problem {
    let text = failure.code.text(lang);
    let hint = match failure.remedies.is_empty() {
        true => text.hint.to_owned(),
        false => format!("{}\n{}", text.hint, failure.remedies.join("\n")),
    };
    Problem {
        status: status(failure.code),
        codigo: failure.code.label().to_owned(),
        title: text.title.to_owned(),
        detail: failure.causes.join(": "),
        sugerencia: hint,
        datos: None,
    }
}

impl Phrases for Program {
    fn words(&self, code: &str, in_lang: ports::Lang) -> Option<(&'static str, &'static str)> {
        let lang = lang(in_lang);
        if let Ok(code) = PanelCode::from_label(code) {
            return Some(code.text(lang));
        }
        let text = ErrorCode::from_label(code).ok()?.text(lang);
        Some((text.title, text.hint))
    }
}
