//! The schedule in force, and a rule of it changed in parts.

use respaldo_contract::messages::{Lang, ScheduleSource};
use respaldo_contract::records::ScheduleRecord;
use respaldo_domain::range::OutOfRange;
use respaldo_domain::schedule::{Daily, Monthly, RuleChange, Schedule, Task, Weekly};
use respaldo_engine::operations::Operations;
use respaldo_engine::schedule::{InForce, ScheduleOrigin};

/// The parts of a rule that are given; the others stay.
#[derive(Debug, Clone, Copy, Default)]
pub struct RuleParts {
    /// Of the month.
    pub day: Option<u32>,
    /// 0 Monday to 6 Sunday.
    pub weekday: Option<u32>,
    /// Of the day.
    pub hour: Option<u32>,
    /// Of the hour.
    pub minute: Option<u32>,
}

/// The schedule in force.
pub fn schedule_in_force(operations: &Operations, lang: Lang) -> (InForce, ScheduleRecord) {
    let in_force = operations.schedule();
    let settings = &operations.parts().settings.schedule;
    let mut record = ScheduleRecord::of(&in_force.schedule, source(&in_force), lang)
        .with_warnings(&in_force.warnings, lang);
    record.zona_horaria.clone_from(&settings.zone_name);
    record.activo = settings.enabled;
    record.recuperar = settings.catch_up;
    (in_force, record)
}

fn source(in_force: &InForce) -> ScheduleSource {
    match in_force.origin {
        ScheduleOrigin::Stored => ScheduleSource::Database,
        ScheduleOrigin::Remembered => ScheduleSource::Memory,
        ScheduleOrigin::Configured => ScheduleSource::Configuration,
    }
}

/// The rule of a task with the parts that are given; `None` for one whose rule is not stored.
pub fn changed_rule(
    task: Task,
    parts: RuleParts,
    schedule: &Schedule,
) -> Result<Option<RuleChange>, OutOfRange> {
    let time = |now: Daily| {
        let hour = parts.hour.unwrap_or(now.hour());
        Daily::new(hour, parts.minute.unwrap_or(now.minute()))
    };
    Ok(match task {
        Task::Full => {
            let now = schedule.full;
            let day = parts.day.unwrap_or(now.day());
            Some(RuleChange::Full(Monthly::new(day, time(now.time())?)?))
        }
        Task::Differential => {
            let now = schedule.differential;
            let weekday = parts.weekday.unwrap_or(now.weekday());
            let rule = Weekly::new(weekday, time(now.time())?)?;
            Some(RuleChange::Differential(rule))
        }
        Task::Incremental => Some(RuleChange::Incremental(time(schedule.incremental)?)),
        Task::Validation => None,
    })
}
