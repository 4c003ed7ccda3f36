//! The faults themselves.

use std::io::{self, Read, Write};
use std::panic::panic_any;
use std::process;
use std::thread;
use std::time::Duration;

use respaldo_sdk::{Context, Error, Level, Result, Status};

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// An index out of range.
    Panic,
    /// A panic whose payload panics when it is dropped.
    PanicInDrop,
    /// A panic in another thread, joined.
    PanicElsewhere,
    /// A write to address 8.
    Segfault,
    /// `abort()`.
    Abort,
    /// `exit(3)`.
    Exit,
    /// Sleeps for ever, without a word.
    Hang,
    /// Heartbeats for ever, whatever it is told.
    HangIgnoringCancel,
    /// Spins for ever.
    Spin,
    /// Says that it is done when it is not (`put` and `get`).
    OkEarly,
    /// An error of no known kind: words that are no UTF-8 cannot come from Rust; long and with control characters.
    Garbage,
    /// 64 MiB more at each call, never given back.
    Leak,
    /// All the memory there is.
    Memory,
    /// 400 KB to stdout, and reads stdin to its end.
    Stdout,
    /// Closes all file descriptors from 3 on.
    CloseFds,
    /// Never returns from calling itself.
    StackOverflow,
    /// A twentieth of a second each time.
    Slow,
    /// An error that may go away.
    Unavailable,
    /// No room.
    Full,
    /// Leaves a child process behind that outlives it.
    LeaveChild,
    /// Changes folder, umask and the handler of SIGTERM.
    ChangeProcess,
}

/// In which call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// When the instance is made.
    Create,
    /// `probe`.
    Probe,
    /// `put`.
    #[default]
    Put,
    /// `get`.
    Get,
    /// `head`.
    Head,
    /// `list`.
    List,
    /// `remove`.
    Remove,
    /// `sweep`.
    Sweep,
    /// When the instance ends.
    Drop,
}

/// Does it. What comes back lets the call go on.
pub fn strike(fault: Option<Fault>, cx: &dyn Context) -> Result<()> {
    let Some(fault) = fault else {
        return Ok(());
    };
    match fault {
        Fault::Panic => panic(),
        Fault::PanicInDrop => panic_any(Bomb),
        Fault::PanicElsewhere => drop(thread::spawn(panic).join()),
        Fault::Segfault => segfault(),
        Fault::Abort => process::abort(),
        Fault::Exit => process::exit(3),
        Fault::Hang => hang(&|_| {}),
        Fault::HangIgnoringCancel => hang(&|beat| cx.progress(beat, 0)),
        Fault::Spin => spin(),
        Fault::OkEarly => {}
        Fault::Garbage => return Err(Error::new(Status::Internal, "\u{7}\u{1b}[31m\n\0x".repeat(100_000))),
        Fault::Leak => _ = Vec::leak(vec![7_u8; 64 << 20]),
        Fault::Memory => exhaust(),
        Fault::Stdout => stdout()?,
        Fault::CloseFds => close_fds(),
        Fault::StackOverflow => _ = deeper(1),
        Fault::Slow => thread::sleep(Duration::from_millis(50)),
        Fault::Unavailable => return Err(Error::new(Status::Unavailable, "503 slow down")),
        Fault::Full => return Err(Error::new(Status::Full, "no room")),
        Fault::LeaveChild => leave_child()?,
        Fault::ChangeProcess => change_process(),
    }
    Ok(())
}

fn panic() {
    let none: Vec<u8> = Vec::new();
    let _never = none[std::hint::black_box(7)];
}

/// Panics when dropped, with itself.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic_any(Self);
    }
}

fn segfault() {
    // SAFETY: none; that is the point.
    unsafe { std::hint::black_box(8 as *mut u32).write_volatile(1) };
}

fn hang(beat: &dyn Fn(u64)) {
    for count in 0.. {
        beat(count);
        thread::sleep(Duration::from_millis(20));
    }
}

fn spin() {
    loop {
        std::hint::spin_loop();
    }
}

fn exhaust() {
    loop {
        Vec::leak(vec![7_u8; 64 << 20]);
    }
}

fn stdout() -> Result<()> {
    let mut out = io::stdout().lock();
    (0..4000).try_for_each(|_| out.write_all(&[b'x'; 100]))?;
    out.flush()?;
    io::stdin().lock().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn close_fds() {
    for fd in 3..1024 {
        // SAFETY: none; that is the point.
        unsafe { libc::close(fd) };
    }
}

fn deeper(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 512]);
    if std::hint::black_box(depth) == 0 {
        return 0;
    }
    deeper(depth + 1) + room[std::hint::black_box(3)]
}

fn leave_child() -> Result<()> {
    process::Command::new("/bin/sleep").arg("600").spawn()?;
    Ok(())
}

fn change_process() {
    // SAFETY: calls that change the whole process, which a plugin must not do.
    unsafe {
        libc::chdir(c"/tmp".as_ptr());
        libc::umask(0);
        libc::signal(libc::SIGTERM, libc::SIG_IGN);
    }
}

/// Where there is no call.
pub struct Nobody;

impl Context for Nobody {
    fn is_cancelled(&self) -> bool {
        false
    }
    fn progress(&self, _: u64, _: u64) {}
    fn log(&self, _: Level, _: &str) {}
    fn check(&self) -> Result<()> {
        Ok(())
    }
}
