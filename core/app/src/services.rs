//! What programs of the existing system call, under the names they know, with the results they
//! expect: each method asks the engine once and gives a record that serializes to their keys.
//!
//! ```no_run
//! use respaldo::config::{Config, Environment, Sources};
//! use respaldo::services::Services;
//! use respaldo_contract::messages::Lang;
//! use respaldo_domain::backup::{BackupId, BackupKind};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::load(&Sources::of(Environment::of_process()), Vec::new())?;
//! let services = Services::connect(&config, Lang::Es)?;
//!
//! let made = services.create_backup(BackupKind::Incremental)?;
//! println!("{}", serde_json::to_string(&made)?); // exitoso, tipo, archivo, tablas, ...
//!
//! let point = made.instantanea;
//! let preview = services.preview_restore(point)?; // existe, cantidad_backups, backups, ...
//! assert!(preview.existe);
//!
//! let restored = services.restore_to_date(point, "copia")?;
//! println!("{:?} {}", restored.backups_aplicados, restored.tiempo_segundos);
//!
//! services.restore_from_backup_id(BackupId(123), "otra")?;
//! # Ok(())
//! # }
//! ```

use chrono::{DateTime, FixedOffset, Local, Utc};
use respaldo_contract::messages::{EngineState, Lang};
use respaldo_contract::records::{
    BackupRecord, BackupShare, ChainValidationRecord, ListRecord, NextRunsRecord, PreviewRecord,
    RestorePointRecord, RestoreRecord, SpaceRecord, StatsRecord, StatusRecord, ValidationRecord,
    restore_points,
};
use respaldo_domain::backup::{BackupId, BackupKind, BackupState, Trigger};
use respaldo_domain::validation::ValidationLevel;
use respaldo_engine::backup::BackupRequest;
use respaldo_engine::operations::{Operations, Selector};
use respaldo_engine::ports::{CatalogEntry, CatalogFilter, Context};
use respaldo_engine::validate::{ValidateError, ValidateRequest};

use crate::catalogued::{record, share};
use crate::config::Config;
use crate::failure::{Failure, of_catalog, of_lookup};
use crate::scheduled::next_backups;
use crate::wiring;

/// The engine, asked as the existing services are.
pub struct Services {
    operations: Operations,
    lang: Lang,
    cx: Context,
}

impl Services {
    /// The engine as configured; sentences in the results are in `lang`.
    pub fn connect(config: &Config, lang: Lang) -> Result<Self, Failure> {
        Ok(Self::of(wiring::operations(config, None)?, lang))
    }

    /// The same over an engine built otherwise.
    pub fn of(operations: Operations, lang: Lang) -> Self {
        Self {
            operations,
            lang,
            cx: Context::quiet(),
        }
    }

    /// Makes one backup.
    pub fn create_backup(&self, kind: BackupKind) -> Result<BackupRecord, Failure> {
        let request = BackupRequest {
            kind,
            label: None,
            trigger: Trigger::Operator,
            allow_partial: false,
            due: None,
        };
        let report = self.operations.backup(&request, &self.cx)?;
        Ok(BackupRecord::of(&report, self.lang))
    }

    /// Restores the newest point not later than `date` into database `target_db`, which is made
    /// when it is missing and never overwritten.
    pub fn restore_to_date(
        &self,
        date: DateTime<FixedOffset>,
        target_db: &str,
    ) -> Result<RestoreRecord, Failure> {
        let report = self.operations.restore_to_date(date, target_db, &self.cx)?;
        Ok(RestoreRecord::of(&report, self.lang))
    }

    /// Restores one backup into database `target_db`, as [`Services::restore_to_date`] does.
    pub fn restore_from_backup_id(
        &self,
        id: BackupId,
        target_db: &str,
    ) -> Result<RestoreRecord, Failure> {
        let restored = self
            .operations
            .restore_from_backup_id(id, target_db, &self.cx);
        Ok(RestoreRecord::of(&restored?, self.lang))
    }

    /// What a restore to `date` would do; `existe: false` where there is no such point.
    pub fn preview_restore(&self, date: DateTime<FixedOffset>) -> Result<PreviewRecord, Failure> {
        let report = self.operations.preview_restore(date, &self.cx);
        let report = report.map_err(|fault| of_lookup(&fault))?;
        Ok(match report {
            Some(report) => PreviewRecord::of(&report, Some(date), self.lang),
            None => PreviewRecord::none(Some(date)),
        })
    }

    /// Looks at one backup and everything a restore of it would read.
    pub fn validate_backup_chain(&self, id: BackupId) -> Result<ChainValidationRecord, Failure> {
        let validations = match self.operations.validate_backup_chain(id, &self.cx) {
            Err(ValidateError::Unknown(_)) => return Ok(ChainValidationRecord::unknown(self.lang)),
            validations => validations?,
        };
        Ok(match validations.first() {
            Some(validation) => {
                let made_at = self.made_at(id)?.unwrap_or(validation.at);
                ChainValidationRecord::of(validation, made_at, self.lang)
            }
            None => ChainValidationRecord::unknown(self.lang),
        })
    }

    /// Looks at every backup.
    pub fn validate_all_backups(&self) -> Result<ValidationRecord, Failure> {
        let request = ValidateRequest {
            selectors: None,
            level: ValidationLevel::Chain,
            scratch_server: None,
        };
        let validations = self.operations.validate(&request, &self.cx)?;
        Ok(ValidationRecord::of(&validations, self.lang))
    }

    /// Removes catalog rows of backups whose objects are gone; returns how many.
    pub fn purge_invalid_backups(&self) -> Result<usize, Failure> {
        let report = self.operations.purge_invalid_backups(&self.cx);
        let report = report.map_err(|fault| of_catalog(&fault))?;
        Ok(report.removed.len())
    }

    /// Completed backups, newest first.
    pub fn list_backups(
        &self,
        kind: Option<BackupKind>,
        limit: u32,
    ) -> Result<Vec<ListRecord>, Failure> {
        let entries = self.entries(kind, Some(limit))?;
        Ok(entries.iter().map(record).collect())
    }

    /// Counts and sizes per kind.
    pub fn get_backup_stats(&self) -> Result<StatsRecord, Failure> {
        Ok(StatsRecord::of(&self.shares()?))
    }

    /// Space per kind.
    pub fn get_space_usage(&self) -> Result<SpaceRecord, Failure> {
        Ok(SpaceRecord::from(&self.get_backup_stats()?))
    }

    /// Days one can go back to, newest first.
    pub fn get_available_restore_points(
        &self,
        limit: usize,
    ) -> Result<Vec<RestorePointRecord>, Failure> {
        let times = self.shares()?.into_iter().map(|share| share.at);
        Ok(restore_points(times, limit))
    }

    /// How things stand.
    pub fn get_status_summary(&self) -> Result<StatusRecord, Failure> {
        let now = Local::now().fixed_offset();
        let entries = self.entries(None, None)?;
        let shares: Vec<BackupShare> = entries.iter().filter_map(share).collect();
        let mut status = StatusRecord::new(EngineState::Professional, &shares, now);
        status.ultimo_backup = entries.first().map(record);
        status.proximos_backups = self.get_next_backup_times();
        Ok(status)
    }

    /// When each kind is due next.
    pub fn get_next_backup_times(&self) -> NextRunsRecord {
        next_backups(&self.operations, self.lang)
    }

    /// Kinds that are overdue now and are to be made, in order; unlike the existing system's, none
    /// that another of them does for.
    pub fn check_missed_backups(&self) -> Result<Vec<BackupKind>, Failure> {
        let due = self.operations.due_runs(Utc::now(), &self.cx);
        let due = due.map_err(|fault| of_catalog(&fault))?;
        Ok(due.iter().filter_map(|run| run.task.kind()).collect())
    }

    fn shares(&self) -> Result<Vec<BackupShare>, Failure> {
        Ok(self.entries(None, None)?.iter().filter_map(share).collect())
    }

    fn entries(
        &self,
        kind: Option<BackupKind>,
        limit: Option<u32>,
    ) -> Result<Vec<CatalogEntry>, Failure> {
        let filter = CatalogFilter {
            kind,
            state: Some(BackupState::Completed),
            limit,
            ours_only: false,
        };
        let entries = self.operations.list(&filter, &self.cx);
        entries.map_err(|fault| of_catalog(&fault))
    }

    fn made_at(&self, id: BackupId) -> Result<Option<DateTime<FixedOffset>>, Failure> {
        let shown = self.operations.show(&Selector::Id(id), &self.cx);
        let (manifest, _) = shown.map_err(|fault| of_lookup(&fault))?;
        Ok(Some(manifest.snapshot_at))
    }
}
