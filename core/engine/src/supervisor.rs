//! Keeps backups going: by the engine where it can be started, else by a fallback that shares nothing
//! with it.
//!
//! One beat of the heart ([`Supervisor::beat`]) does whatever is to be done now, in this order:
//!
//! 1. An engine that is not up is started, when its turn to be tried has come; one that is up is looked at.
//!    Failing either, the fallback is on from now.
//! 2. What is due is made, one after the other. By the engine: a run that fails is told and tried again later,
//!    and the engine stays. By the fallback: a run that fails means that nothing can be made at all.
//!
//! Nothing here waits: whoever beats decides how often, and tests beat through a year in a second. A run is
//! stopped through its [`Context`].

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;

use chrono::{DateTime, TimeDelta, Utc};
use respaldo_domain::schedule::Task;
use respaldo_domain::supervision::{EngineState, Retry, Waits};

use crate::ports::{Context, Interrupt};
use crate::slots::Slots;

/// A service that knows what is due and makes it.
pub trait Service {
    /// A run that is due. Equal ones are the same run.
    type Run: Run;

    /// What is due, in the order in which it is to be made. Empty where this process must not make it.
    fn due(&mut self, now: DateTime<Utc>, cx: &Context) -> Result<Vec<Self::Run>, String>;

    /// Makes it, or leaves it to whoever is at it or has made it meanwhile.
    fn make(&mut self, run: &Self::Run, cx: &Context) -> Result<Made, String>;
}

/// Something to be made; `Display` names it for people.
pub trait Run: Clone + Eq + Hash + fmt::Display {
    /// The task of the schedule, where it is one.
    fn task(&self) -> Option<Task>;

    /// Since when it is due, where that is known.
    fn due_at(&self) -> Option<DateTime<Utc>>;
}

/// A run, for those who hear of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunInfo {
    /// Its name.
    pub name: String,
    /// The task of the schedule, where it is one.
    pub task: Option<Task>,
}

impl RunInfo {
    fn of(run: &impl Run) -> Self {
        Self {
            name: run.to_string(),
            task: run.task(),
        }
    }
}

impl fmt::Display for RunInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// What became of a run that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// It was made.
    Here,
    /// It was made, and what it found somebody must look at.
    Found(String),
    /// Another one made it meanwhile.
    Already,
    /// Another one makes it: it is looked at again at the next beat.
    Elsewhere,
}

/// The engine, which can be started and looked at.
pub trait Primary: Service {
    /// Makes it ready: configuration, plugins, catalog, repository, tools, lease. The error says why not.
    fn start(&mut self, cx: &Context) -> Result<(), String>;

    /// Whether what [`Primary::start`] made sure of still holds.
    fn check(&mut self, cx: &Context) -> Result<(), String>;

    /// Lets go of everything; it may be started again.
    fn stop(&mut self);
}

/// Something that somebody should hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// Another state.
    State(EngineState),
    /// A run begins.
    Began(RunInfo),
    /// A run ended well.
    Made(RunInfo),
    /// A run ended well, and found something.
    Found {
        /// The run.
        run: RunInfo,
        /// What.
        what: String,
    },
    /// Another process made it meanwhile.
    Already(RunInfo),
    /// A run was left to another process.
    Left(RunInfo),
    /// A run failed, for the n-th time in a row.
    Failed {
        /// The run.
        run: RunInfo,
        /// Why.
        reason: String,
        /// Failures in a row, from 1.
        times: u32,
    },
    /// What is due could not be found out.
    Blind(String),
    /// The engine made what it could of what was due, and this is since when the oldest that is left is.
    Looked {
        /// `None`: nothing is left.
        waiting_since: Option<DateTime<Utc>>,
    },
}

/// Hears of everything that happens.
pub trait Listener {
    /// Hears of it; must return soon and cannot fail.
    fn hear(&mut self, happening: &Happening);
}

/// Times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Between tries to start the engine.
    pub primary: Waits,
    /// Between tries of a run that failed.
    pub run: Waits,
    /// Between looks at an engine that is up.
    pub health: TimeDelta,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            primary: Waits {
                first: TimeDelta::seconds(30),
                longest: TimeDelta::minutes(10),
            },
            run: Waits {
                first: TimeDelta::minutes(1),
                longest: TimeDelta::minutes(10),
            },
            health: TimeDelta::minutes(1),
        }
    }
}

/// The supervisor of one database.
pub struct Supervisor<P: Primary, F: Service, L: Listener> {
    primary: P,
    fallback: Option<F>,
    listener: L,
    times: Times,
    state: Option<EngineState>,
    /// Why the engine could not be started.
    why_not: String,
    is_up: bool,
    start: Retry,
    looked_at: Option<DateTime<Utc>>,
    runs: HashMap<P::Run, Retry>,
    fallback_runs: HashMap<F::Run, Retry>,
    closing: Interrupt,
    slots: Slots,
}

impl<P: Primary, F: Service, L: Listener> Supervisor<P, F, L> {
    /// Nothing is started yet. Without a fallback an engine that cannot be started means that backups stop.
    pub fn new(primary: P, fallback: Option<F>, listener: L, times: Times) -> Self {
        Self {
            primary,
            fallback,
            listener,
            times,
            state: None,
            why_not: String::new(),
            is_up: false,
            start: Retry::default(),
            looked_at: None,
            runs: HashMap::new(),
            fallback_runs: HashMap::new(),
            closing: Interrupt::default(),
            slots: Slots::default(),
        }
    }

    /// Runs take turns with those of other supervisors.
    #[must_use]
    pub fn sharing(self, slots: Slots) -> Self {
        Self { slots, ..self }
    }

    /// Once this is set, no run begins any more; one that is under way ends.
    #[must_use]
    pub fn closing_with(self, closing: Interrupt) -> Self {
        Self { closing, ..self }
    }

    fn is_closing(&self, cx: &Context) -> bool {
        self.closing.is_set() || cx.interrupt().is_set()
    }

    /// Who makes backups; `None` before the first beat.
    pub fn state(&self) -> Option<&EngineState> {
        self.state.as_ref()
    }

    /// The engine.
    pub fn primary(&mut self) -> &mut P {
        &mut self.primary
    }

    /// Does what is to be done now. `clock` is asked again after each run: one may take hours.
    pub fn beat(&mut self, clock: &dyn Fn() -> DateTime<Utc>, cx: &Context) {
        self.see_to_the_engine(clock(), cx);
        if self.is_up {
            self.make_due(clock, cx);
        } else {
            self.make_due_by_fallback(clock, cx);
        }
    }

    /// Lets go of the engine; gives back who heard of everything.
    pub fn end(mut self) -> L {
        self.stop();
        self.listener
    }

    fn stop(&mut self) {
        self.primary.stop();
        self.is_up = false;
    }

    fn see_to_the_engine(&mut self, now: DateTime<Utc>, cx: &Context) {
        let outcome = if self.is_up {
            if !self.is_time_to_look(now) {
                return;
            }
            self.looked_at = Some(now);
            self.primary.check(cx)
        } else {
            if !self.start.is_due(now, self.times.primary) {
                return;
            }
            self.primary.start(cx)
        };
        // A stop that comes in between is no fault of the engine.
        match outcome {
            Err(_) if cx.interrupt().is_set() => {}
            Err(reason) => {
                self.stop();
                self.start.failed(now);
                self.fall_back(reason);
            }
            Ok(()) => {
                self.is_up = true;
                self.start = Retry::default();
                self.looked_at = Some(now);
                self.enter(EngineState::Professional);
            }
        }
    }

    fn is_time_to_look(&self, now: DateTime<Utc>) -> bool {
        self.looked_at
            .is_none_or(|looked_at| (now - looked_at).abs() >= self.times.health)
    }

    /// Backups that stopped go on being stopped until one is made.
    fn fall_back(&mut self, reason: String) {
        self.why_not.clone_from(&reason);
        let is_stopped = matches!(self.state, Some(EngineState::Stopped { .. }));
        if self.fallback.is_none() || is_stopped {
            self.enter(EngineState::Stopped { reason });
        } else {
            self.enter(EngineState::Legacy { reason });
        }
    }

    fn make_due(&mut self, clock: &dyn Fn() -> DateTime<Utc>, cx: &Context) {
        let due = match self.primary.due(clock(), cx) {
            Ok(due) => due,
            Err(reason) => return self.listener.hear(&Happening::Blind(reason)),
        };
        self.runs.retain(|run, _| due.contains(run));
        let mut waiting = Vec::new();
        for run in due {
            waiting.push(run.due_at());
            if self.is_closing(cx) || !self.is_run_due(&run, clock()) {
                continue;
            }
            let Some(slot) = self.slots.take(&self.closing, cx) else {
                return;
            };
            self.listener.hear(&Happening::Began(RunInfo::of(&run)));
            let made = self.primary.make(&run, cx);
            drop(slot);
            if made.is_err() && cx.interrupt().is_set() {
                return;
            }
            let is_made = matches!(made, Ok(Made::Here | Made::Found(_) | Made::Already));
            let retry = self.runs.entry(run.clone()).or_default();
            if told(made, &run, retry, clock(), &mut self.listener).is_ok() {
                self.runs.remove(&run);
            }
            if is_made {
                waiting.pop();
            }
        }
        let waiting_since = waiting.into_iter().flatten().min();
        self.listener.hear(&Happening::Looked { waiting_since });
    }

    fn is_run_due(&mut self, run: &P::Run, now: DateTime<Utc>) -> bool {
        let retry = self.runs.entry(run.clone()).or_default();
        retry.is_due(now, self.times.run)
    }

    fn make_due_by_fallback(&mut self, clock: &dyn Fn() -> DateTime<Utc>, cx: &Context) {
        let Some(fallback) = &mut self.fallback else {
            return;
        };
        let due = match fallback.due(clock(), cx) {
            Ok(due) => due,
            Err(reason) => return self.listener.hear(&Happening::Blind(reason)),
        };
        self.fallback_runs.retain(|run, _| due.contains(run));
        for run in due {
            let is_closing = self.is_closing(cx);
            let Some(fallback) = &mut self.fallback else {
                return;
            };
            let retry = self.fallback_runs.entry(run.clone()).or_default();
            if is_closing || !retry.is_due(clock(), self.times.run) {
                continue;
            }
            let Some(slot) = self.slots.take(&self.closing, cx) else {
                return;
            };
            self.listener.hear(&Happening::Began(RunInfo::of(&run)));
            let made = fallback.make(&run, cx);
            drop(slot);
            if made.is_err() && cx.interrupt().is_set() {
                return;
            }
            match told(made, &run, retry, clock(), &mut self.listener) {
                Ok(()) => {
                    self.fallback_runs.remove(&run);
                    let reason = self.why_not.clone();
                    self.enter(EngineState::Legacy { reason });
                }
                Err(reason) => self.enter(EngineState::Stopped { reason }),
            }
        }
    }

    fn enter(&mut self, state: EngineState) {
        let is_news = self.state.as_ref().is_none_or(|old| !old.is_like(&state));
        if is_news {
            self.listener.hear(&Happening::State(state.clone()));
        }
        self.state = Some(state);
    }
}

/// Says how a run ended.
fn told<R: Run>(
    made: Result<Made, String>,
    run: &R,
    retry: &mut Retry,
    now: DateTime<Utc>,
    listener: &mut impl Listener,
) -> Result<(), String> {
    let run = RunInfo::of(run);
    let heard = match made {
        Ok(Made::Here) => Happening::Made(run),
        Ok(Made::Found(what)) => Happening::Found { run, what },
        Ok(Made::Already) => Happening::Already(run),
        Ok(Made::Elsewhere) => Happening::Left(run),
        Err(reason) => {
            retry.failed(now);
            let times = retry.failures();
            listener.hear(&Happening::Failed {
                run,
                reason: reason.clone(),
                times,
            });
            return Err(reason);
        }
    };
    listener.hear(&heard);
    Ok(())
}

#[cfg(test)]
mod tests;
