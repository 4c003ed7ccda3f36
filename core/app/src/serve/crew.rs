//! The threads that look after databases, one for each; they come and go with `[[databases]]`. One that panics is told
//! of as an engine that stopped, and another takes its place after a while; the others go on.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chrono::Utc;
use respaldo_contract::messages::Lang;
use respaldo_domain::supervision::EngineState;
use respaldo_engine::ports::{Context, Interrupt};
use respaldo_engine::slots::Slots;
use respaldo_engine::supervisor::{Happening, Listener, Supervisor, Times};

use super::alarms::Alarms;
use super::engine::Engine;
use super::fallback::Fallback;
use super::heartbeat::Pulse;
use super::listener::{Events, Teller};
use super::state_file::StateFile;
use super::{LOOK_EVERY, notify};
use crate::cli::App;
use crate::config::{Config, LegacySetup, Sources, SupervisorSettings};
use crate::metrics::Figures;
use crate::wiring;

/// What the name of a database is where nothing says it.
const NAMELESS: &str = "respaldo";
/// How long a thread may take for one beat, apart from runs: what hangs longer is ended by the watchdog. Reading what is in a large
/// storage takes a while.
const ANSWERS_WITHIN: Duration = Duration::from_hours(1);

/// What a thread is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Look what is to be done.
    Beat,
    /// End.
    End,
}

/// All threads.
pub struct Crew {
    sources: Sources,
    lang: Lang,
    settings: SupervisorSettings,
    slots: Slots,
    figures: Figures,
    members: Members,
    /// Those that were told to end.
    leaving: Vec<Member>,
    listens: Arc<Mutex<Option<(SocketAddr, String)>>>,
}

pub(super) type Members = Arc<Mutex<Vec<Member>>>;

/// A database and its thread.
pub struct Member {
    /// Its name in `[[databases]]`; `None`: the only one.
    pub key: Option<String>,
    /// Its name for people.
    pub name: String,
    /// How it stands.
    pub state: StateFile,
    /// What happened to it and is not recorded yet.
    pub events: Events,
    orders: Sender<Order>,
    closing: Interrupt,
    stop_run: Interrupt,
    /// When it last took up a beat or was done with one.
    answers: Pulse,
    thread: JoinHandle<()>,
}

/// How a thread begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begin {
    /// With its work.
    AtOnce,
    /// In the place of one that panicked, which is told; after a while, for it may panic again.
    AfterPanic,
}

impl Crew {
    /// Nobody yet.
    pub fn new(app: &App, settings: SupervisorSettings) -> Self {
        Self {
            sources: app.sources.clone(),
            lang: app.lang(),
            settings,
            slots: Slots::new(settings.parallel_runs),
            figures: Figures::default(),
            members: Members::default(),
            leaving: Vec::new(),
            listens: Arc::default(),
        }
    }

    /// What is measured.
    pub fn figures(&self) -> Figures {
        self.figures.clone()
    }

    /// Those at work.
    pub fn members(&self) -> Members {
        Arc::clone(&self.members)
    }

    /// Wakes everybody.
    pub fn beat(&self) -> impl Fn() + Send + Sync + 'static + use<> {
        let members = self.members();
        move || {
            for member in &*lock(&members) {
                member.order(Order::Beat);
            }
        }
    }

    /// Hears where the panel listens, and its address for people.
    pub fn listening(&self) -> impl FnOnce(SocketAddr, &str) + Send + 'static + use<> {
        let (members, listens) = (self.members(), Arc::clone(&self.listens));
        move |address, panel: &str| {
            tracing::info!(%address, "the panel listens");
            let heard = Some((address, panel.to_owned()));
            *listens.lock().unwrap_or_else(PoisonError::into_inner) = heard;
            for member in &*lock(&members) {
                member.state.listens(address, panel);
            }
        }
    }

    /// Looks after the databases that are configured now. While that cannot be read nobody comes and nobody goes, but there is always
    /// somebody: the legacy service may know a database when nothing else does.
    pub fn follow_configuration(&mut self) -> io::Result<()> {
        self.leaving.retain(|member| !member.thread.is_finished());
        let Some(wanted) = self.wanted() else {
            return Ok(());
        };
        let leaving = {
            let mut members = lock(&self.members);
            let left = members.extract_if(.., |member| !wanted.contains(&member.key));
            left.collect::<Vec<_>>()
        };
        for member in leaving {
            tracing::info!(database = member.name, "is not looked after any more");
            member.end();
            self.figures.forget(&member.name);
            self.leaving.push(member);
        }
        for key in wanted {
            let is = |member: &Member| member.key == key;
            // One that comes back waits until its old thread has ended.
            if !lock(&self.members).iter().any(is) && !self.leaving.iter().any(is) {
                let member = self.engage(key, Begin::AtOnce)?;
                lock(&self.members).push(member);
            }
        }
        Ok(())
    }

    fn wanted(&self) -> Option<Vec<Option<String>>> {
        if self.sources.database.is_some() {
            return Some(vec![self.sources.database.clone()]);
        }
        match self.sources.databases() {
            Ok(names) if names.is_empty() => Some(vec![None]),
            Ok(names) => Some(names.into_iter().map(Some).collect()),
            Err(_) if lock(&self.members).is_empty() => Some(vec![None]),
            Err(_) => None,
        }
    }

    fn engage(&self, key: Option<String>, begin: Begin) -> io::Result<Member> {
        let mut sources = self.sources.clone();
        sources.database.clone_from(&key);
        let name = name_of(&sources);
        let (orders, to_do) = channel();
        let (closing, stop_run) = (Interrupt::default(), Interrupt::default());
        let state = StateFile::new();
        let listens = self.listens.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((address, panel)) = &*listens {
            state.listens(*address, panel);
        }
        drop(listens);
        if let Ok(config) = Config::load(&sources, Vec::new()) {
            state.also_in(&wiring::work_dir(&config));
        }
        let fallback = Fallback::new(&sources, &state);
        let events = Events::default();
        let metrics = self.figures.of(&name);
        let alarms = Alarms::new(&sources, &name, self.lang, &state);
        let engine = Engine::new(
            &sources,
            events.clone(),
            state.clone(),
            metrics.clone(),
            orders.clone(),
        );
        let answers = Pulse::felt_at(Instant::now());
        let work = Work {
            begin,
            answers: answers.clone(),
            engine,
            fallback,
            teller: Teller::new(state.clone(), events.clone(), metrics, alarms),
            times: self.settings.times(),
            slots: self.slots.clone(),
            closing: closing.clone(),
            cx: Context::quiet().with_interrupt(stop_run.clone()),
        };
        let thread = thread::Builder::new()
            .name("respaldo-work".to_owned())
            .spawn(move || work.work(&to_do))?;
        let member = Member {
            key,
            name,
            state,
            events,
            orders,
            closing,
            stop_run,
            answers,
            thread,
        };
        member.order(Order::Beat);
        Ok(member)
    }

    /// Says that everybody is alive.
    pub fn refresh(&self) {
        for member in &*lock(&self.members) {
            member.state.refresh();
        }
    }

    /// Engages others in the place of threads that ended and were not told to: they panicked.
    pub fn replace_lost(&mut self) -> io::Result<()> {
        let is_lost = |member: &mut Member| member.thread.is_finished();
        let lost: Vec<Member> = lock(&self.members).extract_if(.., is_lost).collect();
        for member in lost {
            tracing::error!(database = member.name, "its thread panicked");
            let member = self.engage(member.key, Begin::AfterPanic)?;
            lock(&self.members).push(member);
        }
        Ok(())
    }

    /// Whether every thread answers, or is at a run, which may take hours.
    pub fn is_alive(&self, now: Instant) -> bool {
        let members = lock(&self.members);
        let mut members = members.iter();
        members.all(|member| is_answering(&member.answers, &member.state, now))
    }

    /// Ends everybody: no run begins, those under way may end within `within` and are then stopped, which
    /// takes `clean_up` at most. Whether all went well.
    pub fn end(mut self, within: Duration, clean_up: Duration) -> bool {
        let members = std::mem::take(&mut *lock(&self.members));
        for member in &members {
            member.end();
        }
        self.leaving.extend(members);
        if !wait(&self.leaving, within) {
            tracing::warn!("a run under way did not end in time and is stopped");
            for member in &self.leaving {
                member.stop_run.set();
            }
        }
        let mut is_well = wait(&self.leaving, clean_up);
        for member in self.leaving {
            member.state.remove();
            is_well &= member.thread.is_finished() && member.thread.join().is_ok();
        }
        is_well
    }
}

fn lock(members: &Members) -> MutexGuard<'_, Vec<Member>> {
    members.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait(members: &[Member], limit: Duration) -> bool {
    let began = Instant::now();
    while !members.iter().all(|member| member.thread.is_finished()) {
        if began.elapsed() >= limit {
            return false;
        }
        thread::sleep(LOOK_EVERY);
        notify(&[sd_notify::NotifyState::Watchdog]);
    }
    true
}

/// Whether a thread answered lately, or is at a run.
fn is_answering(answers: &Pulse, state: &StateFile, now: Instant) -> bool {
    let standing = state.standing();
    let runs = standing.is_some_and(|standing| standing.running.is_some());
    runs || !answers.is_missed(now, ANSWERS_WITHIN)
}

/// The name of an entry, else that of the database.
fn name_of(sources: &Sources) -> String {
    let setup = || LegacySetup::load(sources).or_else(|_| LegacySetup::without_file(sources));
    let of_source = || setup().ok().map(|setup| setup.source.database().to_owned());
    let named = sources.database.clone().or_else(of_source);
    named.unwrap_or_else(|| NAMELESS.to_owned())
}

impl Member {
    /// Nobody listens at the end.
    fn order(&self, order: Order) {
        self.orders.send(order).ok();
    }

    fn end(&self) {
        self.closing.set();
        self.order(Order::End);
    }
}

/// What a thread works with.
struct Work {
    begin: Begin,
    answers: Pulse,
    engine: Engine,
    fallback: Option<Fallback>,
    teller: Teller,
    times: Times,
    slots: Slots,
    closing: Interrupt,
    cx: Context,
}

impl Work {
    fn work(mut self, orders: &Receiver<Order>) {
        if self.begin == Begin::AfterPanic {
            self.tell_of_panic();
        }
        let supervisor = Supervisor::new(self.engine, self.fallback, self.teller, self.times);
        let mut supervisor = supervisor.closing_with(self.closing).sharing(self.slots);
        while orders.recv() == Ok(Order::Beat) {
            // Beats that came during a long run are one.
            if orders.try_iter().any(|order| order == Order::End) {
                break;
            }
            self.answers.feel(Instant::now());
            supervisor.beat(&Utc::now, &self.cx);
            self.answers.feel(Instant::now());
        }
        supervisor.end().close();
    }

    /// Tells, and waits as after a start that failed.
    fn tell_of_panic(&mut self) {
        let reason = "the thread of this database ended by a bug, which the log tells; another takes its place";
        let state = EngineState::Stopped {
            reason: reason.to_owned(),
        };
        self.teller.hear(&Happening::State(state));
        let wait = self.times.primary.first.to_std().unwrap_or_default();
        let begin = Instant::now();
        while begin.elapsed() < wait && !self.closing.is_set() {
            thread::sleep(LOOK_EVERY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_answers_or_is_at_a_run_keeps_the_watchdog_quiet_and_one_that_hangs_does_not() {
        let began = Instant::now();
        let (answers, state) = (Pulse::felt_at(began), StateFile::new());
        let late = began + ANSWERS_WITHIN;
        let before = late.checked_sub(Duration::from_secs(1)).unwrap();
        assert!(is_answering(&answers, &state, before));
        assert!(!is_answering(&answers, &state, late));
        state.enter(EngineState::Professional);
        assert!(!is_answering(&answers, &state, late));
        state.runs(Some("FULL".to_owned()));
        assert!(is_answering(&answers, &state, late + ANSWERS_WITHIN));
        state.runs(None);
        assert!(!is_answering(&answers, &state, late));
        answers.feel(late);
        assert!(is_answering(&answers, &state, late));
    }
}
