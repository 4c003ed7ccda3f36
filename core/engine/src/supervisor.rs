//! Keeps backups going: by the engine where it can be started, else by a fallback that shares nothing
//! with it.
//!
//! One beat of the heart ([`Supervisor::beat`]) does whatever is to be done now, in this order:
//!
//! 1. An engine that is not up is started, when its turn to be tried has come; one that is up is looked at, and given up
//!    at the second look in a row that fails. From then on the fallback is on, and looked at as often.
//! 2. What is due is made, one after the other. By the engine: a run that fails is told and tried again later,
//!    and the engine stays. By the fallback: between two runs the engine is tried, when its turn has come.
//! 3. While the fallback is on, backups are stopped where it cannot work, or where what was due failed and nothing was made
//!    since.
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

/// What falls in while the engine is not up.
pub trait Fallback: Service {
    /// Whether it could make anything now, were it due. The error says why not.
    fn ready(&mut self, cx: &Context) -> Result<(), String>;
}

/// Something that somebody should hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// Another state, or the same for another reason.
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
    /// The engine made what it could of what was due, and this is left of it, in the order of its making.
    Looked(Vec<Waiting>),
}

/// A run that is due and was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The run.
    pub run: RunInfo,
    /// Since when it is due, where that is known.
    pub since: Option<DateTime<Utc>>,
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
pub struct Supervisor<P: Primary, F: Fallback, L: Listener> {
    primary: P,
    fallback: Option<F>,
    listener: L,
    times: Times,
    state: Option<EngineState>,
    /// Why the engine could not be started.
    why_not: String,
    is_up: bool,
    start: Retry,
    /// When the engine, or what falls in for it, was looked at.
    looked_at: Option<DateTime<Utc>>,
    /// Whether the last look at an engine that is up failed.
    is_in_doubt: bool,
    /// Why the fallback could not work when it was looked at.
    fallback_trouble: Option<String>,
    /// Why a run of the fallback failed, since which nothing was made.
    run_trouble: Option<String>,
    runs: HashMap<P::Run, Retry>,
    fallback_runs: HashMap<F::Run, Retry>,
    closing: Interrupt,
    slots: Slots,
}

impl<P: Primary, F: Fallback, L: Listener> Supervisor<P, F, L> {
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
            is_in_doubt: false,
            fallback_trouble: None,
            run_trouble: None,
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
            self.fall_back(clock, cx);
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
        let is_time = if self.is_up {
            self.is_in_doubt || self.is_time_to_look(now)
        } else {
            self.start.is_due(now, self.times.primary)
        };
        if !is_time {
            return;
        }
        let outcome = if self.is_up {
            self.primary.check(cx)
        } else {
            self.primary.start(cx)
        };
        // A stop that comes in between is no fault of the engine.
        match outcome {
            Err(_) if cx.interrupt().is_set() => {}
            Err(reason) => self.doubt(reason, now),
            Ok(()) => self.trust(now),
        }
    }

    /// One look that fails may be a hiccup of the server: the next beat tells.
    fn doubt(&mut self, reason: String, now: DateTime<Utc>) {
        if self.is_up && !std::mem::replace(&mut self.is_in_doubt, true) {
            tracing::warn!(reason, "the engine is looked at again at the next beat");
            return;
        }
        self.stop();
        self.start.failed(now);
        self.why_not = reason;
    }

    fn trust(&mut self, now: DateTime<Utc>) {
        self.is_up = true;
        self.is_in_doubt = false;
        self.start = Retry::default();
        self.looked_at = Some(now);
        self.run_trouble = None;
        self.enter(EngineState::Professional);
    }

    fn is_time_to_look(&self, now: DateTime<Utc>) -> bool {
        self.looked_at
            .is_none_or(|looked_at| (now - looked_at).abs() >= self.times.health)
    }

    /// Has the fallback make what is due. The state is told before, for a run may take hours, and after.
    fn fall_back(&mut self, clock: &dyn Fn() -> DateTime<Utc>, cx: &Context) {
        self.look_at_fallback(clock(), cx);
        self.tell_who_stands_in();
        self.make_due_by_fallback(clock, cx);
        if !self.is_up {
            self.tell_who_stands_in();
        }
    }

    fn look_at_fallback(&mut self, now: DateTime<Utc>, cx: &Context) {
        let takes_over = matches!(self.state, None | Some(EngineState::Professional));
        let Some(fallback) = &mut self.fallback else {
            return;
        };
        let looked_at = self.looked_at.filter(|_| !takes_over);
        if looked_at.is_some_and(|looked_at| (now - looked_at).abs() < self.times.health) {
            return;
        }
        self.looked_at = Some(now);
        self.fallback_trouble = fallback.ready(cx).err();
    }

    fn tell_who_stands_in(&mut self) {
        let no_fallback = self.fallback.is_none().then(|| self.why_not.clone());
        let trouble = self.run_trouble.clone().or(self.fallback_trouble.clone());
        let state = match no_fallback.or(trouble) {
            Some(reason) => EngineState::Stopped { reason },
            None => EngineState::Legacy {
                reason: self.why_not.clone(),
            },
        };
        self.enter(state);
    }

    fn make_due(&mut self, clock: &dyn Fn() -> DateTime<Utc>, cx: &Context) {
        let due = match self.primary.due(clock(), cx) {
            Ok(due) => due,
            Err(reason) => return self.listener.hear(&Happening::Blind(reason)),
        };
        self.runs.retain(|run, _| due.contains(run));
        let mut waiting = Vec::new();
        for run in due {
            waiting.push(Waiting {
                run: RunInfo::of(&run),
                since: run.due_at(),
            });
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
        self.listener.hear(&Happening::Looked(waiting));
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
        let mut ended = Vec::new();
        for run in due {
            let retry = self.fallback_runs.entry(run.clone()).or_default();
            if !retry.is_due(clock(), self.times.run) || self.is_closing(cx) {
                continue;
            }
            // A run may have taken hours: what it waited for may have passed.
            if !ended.is_empty() {
                self.see_to_the_engine(clock(), cx);
            }
            if self.is_up {
                return;
            }
            let Some(end) = self.make_by_fallback(&run, clock, cx) else {
                break;
            };
            ended.push(end);
        }
        self.learn(&ended);
    }

    /// `None`: it was stopped, or must not begin.
    fn make_by_fallback(
        &mut self,
        run: &F::Run,
        clock: &dyn Fn() -> DateTime<Utc>,
        cx: &Context,
    ) -> Option<End> {
        let fallback = self.fallback.as_mut()?;
        let slot = self.slots.take(&self.closing, cx)?;
        self.listener.hear(&Happening::Began(RunInfo::of(run)));
        let made = fallback.make(run, cx);
        drop(slot);
        if made.is_err() && cx.interrupt().is_set() {
            return None;
        }
        let is_made = matches!(made, Ok(Made::Here | Made::Found(_)));
        let retry = self.fallback_runs.entry(run.clone()).or_default();
        Some(match told(made, run, retry, clock(), &mut self.listener) {
            Ok(()) => {
                self.fallback_runs.remove(run);
                if is_made { End::Made } else { End::Left }
            }
            Err(reason) if retry.failures() == 1 => End::Fails(reason),
            Err(reason) => End::FailsAgain(reason),
        })
    }

    /// Whether backups are stopped is decided once, from all that was tried: one kind that is made is enough, and one that goes on
    /// failing meanwhile says nothing new.
    fn learn(&mut self, ended: &[End]) {
        let is_failing = self.fallback_runs.values().any(|run| run.failures() > 0);
        if !is_failing || ended.contains(&End::Made) {
            self.run_trouble = None;
        }
        if ended.contains(&End::Made) {
            self.fallback_trouble = None;
            return;
        }
        for end in ended {
            match end {
                End::Fails(reason) => self.run_trouble = Some(reason.clone()),
                End::FailsAgain(reason) if self.run_trouble.is_some() => {
                    self.run_trouble = Some(reason.clone());
                }
                End::FailsAgain(_) | End::Made | End::Left => {}
            }
        }
    }

    fn enter(&mut self, state: EngineState) {
        if self.state.as_ref() != Some(&state) {
            self.listener.hear(&Happening::State(state.clone()));
            self.state = Some(state);
        }
    }
}

/// How a run of the fallback ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    /// There is a backup.
    Made,
    /// It is another one's.
    Left,
    /// It failed, for the first time.
    Fails(String),
    /// It failed as before.
    FailsAgain(String),
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
