//! A child process: how it is started, what it says, and how it ends.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::lane::{self, Lane};
use crate::CHILD_ARGUMENT;
use crate::config::PluginConfig;

/// Bytes of what it wrote to its standard error that are kept for messages.
const KEPT_BYTES: usize = 16 << 10;
/// Time in which a child that closed its lane must have ended.
const END_LIMIT: Duration = Duration::from_secs(2);

/// A child, with the lanes that are free.
pub(super) struct Process {
    plugin: String,
    child: Mutex<Child>,
    control: Mutex<UnixStream>,
    idle: Mutex<Vec<Lane>>,
    said: Arc<Mutex<VecDeque<u8>>>,
    listener: Mutex<Option<thread::JoinHandle<()>>>,
}

impl Process {
    /// Starts a child that holds this library; it is not loaded yet.
    pub(super) fn start(config: &PluginConfig, library: &File) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut child = command(config)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let said = Arc::default();
        let listener = child
            .stderr
            .take()
            .map(|stderr| listen(stderr, config.name.clone(), Arc::clone(&said)))
            .transpose()?;
        let process = Self {
            plugin: config.name.clone(),
            child: Mutex::new(child),
            control: Mutex::new(ours),
            idle: Mutex::default(),
            said,
            listener: Mutex::new(listener),
        };
        process.send(lane::LIBRARY, &[library.as_fd()])?;
        Ok(process)
    }

    /// Name of the plugin in the configuration.
    pub(super) fn plugin(&self) -> &str {
        &self.plugin
    }

    fn send(&self, what: u8, files: &[std::os::fd::BorrowedFd<'_>]) -> io::Result<()> {
        lane::send_files(&*lock(&self.control), what, files)
    }

    /// A lane that no call uses.
    pub(super) fn lane(&self) -> io::Result<Lane> {
        if let Some(lane) = lock(&self.idle).pop() {
            return Ok(lane);
        }
        let (ours, socket, memory) = Lane::pair()?;
        self.send(lane::LANE, &[socket.as_fd(), memory.as_fd()])?;
        Ok(ours)
    }

    /// Takes back a lane whose call is over.
    pub(super) fn give_back(&self, lane: Lane) {
        lock(&self.idle).push(lane);
    }

    /// Its memory, in bytes.
    pub(super) fn resident_bytes(&self) -> Option<u64> {
        let path = format!("/proc/{}/statm", lock(&self.child).id());
        let text = std::fs::read_to_string(path).ok()?;
        let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
        Some(pages * rustix::param::page_size() as u64)
    }

    /// Kills it with everything that it started.
    pub(super) fn kill(&self) {
        let mut child = lock(&self.child);
        if let Some(pid) = Pid::from_raw(child.id().cast_signed()) {
            // Its group is its own once it runs; before that the group does not exist.
            let _ = rustix::process::kill_process_group(pid, Signal::KILL);
        }
        let _ = child.kill();
        let _ = child.wait();
    }

    /// How it ended, for people; it has closed its lane, so it has ended or is about to.
    pub(super) fn epitaph(&self) -> String {
        let until = Instant::now() + END_LIMIT;
        let ended = loop {
            match lock(&self.child).try_wait() {
                Ok(Some(status)) => break Some(status),
                Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(5)),
                Ok(None) | Err(_) => break None,
            }
        };
        self.kill();
        let how = ended.map_or_else(
            || "its process closed its connection".to_owned(),
            |status| format!("its process {}", manner(status)),
        );
        let words = self.last_words();
        if words.is_empty() {
            how
        } else {
            format!("{how}; it said: {words}")
        }
    }

    fn last_words(&self) -> String {
        if let Some(listener) = lock(&self.listener).take() {
            // The pipe ends with the last process that holds it, and all were killed.
            let until = Instant::now() + END_LIMIT;
            while !listener.is_finished() && Instant::now() < until {
                thread::sleep(Duration::from_millis(2));
            }
        }
        let said = lock(&self.said);
        let (first, second) = said.as_slices();
        let text = [first, second].concat();
        String::from_utf8_lossy(&text).trim().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A copy of this executable with nothing of ours in its environment.
fn command(config: &PluginConfig) -> Command {
    let mut command = Command::new(&config.program);
    command.arg(CHILD_ARGUMENT).env_clear().current_dir("/");
    if let Some(bytes) = config.limits.memory_bytes {
        command.arg(bytes.to_string());
    }
    for name in &config.env {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

fn manner(status: ExitStatus) -> String {
    match status.signal() {
        Some(number) => format!("was killed by {}", signal_name(number)),
        None => format!("ended with code {}", status.code().unwrap_or_default()),
    }
}

fn signal_name(number: i32) -> String {
    let name = match number {
        libc::SIGSEGV => "SIGSEGV, an invalid memory access",
        libc::SIGABRT => "SIGABRT: it gave up",
        libc::SIGBUS => "SIGBUS, an invalid memory access",
        libc::SIGILL => "SIGILL, an illegal instruction",
        libc::SIGFPE => "SIGFPE, an arithmetic error",
        libc::SIGKILL => "SIGKILL, perhaps for want of memory",
        libc::SIGTERM => "SIGTERM",
        _ => return format!("signal {number}"),
    };
    name.to_owned()
}

/// Keeps the end of what it says, and shows each line in our log.
fn listen(
    stderr: impl Read + Send + 'static,
    plugin: String,
    said: Arc<Mutex<VecDeque<u8>>>,
) -> io::Result<thread::JoinHandle<()>> {
    let run = move || {
        let mut lines = BufReader::new(stderr);
        loop {
            let mut line = Vec::new();
            // A line without an end takes no more memory than is kept.
            match (&mut lines)
                .take(KEPT_BYTES as u64)
                .read_until(b'\n', &mut line)
            {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            tracing::debug!(plugin, "{}", String::from_utf8_lossy(&line).trim_end());
            let mut said = lock(&said);
            said.extend(&line);
            let excess = said.len().saturating_sub(KEPT_BYTES);
            said.drain(..excess);
        }
    };
    thread::Builder::new()
        .name("plugin stderr".to_owned())
        .spawn(run)
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
