//! The results of `schedule`.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset};
use respaldo_domain::report::Warning;
use respaldo_domain::schedule::{Schedule, Task};
use serde::Serialize;

use super::{NextRunRecord, WarningRecord};
use crate::labels::{Label, wire};
use crate::messages::{Lang, ScheduleSource};
use crate::settings::schedules;

/// The schedule in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScheduleRecord {
    /// The rule of each task, under its type.
    #[serde(flatten)]
    pub reglas: BTreeMap<&'static str, RuleRecord>,
    /// Whose clock the hours are of.
    pub zona_horaria: String,
    /// Whether anything is run at these hours.
    pub activo: bool,
    /// Whether missed hours are made up.
    pub recuperar: bool,
    /// Who says so.
    #[serde(serialize_with = "wire::serialize")]
    pub origen: ScheduleSource,
    /// What is stored and could not be used.
    pub advertencias: Vec<WarningRecord>,
}

/// One rule, as it is stored and in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleRecord {
    /// `day` or `weekday`, `hour` and `minute`.
    #[serde(flatten)]
    pub numeros: BTreeMap<&'static str, u32>,
    /// In words.
    pub schedule: String,
}

impl RuleRecord {
    /// A task's rule.
    pub fn of(schedule: &Schedule, task: Task, lang: Lang) -> Self {
        Self {
            numeros: schedules::numbers(schedule, task).into_iter().collect(),
            schedule: schedules::describe(schedule, task, lang),
        }
    }
}

impl ScheduleRecord {
    /// The rules of a schedule; the rest is set on the result.
    pub fn of(schedule: &Schedule, origen: ScheduleSource, lang: Lang) -> Self {
        let rule = |task: Task| (task.label(), RuleRecord::of(schedule, task, lang));
        Self {
            reglas: Task::ALL.into_iter().map(rule).collect(),
            zona_horaria: String::new(),
            activo: true,
            recuperar: true,
            origen,
            advertencias: Vec::new(),
        }
    }

    /// With the warnings.
    #[must_use]
    pub fn with_warnings(mut self, warnings: &[Warning], lang: Lang) -> Self {
        self.advertencias = WarningRecord::all(warnings, lang);
        self
    }
}

/// When each task is due next, under its type.
pub type NextRunsRecord = BTreeMap<&'static str, NextRunRecord>;

impl NextRunRecord {
    /// The next due time of a task.
    pub fn of(schedule: &Schedule, task: Task, at: DateTime<FixedOffset>, lang: Lang) -> Self {
        Self {
            next_run: at,
            schedule: schedules::describe(schedule, task, lang),
        }
    }
}

/// What is overdue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissedRecord {
    /// In the order in which it is made up.
    pub pendientes: Vec<OverdueRecord>,
    /// Whether anything is run without being asked.
    pub activo: bool,
    /// Whether missed hours are made up.
    pub recuperar: bool,
    /// What is stored and could not be used.
    pub advertencias: Vec<WarningRecord>,
}

/// A due time that nothing was done for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OverdueRecord {
    /// FULL, DIFERENCIAL, INCREMENTAL or VALIDACION.
    #[serde(serialize_with = "wire::serialize")]
    pub tipo: Task,
    /// Since when.
    pub previsto: DateTime<FixedOffset>,
    /// The rule in words.
    pub schedule: String,
    /// The type whose backup does for this one.
    pub cubierto_por: Option<&'static str>,
}

impl MissedRecord {
    /// What is overdue; the warnings and switches are set on the result.
    pub fn of(pendientes: Vec<OverdueRecord>) -> Self {
        Self {
            pendientes,
            activo: true,
            recuperar: true,
            advertencias: Vec::new(),
        }
    }

    /// With the warnings.
    #[must_use]
    pub fn with_warnings(mut self, warnings: &[Warning], lang: Lang) -> Self {
        self.advertencias = WarningRecord::all(warnings, lang);
        self
    }
}
