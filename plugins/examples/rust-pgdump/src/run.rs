//! Running a program: what it prints, and why it failed.

use std::io::{self, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::{self, JoinHandle};

use respaldo_sdk::{Error, Result, Status};

/// How much of what a program complains about is kept.
const COMPLAINTS: usize = 4096;

/// What a program prints, when it succeeds.
pub fn output(command: &mut Command) -> Result<String> {
    let mut running = Running::start(command.env_clear().env("LC_ALL", "C"))?;
    let mut text = String::new();
    let read = running.output()?.read_to_string(&mut text);
    running.ended(read.map(|_| ()).map_err(Error::from))?;
    Ok(text.trim().to_owned())
}

/// A program at work. It is killed when this is dropped.
pub struct Running {
    name: String,
    child: Child,
    complaints: Option<JoinHandle<String>>,
}

impl Running {
    /// Starts it with nothing to read.
    pub fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| Error::io(format!("start {name}"), &error))?;
        let stderr = child.stderr.take();
        let complaints = stderr.map(|stderr| thread::spawn(move || tail(stderr)));
        Ok(Self {
            name,
            child,
            complaints,
        })
    }

    /// What it prints. To be taken once.
    pub fn output(&mut self) -> Result<ChildStdout> {
        let stdout = self.child.stdout.take();
        stdout.ok_or_else(|| Error::new(Status::Internal, "the output was taken already"))
    }

    /// Waits for its end. Where reading failed the program is stopped, and why reading failed is the error; a program
    /// that failed by itself gives the error otherwise.
    pub fn ended(mut self, read: Result<()>) -> Result<()> {
        if read.is_err() {
            let _gone = self.child.kill();
        }
        let status = self.child.wait().map_err(|error| Error::io(format!("wait for {}", self.name), &error))?;
        let said = self.complaints.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        read?;
        if status.success() {
            return Ok(());
        }
        Err(Error::new(Status::Unavailable, format!("{} failed ({status}): {}", self.name, said.trim())))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Reads to the end and keeps the last bytes.
fn tail(mut from: impl Read) -> String {
    let (mut kept, mut piece) = (Vec::new(), [0; COMPLAINTS]);
    while let Some(count) = next(&mut from, &mut piece) {
        kept.extend_from_slice(&piece[..count]);
        let excess = kept.len().saturating_sub(COMPLAINTS);
        kept.drain(..excess);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

fn next(from: &mut impl Read, piece: &mut [u8]) -> Option<usize> {
    loop {
        match from.read(piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => return None,
            Ok(count) => return Some(count),
        }
    }
}
