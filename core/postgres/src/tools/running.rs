//! A tool while it runs: its output as a stream, its last words, its end.

use std::io::{self, Read};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};

use super::guardian::Guardian;
use super::{StopFlag, ToolError};

/// Of what a tool says on standard error the end is kept.
const SAID_BYTES: usize = 16 * 1024;
const PIECE_BYTES: usize = 64 * 1024;
const PIECES_AHEAD: usize = 16;
/// What a tool may print when its output is collected.
const COLLECTED_BYTES: usize = 64 * 1024 * 1024;
const ASK_EVERY: Duration = Duration::from_millis(100);
const POLL_EVERY: Duration = Duration::from_millis(10);
const FIRST_POLL: Duration = Duration::from_millis(1);
/// Time to end by itself once asked to.
const GRACE: Duration = Duration::from_secs(5);

/// A tool that ended with success.
#[derive(Debug, Clone)]
pub struct Finished {
    /// What it printed, where that was not read as a stream.
    pub output: Vec<u8>,
    /// The end of what it said on standard error: warnings.
    pub said: String,
}

/// A running tool. Reading from it gives its standard output; dropping it ends it.
pub struct RunningTool<'s> {
    tool: &'static str,
    child: Child,
    guardian: Option<Guardian>,
    output: Receiver<io::Result<Vec<u8>>>,
    piece: io::Cursor<Vec<u8>>,
    said: Receiver<Vec<u8>>,
    password: Option<SecretString>,
    stop: StopFlag<'s>,
    has_ended: bool,
}

impl<'s> RunningTool<'s> {
    pub(super) fn around(
        tool: &'static str,
        mut child: Child,
        input: Option<Box<dyn Read + Send>>,
        password: Option<SecretString>,
        stop: StopFlag<'s>,
    ) -> Result<Self, ToolError> {
        let guardian = Guardian::of(&child);
        let (to_output, output) = sync_channel(PIECES_AHEAD);
        let (to_said, said) = sync_channel(1);
        let stdout = child.stdout.take();
        let stderr = child.stderr.take();
        let stdin = child.stdin.take();
        let running = Self {
            tool,
            child,
            guardian,
            output,
            piece: io::Cursor::default(),
            said,
            password,
            stop,
            has_ended: false,
        };
        let start = |source| ToolError::Start { tool, source };
        thread(tool, move || pump(stdout, &to_output)).map_err(start)?;
        thread(tool, move || listen(stderr, &to_said)).map_err(start)?;
        thread(tool, move || feed(stdin, input)).map_err(start)?;
        Ok(running)
    }

    /// Waits for the end of a tool whose output was read to its end. Only success is `Ok`.
    pub fn finish(mut self, limit: Duration) -> Result<Finished, ToolError> {
        let status = self.wait(Instant::now() + limit, limit)?;
        self.judge(status, Vec::new())
    }

    pub(super) fn run_to_end(mut self, limit: Duration) -> Result<Finished, ToolError> {
        let deadline = Instant::now() + limit;
        let output = self.collect(deadline, limit)?;
        let status = self.wait(deadline, limit)?;
        self.judge(status, output)
    }

    fn collect(&mut self, deadline: Instant, limit: Duration) -> Result<Vec<u8>, ToolError> {
        let tool = self.tool;
        let mut all = Vec::new();
        while let Some(piece) = self.next_piece(Some((deadline, limit)))? {
            if all.len() + piece.len() > COLLECTED_BYTES {
                return Err(ToolError::TooMuchOutput {
                    tool,
                    limit_bytes: COLLECTED_BYTES,
                });
            }
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }

    /// The next output; `None` at its end.
    fn next_piece(
        &mut self,
        until: Option<(Instant, Duration)>,
    ) -> Result<Option<Vec<u8>>, ToolError> {
        let tool = self.tool;
        loop {
            self.check_stop(until)?;
            match self.output.recv_timeout(ASK_EVERY) {
                Ok(Ok(piece)) => return Ok(Some(piece)),
                Ok(Err(source)) => return Err(ToolError::Exchange { tool, source }),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }

    fn check_stop(&self, until: Option<(Instant, Duration)>) -> Result<(), ToolError> {
        let tool = self.tool;
        match until {
            _ if (self.stop)() => Err(ToolError::Stopped { tool }),
            Some((deadline, limit)) if Instant::now() >= deadline => {
                Err(ToolError::TooSlow { tool, limit })
            }
            _ => Ok(()),
        }
    }

    fn wait(&mut self, deadline: Instant, limit: Duration) -> Result<ExitStatus, ToolError> {
        let tool = self.tool;
        // Who has closed its output ends at once.
        let mut pause = FIRST_POLL;
        loop {
            let ended = self.child.try_wait();
            if let Some(status) = ended.map_err(|source| ToolError::Exchange { tool, source })? {
                self.has_ended = true;
                return Ok(status);
            }
            self.check_stop(Some((deadline, limit)))?;
            thread::sleep(pause);
            pause = POLL_EVERY.min(pause * 2);
        }
    }

    fn judge(&mut self, status: ExitStatus, output: Vec<u8>) -> Result<Finished, ToolError> {
        let said = self.said.recv_timeout(GRACE).unwrap_or_default();
        let said = self.without_secret(String::from_utf8_lossy(&said).trim_end());
        if status.success() {
            return Ok(Finished { output, said });
        }
        Err(ToolError::Failed {
            tool: self.tool,
            status: status.to_string(),
            said,
        })
    }

    fn without_secret(&self, said: &str) -> String {
        match self.password.as_ref().map(ExposeSecret::expose_secret) {
            Some(password) if !password.is_empty() => said.replace(password, "***"),
            _ => said.to_owned(),
        }
    }

    /// Asks the tool and its children to end, then ends it.
    fn end(&mut self) {
        let is_asked = self.guardian.as_mut().is_some_and(Guardian::end_group);
        let deadline = Instant::now() + GRACE;
        while is_asked && Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(POLL_EVERY);
        }
        // Both fail only when it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Read for RunningTool<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let got = self.piece.read(out)?;
            if got > 0 || out.is_empty() {
                return Ok(got);
            }
            match self.next_piece(None).map_err(io::Error::other)? {
                Some(piece) => self.piece = io::Cursor::new(piece),
                None => return Ok(0),
            }
        }
    }
}

impl Drop for RunningTool<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.end();
        }
    }
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map(drop)
}

/// Hands on what the tool prints, until it ends or nobody wants it.
fn pump(stdout: Option<ChildStdout>, to: &SyncSender<io::Result<Vec<u8>>>) {
    let Some(mut stdout) = stdout else { return };
    loop {
        let mut piece = vec![0; PIECE_BYTES];
        let sent = match stdout.read(&mut piece) {
            Ok(0) => return,
            Ok(got) => {
                piece.truncate(got);
                to.send(Ok(piece))
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => {
                // The last word: whoever does not hear it is gone.
                let _ = to.send(Err(error));
                return;
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Reads all that the tool says, so that it never waits for us, and keeps the end.
fn listen(stderr: Option<ChildStderr>, to: &SyncSender<Vec<u8>>) {
    let mut kept = Vec::new();
    let mut piece = [0; 4096];
    if let Some(mut stderr) = stderr {
        while let Ok(got @ 1..) = stderr.read(&mut piece) {
            kept.extend_from_slice(&piece[..got]);
            if kept.len() > 2 * SAID_BYTES {
                kept.drain(..kept.len() - SAID_BYTES);
            }
        }
    }
    kept.drain(..kept.len().saturating_sub(SAID_BYTES));
    // Whoever gave the tool up does not want to know.
    let _ = to.send(kept);
}

/// Copies the input. A tool that does not want all of it closes the pipe and says why itself; an
/// input that breaks ends early, which the tool takes for what it is.
fn feed(stdin: Option<ChildStdin>, input: Option<Box<dyn Read + Send>>) {
    if let (Some(mut stdin), Some(mut input)) = (stdin, input) {
        let _ = io::copy(&mut input, &mut stdin);
    }
}
