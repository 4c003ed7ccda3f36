//! `serve`: the supervisor as a service, until a signal.
//!
//! One thread does the work, beat by beat ([`respaldo_engine::supervisor`]): it may be busy with a backup for
//! hours. This one beats, looks for signals, keeps the watchdog quiet, and says in a small file how
//! things stand ([`state_file`]). On a signal no run begins any more; one that is under way may end within
//! `supervisor.stop_within`, then it is stopped, which leaves no half backup.

mod engine;
mod fallback;
mod heartbeat;
mod listener;
mod state_file;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use chrono::Utc;
use respaldo_contract::messages::{ErrorCode, ExitCode, Outcome};
use respaldo_engine::ports::{Context, Interrupt};
use respaldo_engine::supervisor::{Supervisor, Times};

use crate::cli::App;
use crate::config::SupervisorSettings;
use crate::failure::Failure;
use engine::Engine;
use fallback::Fallback;
use listener::{Events, Teller};
use state_file::StateFile;

pub use fallback::state_folder;
pub use listener::words;
pub use state_file::Standing;

/// How often this thread looks around.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// What a stopped run takes at most to clean up.
const CLEAN_UP: Duration = Duration::from_secs(30);

/// What the worker is told.
enum Order {
    Beat,
    End,
}

/// Serves until a signal.
pub fn run(app: &App) -> Result<ExitCode, Failure> {
    let settings = SupervisorSettings::load(app.globals.config.as_deref(), &app.environment);
    let state = StateFile::new();
    let (orders, to_do) = channel();
    let stop_run = Interrupt::default();
    let events = Events::default();
    let internal = |error: std::io::Error| Failure::of(ErrorCode::Internal, &error);
    let _heart =
        heartbeat::start(settings.beat_interval, beat(orders.clone())).map_err(internal)?;
    let worker = Worker {
        engine: Engine::new(app, events.clone(), state.clone()),
        fallback: Fallback::new(app, &state),
        teller: Teller::new(state.clone(), events),
        times: settings.times(),
        closing: app.interrupt.clone(),
        cx: Context::quiet().with_interrupt(stop_run.clone()),
    };
    let worker = thread::Builder::new()
        .name("respaldo-work".to_owned())
        .spawn(move || worker.work(&to_do))
        .map_err(internal)?;
    orders.send(Order::Beat).ok();
    notify(&[sd_notify::NotifyState::Ready]);
    app.output.remark(&Outcome::ServeBegan {}.text(app.lang()));

    watch(app, &worker, &state);
    notify(&[sd_notify::NotifyState::Stopping]);
    orders.send(Order::End).ok();
    let ended = end(&worker, &stop_run, settings.stop_within);
    state.remove();
    app.output.remark(&Outcome::ServeEnded {}.text(app.lang()));
    // A worker that panicked has been reported by the hook.
    let is_well = ended && worker.join().is_ok();
    Ok(if is_well {
        ExitCode::Done
    } else {
        ExitCode::Bug
    })
}

/// Nobody listens at the end.
fn beat(orders: Sender<Order>) -> impl Fn() + Send + Sync + 'static {
    move || {
        orders.send(Order::Beat).ok();
    }
}

/// Until a signal, or the end of the worker, which is a bug.
fn watch(app: &App, worker: &thread::JoinHandle<()>, state: &StateFile) {
    let mut told = Instant::now();
    while !app.interrupt.is_set() && !worker.is_finished() {
        thread::sleep(LOOK_EVERY);
        if told.elapsed() >= state_file::REFRESH_EVERY {
            told = Instant::now();
            state.refresh();
            notify(&[sd_notify::NotifyState::Watchdog]);
        }
    }
}

/// Waits for the worker: first for its run to end, then for it to be cleaned up.
fn end(worker: &thread::JoinHandle<()>, stop_run: &Interrupt, within: Duration) -> bool {
    if !wait(worker, within) {
        tracing::warn!("the run under way did not end in time and is stopped");
        stop_run.set();
    }
    wait(worker, CLEAN_UP)
}

fn wait(worker: &thread::JoinHandle<()>, limit: Duration) -> bool {
    let began = Instant::now();
    while !worker.is_finished() {
        if began.elapsed() >= limit {
            return false;
        }
        thread::sleep(LOOK_EVERY);
        notify(&[sd_notify::NotifyState::Watchdog]);
    }
    true
}

fn notify(state: &[sd_notify::NotifyState<'_>]) {
    // Without systemd there is nobody to tell.
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd was not told");
    }
}

struct Worker {
    engine: Engine,
    fallback: Option<Fallback>,
    teller: Teller,
    times: Times,
    closing: Interrupt,
    cx: Context,
}

impl Worker {
    fn work(self, orders: &Receiver<Order>) {
        let supervisor = Supervisor::new(self.engine, self.fallback, self.teller, self.times);
        let mut supervisor = supervisor.closing_with(self.closing);
        while let Ok(Order::Beat) = orders.recv() {
            // Beats that came during a long run are one.
            if orders.try_iter().any(|order| matches!(order, Order::End)) {
                break;
            }
            supervisor.beat(&Utc::now, &self.cx);
        }
        supervisor.stop();
    }
}
