//! Due times as the contract's records.

use chrono::Utc;
use respaldo_contract::labels::Label;
use respaldo_contract::messages::Lang;
use respaldo_contract::records::{NextRunRecord, NextRunsRecord};
use respaldo_domain::schedule::{Schedule, Task};
use respaldo_engine::operations::Operations;

/// When each task is due next.
pub fn next_runs(operations: &Operations, schedule: &Schedule, lang: Lang) -> NextRunsRecord {
    let zone = &operations.parts().settings.schedule.zone;
    let due = operations.next_runs(schedule, Utc::now()).into_iter();
    due.map(|due| {
        let next = NextRunRecord::of(schedule, due.task, zone.at(due.at), lang);
        (due.task.label(), next)
    })
    .collect()
}

/// When each kind of backup is due next; nothing where nothing is run by itself.
pub fn next_backups(operations: &Operations, lang: Lang) -> NextRunsRecord {
    if !operations.parts().settings.schedule.enabled {
        return NextRunsRecord::new();
    }
    let mut next = next_runs(operations, &operations.schedule().schedule, lang);
    next.remove(Task::Validation.label());
    next
}
