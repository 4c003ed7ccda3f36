//! SIGINT and SIGTERM: the first asks the run to stop and clean up, the second ends it at once.

use std::io;
use std::thread;

use respaldo_engine::ports::Interrupt;

/// Exit code of an interrupted run.
const INTERRUPTED: i32 = 130;

/// Watches for signals from now on.
pub fn watch() -> io::Result<Interrupt> {
    let interrupt = Interrupt::default();
    let flag = interrupt.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let mut signals = {
        let _inside = runtime.enter();
        Signals::new()?
    };
    thread::Builder::new()
        .name("respaldo-signals".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                signals.next().await;
                flag.set();
                signals.next().await;
                std::process::exit(INTERRUPTED);
            });
        })?;
    Ok(interrupt)
}

#[cfg(unix)]
struct Signals {
    int: tokio::signal::unix::Signal,
    term: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            int: signal(SignalKind::interrupt())?,
            term: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.int.recv() => {}
            _ = self.term.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        let _ = self.0.recv().await;
    }
}
