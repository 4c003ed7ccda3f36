//! The engine as the supervisor's primary: started from the configuration as it is now, looked at, asked what is due.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use chrono::{DateTime, Utc};
use respaldo_contract::labels::Label;
use respaldo_domain::backup::{BackupKind, BackupState, Trigger};
use respaldo_domain::manifest::Manifest;
use respaldo_domain::schedule::{DueRun, Occurrence, Task};
use respaldo_engine::backup::{BackupError, BackupRequest};
use respaldo_engine::leadership::{Candidacy, Instance, LEADING, Leader};
use respaldo_engine::operations::Operations;
use respaldo_engine::owed::Settle;
use respaldo_engine::ports::{CatalogEntry, CatalogFilter, Context, FaultKind};
use respaldo_engine::supervisor::{self, Made, Primary, Service};
use respaldo_postgres::ConnInfo;

use super::adoption;
use super::crew::Order;
use super::listener::Events;
use super::state_file::StateFile;
use crate::config::{Config, Sources};
use crate::failure::{Failure, reason_of};
use crate::metrics::{self, Metrics, Tables};
use crate::wiring;

/// How long it is waited for the first word on who leads.
const ASKED_WITHIN: Duration = Duration::from_secs(30);

/// The engine.
pub struct Engine {
    sources: Sources,
    events: Events,
    state: StateFile,
    metrics: Metrics,
    /// A look at the engine loads no plugin that is loaded.
    shelf: wiring::Shelf,
    /// To be woken when it comes to lead.
    orders: Sender<Order>,
    operations: Option<Operations>,
    lead: Option<Lead>,
    /// Whether what was made while it was down is still to be adopted.
    to_adopt: bool,
    /// Runs whose last try failed: what they would have done for is made in their stead.
    failed: Vec<Run>,
}

/// The lead of a database, wanted or held.
struct Lead {
    of: ConnInfo,
    candidacy: Candidacy,
}

/// A run that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Run(Occurrence);

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.task.label())
    }
}

impl supervisor::Run for Run {
    fn task(&self) -> Option<Task> {
        Some(self.0.task)
    }

    fn due_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.at)
    }
}

impl Engine {
    /// Not started yet.
    pub fn new(
        sources: &Sources,
        events: Events,
        state: StateFile,
        metrics: Metrics,
        orders: Sender<Order>,
    ) -> Self {
        Self {
            sources: sources.clone(),
            events,
            state,
            metrics,
            shelf: wiring::Shelf::default(),
            orders,
            operations: None,
            lead: None,
            to_adopt: false,
            failed: Vec::new(),
        }
    }

    /// The engine that the configuration describes now.
    fn build(&self) -> Result<Operations, Failure> {
        let config = Config::load(&self.sources, Vec::new())?;
        self.state.also_in(&wiring::work_dir(&config));
        wiring::operations_again(&config, &self.shelf)
    }

    fn start_as_configured(&mut self, cx: &Context) -> Result<(), String> {
        let operations = self.build().map_err(|failure| failure.in_words())?;
        let ready = operations.ready(cx);
        ready.map_err(|error| reason_of(&error))?;
        self.want_to_lead(&operations.parts().source)?;
        self.may_come_to_lead()?;
        self.measure(&operations, cx);
        rest(&operations);
        self.events.go_to(operations.parts().catalog.clone());
        self.to_adopt |= self.operations.is_none();
        self.operations = Some(operations);
        Ok(())
    }

    fn operations(&self) -> Result<&Operations, String> {
        let operations = self.operations.as_ref();
        operations.ok_or_else(|| "the engine is not up".to_owned())
    }

    /// Wants to lead the database from now on, unless it does already.
    fn want_to_lead(&mut self, source: &ConnInfo) -> Result<(), String> {
        if self.lead.as_ref().is_some_and(|lead| lead.of == *source) {
            return Ok(());
        }
        self.lead = None;
        let orders = self.orders.clone();
        let changed = move || {
            // Nobody listens at the end.
            orders.send(Order::Beat).ok();
        };
        let candidacy = Candidacy::begin(source, &Instance::here(), changed);
        self.lead = Some(Lead {
            of: source.clone(),
            candidacy: candidacy.map_err(|fault| reason_of(&fault))?,
        });
        Ok(())
    }

    /// Fails where nobody can lead from here, and it is not known that another does: then nothing would ever be due.
    fn may_come_to_lead(&self) -> Result<(), String> {
        let lead = self.lead.as_ref();
        let trouble = lead.and_then(|lead| lead.candidacy.trouble(ASKED_WITHIN));
        trouble.map_or(Ok(()), |fault| {
            let why = reason_of(&*fault);
            Err(format!("the lead cannot be taken: {why}"))
        })
    }

    /// Gives sinks what they are owed and can be given again.
    fn settle_owed(&self, operations: &Operations, cx: &Context) {
        match operations.settle(Settle::Due, cx) {
            Ok(settled) => {
                for (sink, archive) in &settled.given {
                    tracing::info!(sink, %archive, "given what it was owed");
                }
                let sinks = operations.parts().store.sinks().iter();
                for entry in sinks.filter(|entry| !entry.required) {
                    let sink = entry.sink.name();
                    self.metrics.owed(sink, settled.left.count(sink));
                }
            }
            Err(fault) => tracing::warn!(reason = reason_of(&fault), "what is owed stays owed"),
        }
    }

    fn leader(&self) -> Option<Arc<Leader>> {
        let leader = self.lead.as_ref().and_then(|lead| lead.candidacy.leader());
        self.state.leads(leader.is_some());
        self.metrics.leads(leader.is_some());
        leader
    }

    /// What was made by whomever, for the figures.
    fn measure(&self, operations: &Operations, cx: &Context) {
        let every = CatalogFilter {
            kind: None,
            state: Some(BackupState::Completed),
            limit: None,
            ours_only: true,
        };
        let measured = operations.list(&every, cx).and_then(|entries| {
            let unproven = operations.oldest_unproven(&entries)?;
            Ok((entries, unproven))
        });
        match measured {
            Ok((entries, unproven)) => {
                self.metrics.oldest_unproven(unproven);
                // Newest last: it counts.
                for entry in entries.iter().rev() {
                    if let Some((kind, made)) = figures_of(entry) {
                        self.metrics.made(kind, &made);
                    }
                }
            }
            Err(fault) => tracing::debug!(%fault, "what was made is not measured"),
        }
    }
}

fn figures_of(entry: &CatalogEntry) -> Option<(BackupKind, metrics::Made)> {
    let kind = BackupKind::from_label(&entry.kind_label).ok()?;
    let duration = entry.finished_at - entry.started_at;
    let made = metrics::Made {
        at: entry.finished_at,
        duration: duration.to_std().unwrap_or_default(),
        bytes: entry.size_bytes.unwrap_or_default(),
        tables: None,
    };
    Some((kind, made))
}

impl Primary for Engine {
    fn start(&mut self, cx: &Context) -> Result<(), String> {
        let started = self.start_as_configured(cx);
        if started.is_err() {
            // Whatever it was, the next start finds nothing of it.
            self.shelf.clear();
        }
        started
    }

    /// As a start: the configuration may have been changed, and tools or rights be gone.
    fn check(&mut self, cx: &Context) -> Result<(), String> {
        self.start(cx)
    }

    /// Another may lead, whose engine is up.
    fn stop(&mut self) {
        self.operations = None;
        self.lead = None;
        self.leader();
    }
}

impl Service for Engine {
    type Run = Run;

    /// Nothing is due where another process leads.
    fn due(&mut self, now: DateTime<Utc>, cx: &Context) -> Result<Vec<Run>, String> {
        if self.leader().is_none() {
            return Ok(Vec::new());
        }
        let operations = self.operations()?;
        let due = operations.due_runs(now, cx);
        rest(operations);
        let due = due.map_err(|fault| reason_of(&fault))?;
        if due.is_empty() {
            self.settle_owed(operations, cx);
        }
        Ok(with_stand_ins(due, &self.failed))
    }

    /// Who leads no more stops what is under way: another makes it.
    fn make(&mut self, run: &Run, cx: &Context) -> Result<Made, String> {
        self.failed.retain(|failed| failed != run);
        let Some(leader) = self.leader() else {
            return Ok(Made::Elsewhere);
        };
        let cx = cx.with_mandate(leader.mandate().clone());
        let cx = cx.with_interrupt(cx.interrupt().or(leader.lost()));
        leader.say(run.to_string());
        let operations = self.operations()?;
        let to_adopt = self.to_adopt && adoption::is_left(operations, &self.sources, &cx);
        let made = match run.0.task.kind() {
            Some(kind) => backup(operations, kind, run.0, &self.metrics, &cx),
            None => look_at_all(operations, &cx),
        };
        rest(operations);
        self.to_adopt = to_adopt;
        leader.say(LEADING);
        match made {
            Err(reason) if leader.lost().is_set() => {
                tracing::warn!(reason, "left to the next leader");
                Ok(Made::Elsewhere)
            }
            Err(reason) => {
                self.failed.push(*run);
                Err(reason)
            }
            made => made,
        }
    }
}

/// What is due, and in the stead of each run that failed the greatest that it would have done for and that did not fail: a full
/// that cannot be made must not keep incrementals from being made.
fn with_stand_ins(due: Vec<DueRun>, failed: &[Run]) -> Vec<Run> {
    let mut runs = Vec::new();
    for due in due {
        let first = Occurrence {
            task: due.task,
            at: due.occurrence,
        };
        for occurrence in [first].into_iter().chain(due.covers) {
            let run = Run(occurrence);
            runs.push(run);
            if !failed.contains(&run) {
                break;
            }
        }
    }
    runs
}

/// Between two looks the lead's connection is the only one.
fn rest(operations: &Operations) {
    if let Some(catalog) = &operations.parts().catalog {
        catalog.rest();
    }
}

/// Looks at every backup, and as deep into the newest as is configured for a day and a week.
fn look_at_all(operations: &Operations, cx: &Context) -> Result<Made, String> {
    let validations = operations.validate_on_schedule(Utc::now(), cx);
    let validations = validations.map_err(|error| reason_of(&error))?;
    let damaged = validations
        .iter()
        .filter(|validation| !validation.is_valid());
    let names: Vec<&str> = damaged
        .map(|validation| validation.archive.as_str())
        .collect();
    Ok(match names.as_slice() {
        [] => Made::Here,
        _ => Made::Found(format!(
            "respaldo validate tells more: {}",
            names.join(", ")
        )),
    })
}

/// Another run at work, here or on another machine, is no failure.
fn backup(
    operations: &Operations,
    kind: BackupKind,
    due: Occurrence,
    metrics: &Metrics,
    cx: &Context,
) -> Result<Made, String> {
    let request = BackupRequest {
        kind,
        label: None,
        trigger: Trigger::Schedule,
        allow_partial: false,
        due: Some(due),
    };
    match operations.backup(&request, cx) {
        Ok(report) => {
            for warning in &report.warnings {
                tracing::warn!(?warning, archive = %report.manifest.archive, "look at this backup");
            }
            metrics.made(report.manifest.kind, &figures(&report.manifest));
            Ok(Made::Here)
        }
        Err(BackupError::NotDue) => Ok(Made::Already),
        Err(BackupError::Lease(fault)) if fault.kind == FaultKind::Busy => {
            tracing::info!(%fault, "left to another run");
            Ok(Made::Elsewhere)
        }
        Err(error) => Err(reason_of(&error)),
    }
}

fn figures(manifest: &Manifest) -> metrics::Made {
    let dumped = manifest.dumped().count();
    let with_rows = manifest.tables.iter().filter(|table| table.data.is_some());
    let duration = manifest.finished_at - manifest.started_at;
    metrics::Made {
        at: manifest.finished_at,
        duration: duration.to_std().unwrap_or_default(),
        bytes: manifest
            .objects
            .first()
            .map_or(0, |archive| archive.size_bytes),
        tables: Some(Tables {
            dumped,
            skipped: with_rows.count().saturating_sub(dumped),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn at(task: Task, hours: i64) -> Occurrence {
        Occurrence {
            task,
            at: DateTime::UNIX_EPOCH + TimeDelta::hours(hours),
        }
    }

    #[test]
    fn what_failed_is_tried_again_and_the_next_smaller_is_made_in_its_stead() {
        let full = at(Task::Full, 3);
        let smaller = vec![at(Task::Differential, 2), at(Task::Incremental, 1)];
        let due = |failed: &[Occurrence]| {
            let due = DueRun {
                task: full.task,
                occurrence: full.at,
                covers: smaller.clone(),
            };
            let failed: Vec<Run> = failed.iter().copied().map(Run).collect();
            let runs = with_stand_ins(vec![due], &failed);
            runs.into_iter().map(|run| run.0).collect::<Vec<_>>()
        };
        assert_eq!(due(&[]), [full]);
        assert_eq!(due(&[full]), [full, smaller[0]]);
        assert_eq!(due(&[full, smaller[0]]), [full, smaller[0], smaller[1]]);
        assert_eq!(
            due(&[smaller[0]]),
            [full],
            "what was not tried stands for itself"
        );
    }
}
