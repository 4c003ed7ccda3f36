//! Rules that change while they are followed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Schedule, Task, WallClock};

/// A schedule, and since when its rules hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    schedule: Schedule,
    edits: BTreeMap<Task, Edit>,
}

/// The newest change of a task's rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Edit {
    at: DateTime<Utc>,
    /// The newest due time of the rules before it.
    due_before: Option<DateTime<Utc>>,
}

impl Rules {
    /// Rules that have always held, as far as is known.
    pub fn always(schedule: Schedule) -> Self {
        Self {
            schedule,
            edits: BTreeMap::new(),
        }
    }

    /// The schedule in force.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// The rules after the schedule was found to be another at `now`; the same where it is not.
    #[must_use]
    pub fn edited(mut self, schedule: Schedule, now: DateTime<Utc>, zone: &dyn WallClock) -> Self {
        for task in Task::ALL {
            if !self.schedule.same_rule(&schedule, task) {
                let due_before = self.last_due(task, now, zone);
                self.edits.insert(
                    task,
                    Edit {
                        at: now,
                        due_before,
                    },
                );
            }
        }
        self.schedule = schedule;
        self
    }

    /// The newest due time of a task not after `now`, by the rule that held then. An edit dated
    /// ahead of `now` was dated by a wrong clock: its rule is taken to have always held.
    pub fn last_due(
        &self,
        task: Task,
        now: DateTime<Utc>,
        zone: &dyn WallClock,
    ) -> Option<DateTime<Utc>> {
        let due = self.schedule.last_due(task, now, zone)?;
        match self.edits.get(&task) {
            Some(edit) if due < edit.at && edit.at <= now => edit.due_before,
            _ => Some(due),
        }
    }
}
