//! Answers to questions.

mod backups;
mod overview;

use chrono::NaiveDate;
use respaldo_contract::messages::{ErrorCode, Lang};
use respaldo_contract::records::{PreviewRecord, RestorePointRecord};
use respaldo_engine::ports::{EventLevel, Part as Rows};
use respaldo_engine::preview::PreviewRequest;
use respaldo_panel::ask::{Part, Point, Question};
use respaldo_panel::ports::{Call, Problem, Questions};
use serde::Serialize;
use serde_json::{Value, json};

use super::problem::problem;
use super::rooms::Room;
use super::{Program, browse, lang, point};
use crate::cli::time::TimePoint;
use crate::doctor::{self, Look};
use crate::failure::{Failure, of_catalog, of_lookup};
use crate::records;
use crate::scheduled::next_runs;

impl Questions for Program {
    fn bases(&self) -> Vec<String> {
        self.rooms.roster.names()
    }

    fn rest(&self) {
        self.rooms.rest();
    }

    fn ask(&self, question: &Question, call: &Call) -> Result<Value, Problem> {
        let answer = self.answer(question, call);
        answer.map_err(|failure| problem(&failure, lang(call.lang)))
    }
}

/// A record as a document.
pub fn document(record: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(record).map_err(|error| Failure::of(ErrorCode::Internal, &error))
}

/// A page of rows.
pub fn page<T>(rows: &Rows<T>, part: Part, record: impl Fn(&T) -> Value) -> Value {
    json!({
        "elementos": rows.rows.iter().map(record).collect::<Vec<_>>(),
        "total": rows.total,
        "limit": part.limit,
        "offset": part.offset,
    })
}

/// The numbers of the rows of a part.
pub fn rows(part: Part) -> std::ops::Range<u32> {
    part.offset..part.offset.saturating_add(part.limit)
}

impl Program {
    fn answer(&self, question: &Question, call: &Call) -> Result<Value, Failure> {
        let said = lang(call.lang);
        match question {
            // These tell more when the engine cannot be had.
            Question::Status => return overview::status(self, call),
            Question::Overview => return overview::overview(self, call),
            Question::Doctor => {
                let config = self.rooms.config(&call.base)?;
                return document(&doctor::examine(
                    &config,
                    Look::Usual,
                    said,
                    &Self::context(call),
                ));
            }
            Question::Config => return Ok(records::config(&self.rooms.config(&call.base)?)),
            Question::Plugins => {
                return document(&records::plugins(&self.rooms.config(&call.base)?));
            }
            Question::Sinks => {
                let config = self.rooms.config(&call.base)?;
                return document(&records::sinks(&config, &Self::context(call))?);
            }
            Question::Cloud => return document(&records::cloud(&self.rooms.config(&call.base)?)?),
            _ => {}
        }
        let room = self.rooms.of(&call.base)?;
        self.of_engine(question, &room, call)
    }

    fn of_engine(&self, question: &Question, room: &Room, call: &Call) -> Result<Value, Failure> {
        let (said, cx) = (lang(call.lang), Self::context(call));
        let operations = &room.operations;
        match question {
            Question::Backups(wanted) => backups::list(operations, wanted, &cx),
            Question::Backup { which, table, part } => {
                backups::one(operations, which, table.as_deref(), *part, said, &cx)
            }
            Question::Chain(which) => backups::chain(operations, which, &cx),
            Question::Dependents(which) => backups::dependents(operations, which, &cx),
            Question::Validations { backup, part } => {
                backups::validations(operations, backup.as_deref(), *part, &cx)
            }
            Question::Preview { point, live } => preview(room, point, *live, said, &cx),
            Question::Log { level, part } => self.log(room, level.as_deref(), *part, call),
            Question::Schedule => document(&records::schedule_in_force(operations, said).1),
            Question::NextRuns => {
                let in_force = operations.schedule();
                document(&next_runs(operations, &in_force.schedule, said))
            }
            Question::Retention => document(&records::retention(operations)?),
            Question::Expiry => {
                let plan = operations.expiry_plan(&cx);
                let plan = plan.map_err(|fault| of_catalog(&fault))?;
                document(&records::rehearsed(&plan, said))
            }
            Question::RestorePoints(limit) => {
                let days = browse::days(operations, *limit, &cx)?;
                document(&days.iter().map(day).collect::<Vec<_>>())
            }
            Question::Stats => document(&overview::stats(operations, &cx)?),
            Question::Space => document(&overview::space(operations, &cx)?),
            _ => Err(Failure::new(ErrorCode::Internal, format!("{question:?}"))),
        }
    }

    /// Events that were recorded, after those that could not be yet.
    fn log(
        &self,
        room: &Room,
        level: Option<&str>,
        part: Part,
        call: &Call,
    ) -> Result<Value, Failure> {
        let wanted = level.and_then(level_of);
        let cx = Self::context(call);
        let mut waiting: Vec<Value> = Vec::new();
        for (level, kind, detail) in self.rooms.roster.events(&call.base) {
            if wanted.is_none_or(|wanted| wanted == level) {
                waiting.push(json!({
                    "id": null, "fecha": detail["at"], "nivel": level_word(level), "tipo": kind,
                    "backup_id": null, "detalle": detail,
                }));
            }
        }
        let ahead = u32::try_from(waiting.len()).unwrap_or(u32::MAX);
        let first: Vec<Value> = waiting
            .into_iter()
            .skip(part.offset as usize)
            .take(part.limit as usize)
            .collect();
        let begin = part.offset.saturating_sub(ahead);
        let rest = u32::try_from(first.len()).map_or(0, |first| part.limit.saturating_sub(first));
        let told = browse::asked(&room.operations, &cx, |browse| {
            browse.events(wanted, begin..begin.saturating_add(rest))
        })?;
        let told = told.unwrap_or(Rows {
            rows: Vec::new(),
            total: 0,
        });
        let recorded = told.rows.iter().map(|event| {
            json!({
                "id": event.id, "fecha": event.at, "nivel": event.level, "tipo": event.kind,
                "backup_id": event.backup, "detalle": event.detail,
            })
        });
        Ok(json!({
            "elementos": first.into_iter().chain(recorded).collect::<Vec<_>>(),
            "total": told.total + u64::from(ahead),
            "limit": part.limit,
            "offset": part.offset,
        }))
    }
}

fn level_of(word: &str) -> Option<EventLevel> {
    let levels = [EventLevel::Info, EventLevel::Warning, EventLevel::Error];
    levels.into_iter().find(|level| level_word(*level) == word)
}

fn level_word(level: EventLevel) -> &'static str {
    match level {
        EventLevel::Info => "INFO",
        EventLevel::Warning => "WARNING",
        EventLevel::Error => "ERROR",
    }
}

fn day(day: &respaldo_engine::ports::Day) -> RestorePointRecord {
    let here =
        |at: chrono::DateTime<chrono::FixedOffset>| at.with_timezone(&chrono::Local).fixed_offset();
    let fecha: NaiveDate = here(day.first).date_naive();
    RestorePointRecord {
        fecha,
        cantidad_backups: usize::try_from(day.count).unwrap_or(usize::MAX),
        primero: here(day.first),
        ultimo: here(day.last),
    }
}

/// What a restore would do.
pub fn preview(
    room: &Room,
    which: &Point,
    live: bool,
    said: Lang,
    cx: &respaldo_engine::ports::Context,
) -> Result<Value, Failure> {
    let (selector, at) = point::point(which)?;
    let request = PreviewRequest { selector, live };
    let report = room.operations.preview(&request, cx);
    let report = report.map_err(|fault| of_lookup(&fault))?;
    let nothing = || Failure::new(ErrorCode::NothingToRestore, format!("{which:?}"));
    let report = report.ok_or_else(nothing)?;
    let asked = match at {
        Some(TimePoint::At(at)) => Some(at),
        _ => None,
    };
    document(&PreviewRecord::of(&report, asked, said))
}
