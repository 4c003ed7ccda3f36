//! `serve`: the supervisors of one or several databases as a service, until a signal.
//!
//! Each database has a thread that does the work, beat by beat ([`respaldo_engine::supervisor`]): it may be busy
//! with a backup for hours. This one looks for signals and for databases that come and go, helps a heart that does not
//! beat and threads that panicked, and keeps the watchdog quiet while all threads answer. On a signal no run begins any more; one that is under way may end within
//! `supervisor.stop_within`, then it is stopped, which leaves no half backup.

mod adoption;
mod alarms;
mod crew;
mod engine;
mod fallback;
mod heartbeat;
mod listener;
mod pages;
mod roster;
mod state_file;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use respaldo_contract::messages::{ErrorCode, ExitCode, Outcome};

use crate::cli::App;
use crate::config::SupervisorSettings;
use crate::failure::Failure;
use crew::Crew;
use heartbeat::Heart;
use pages::Told;

pub use fallback::state_folder;
pub use listener::{in_contract, words};
pub use roster::Roster;
pub use state_file::{Standing, make_private};

/// How often this thread looks around.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// What a stopped run takes at most to clean up.
const CLEAN_UP: Duration = Duration::from_secs(30);

/// Serves until a signal.
pub fn run(app: &App) -> Result<ExitCode, Failure> {
    let settings = SupervisorSettings::load(&app.sources);
    let internal = |error: std::io::Error| Failure::of(ErrorCode::Internal, &error);
    let mut crew = Crew::new(app, settings);
    crew.follow_configuration().map_err(internal)?;
    let mut heart = heartbeat::start(settings.beat_interval, crew.beat()).map_err(internal)?;
    let panel = panel(app, &crew)?;
    notify(&[sd_notify::NotifyState::Ready]);
    app.output.remark(&Outcome::ServeBegan {}.text(app.lang()));

    watch(app, &mut crew, &mut heart);
    notify(&[sd_notify::NotifyState::Stopping]);
    let is_well = thread::scope(|threads| {
        // Both get their time at once.
        let within = settings.stop_within;
        threads.spawn(move || panel.map(|panel| panel.end(within, CLEAN_UP)));
        crew.end(within, CLEAN_UP)
    });
    app.output.remark(&Outcome::ServeEnded {}.text(app.lang()));
    // A thread that panicked has been reported by the hook.
    Ok(if is_well {
        ExitCode::Done
    } else {
        ExitCode::Bug
    })
}

fn panel(app: &App, crew: &Crew) -> Result<Option<respaldo_panel::Panel>, Failure> {
    let told = Arc::new(Told::new(crew));
    crate::panel::start(app, Roster::of(crew), told, crew.listening())
}

/// Until a signal.
fn watch(app: &App, crew: &mut Crew, heart: &mut Heart) {
    let mut told = Instant::now();
    while !app.interrupt.is_set() {
        thread::sleep(LOOK_EVERY);
        heart.help(Instant::now());
        let mut seen_to = crew.replace_lost();
        if told.elapsed() >= state_file::REFRESH_EVERY {
            told = Instant::now();
            crew.refresh();
            if crew.is_alive(told) {
                notify(&[sd_notify::NotifyState::Watchdog]);
            }
            seen_to = seen_to.and(crew.follow_configuration());
        }
        if let Err(error) = seen_to {
            tracing::error!(%error, "a database cannot be looked after");
        }
    }
}

fn notify(state: &[sd_notify::NotifyState<'_>]) {
    // Without systemd there is nobody to tell.
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd was not told");
    }
}
