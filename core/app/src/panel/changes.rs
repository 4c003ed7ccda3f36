//! Changes of settings, and backups that go.

use chrono::Utc;
use respaldo_contract::labels::Label;
use respaldo_contract::messages::ErrorCode;
use respaldo_contract::records::DeleteRecord;
use respaldo_domain::retention::PolicyOverrides;
use respaldo_domain::schedule::Task;
use respaldo_domain::second_place::Provider;
use respaldo_engine::remove::RemoveError;
use respaldo_panel::ask::{Change, CloudBody, ScheduleBody};
use respaldo_panel::ports::{Call, Changes, Problem};
use serde_json::Value;

use super::problem::problem;
use super::questions::document;
use super::{Program, lang, point};
use crate::failure::{Failure, of_catalog};
use crate::records::{self, CloudChange, Numbers, RuleParts};

impl Changes for Program {
    fn change(&self, change: &Change, call: &Call) -> Result<Value, Problem> {
        let said = lang(call.lang);
        let changed = match change {
            Change::Delete {
                which,
                with_dependents,
            } => return self.delete(which, *with_dependents, call),
            Change::Schedule(body) => self.schedule(body, call),
            Change::Retention(body) => {
                let overrides = PolicyOverrides {
                    full_months: body.full_months,
                    dif_weeks: body.dif_weeks,
                    inc_days: body.inc_days,
                    min_chains: body.min_chains,
                };
                self.retention(&overrides, call)
            }
            Change::Cloud(body) => self.cloud(body, call),
        };
        self.rooms.forget(&call.base);
        changed.map_err(|failure| problem(&failure, said))
    }
}

impl Program {
    fn schedule(&self, body: &ScheduleBody, call: &Call) -> Result<Value, Failure> {
        let room = self.rooms.of(&call.base)?;
        let operations = &room.operations;
        let rules = [
            (
                Task::Full,
                body.full.as_ref().map(|rule| RuleParts {
                    day: rule.day,
                    hour: rule.hour,
                    minute: rule.minute,
                    ..RuleParts::default()
                }),
            ),
            (
                Task::Differential,
                body.differential.as_ref().map(|rule| RuleParts {
                    weekday: rule.weekday,
                    hour: rule.hour,
                    minute: rule.minute,
                    ..RuleParts::default()
                }),
            ),
            (
                Task::Incremental,
                body.incremental.as_ref().map(|rule| RuleParts {
                    hour: rule.hour,
                    minute: rule.minute,
                    ..RuleParts::default()
                }),
            ),
        ];
        let schedule = operations.schedule().schedule;
        let given = rules
            .into_iter()
            .filter_map(|(task, parts)| Some((task, parts?)));
        let changes = given.map(|(task, parts)| records::changed_rule(task, parts, &schedule));
        // All are looked at before any is stored.
        let changes: Vec<_> = changes
            .collect::<Result<_, _>>()
            .map_err(|error| Failure::of(ErrorCode::Usage, &error))?;
        for change in changes.into_iter().flatten() {
            operations
                .change_schedule(change, Utc::now())
                .map_err(|fault| of_catalog(&fault))?;
        }
        document(&records::schedule_in_force(operations, lang(call.lang)).1)
    }

    fn retention(&self, overrides: &PolicyOverrides, call: &Call) -> Result<Value, Failure> {
        let room = self.rooms.of(&call.base)?;
        records::change_retention(&room.operations, overrides)?;
        document(&records::retention(&room.operations)?)
    }

    fn cloud(&self, body: &CloudBody, call: &Call) -> Result<Value, Failure> {
        let provider = match body.provider.as_deref().map(str::to_uppercase).as_deref() {
            None => None,
            Some("LOCAL") => Some(Provider::Local),
            Some("GOOGLE_DRIVE") => Some(Provider::GoogleDrive),
            Some("S3") => Some(Provider::S3),
            Some(_) => {
                let choices = [Provider::Local, Provider::GoogleDrive, Provider::S3];
                let choices = choices.map(Label::label).join(", ");
                return Err(Failure::new(
                    ErrorCode::Usage,
                    format!("provider: {choices}"),
                ));
            }
        };
        let change = CloudChange {
            enabled: body.enabled,
            provider,
            sync_dir: body.sync_dir.clone(),
        };
        document(&records::change_cloud(
            &self.rooms.config(&call.base)?,
            &change,
        )?)
    }

    fn delete(&self, which: &str, with_dependents: bool, call: &Call) -> Result<Value, Problem> {
        let said = lang(call.lang);
        let told = |failure: Failure| problem(&failure, said);
        let room = self.rooms.of(&call.base).map_err(told)?;
        let selector = point::backup(which).map_err(told)?;
        let numbers = Numbers::before(&room.operations);
        let cx = Self::context(call);
        match room.operations.delete(&selector, with_dependents, &cx) {
            Ok(removed) => {
                let record = DeleteRecord::deleted(numbers.name(removed.archives), said);
                document(&record).map_err(told)
            }
            Err(RemoveError::Needed(dependents)) => {
                let error = RemoveError::Needed(dependents.clone());
                let mut refused = problem(&Failure::from(error), said);
                let record = DeleteRecord::refused(numbers.name(dependents), said);
                refused.datos = serde_json::to_value(record).ok().map(Box::new);
                Err(refused)
            }
            Err(error) => Err(told(error.into())),
        }
    }
}
