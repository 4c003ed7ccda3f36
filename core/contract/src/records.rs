//! JSON results: one record per command, spelled as the existing system spells its results.
//!
//! `--json` and the HTTP API print exactly these. Keys are promises: more may be added, none is
//! renamed or dropped. Texts inside (`mensaje`, `sugerencia`) are in the language asked for; codes
//! beside them are the same in both.

mod backup;
mod chain;
mod cloud;
mod common;
mod delete;
mod diff;
mod doctor;
mod error;
mod expire;
mod export;
mod legacy;
mod list;
mod plugin;
mod points;
mod preview;
mod restore;
mod schedule;
mod show;
mod sink;
mod status;
mod usage;
mod validation;

pub use backup::{BackupRecord, BackupTableRecord, SinkRecord, StepRecord};
pub use chain::{ChainBackupRecord, ChainCheckRecord, ChainValidationRecord};
pub use cloud::{CloudCopyRecord, CloudRecord};
pub use common::{FindingRecord, WarningRecord};
pub use delete::{DeleteRecord, DeletedRecord};
pub use diff::{ColumnDiffRecord, DiffRecord, RowDiffRecord, RowsDiffRecord, TableDiffRecord};
pub use doctor::{CheckState, DoctorCheckRecord, DoctorRecord};
pub use error::{ErrorDetailRecord, ErrorRecord};
pub use expire::{ExpireRecord, ExpiredRecord, KeptRecord, RetentionRecord, RuledBackup};
pub use export::{EscapeKitRecord, ExportRecord, KitFileRecord};
pub use legacy::{
    LegacyBackupRecord, LegacyFileRecord, LegacyKindRecord, LegacyPruneRecord, LegacyRestoreRecord,
    LegacyRuledRecord, LegacyStatusRecord, LegacySyncRecord,
};
pub use list::ListRecord;
pub use plugin::{
    PluginCheckRecord, PluginListRecord, PluginNewRecord, PluginPinRecord, PluginRecord,
    PromiseRecord,
};
pub use points::{RestorePointRecord, restore_points};
pub use preview::{LiveRecord, PreviewBackupRecord, PreviewRecord, PreviewTableRecord};
pub use restore::{DifferenceRecord, RestoreRecord, VerificationRecord};
pub use schedule::{MissedRecord, NextRunsRecord, OverdueRecord, RuleRecord, ScheduleRecord};
pub use show::{Catalogued, ShowRecord, ShowTableRecord};
pub use sink::{SinkCheckRecord, SinkLackRecord, SinkListRecord, SinkStateRecord, SinkSyncRecord};
pub use status::{NextRunRecord, OwedRecord, RunningRecord, ServiceRecord, StatusRecord};
pub use usage::{
    BackupShare, KindShare, KindSpaceRecord, KindStatsRecord, SpaceRecord, StatsRecord,
    TotalSpaceRecord, TotalStatsRecord,
};
pub use validation::{BackupValidationRecord, ValidationRecord};
