//! What the catalog adds to the contract's table of words.

use respaldo_contract::labels::Label;
use respaldo_domain::backup::BackupKind;
use respaldo_engine::ports::EventLevel;

/// All labels under which backups of a kind are found, the existing system's MANUAL included.
pub(crate) fn kinds(kind: BackupKind) -> Vec<&'static str> {
    let aliases = BackupKind::ALIASES
        .iter()
        .filter(|(_, meant)| *meant == kind);
    std::iter::once(kind.label())
        .chain(aliases.map(|(word, _)| *word))
        .collect()
}

/// `backup_event.nivel_log`.
pub(crate) fn event_level(level: EventLevel) -> &'static str {
    match level {
        EventLevel::Info => "INFO",
        EventLevel::Warning => "WARNING",
        EventLevel::Error => "ERROR",
    }
}
