//! A program of somebody else, run to its end within a time.

use std::ffi::OsString;
use std::io::Read;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use respaldo_postgres::StopFlag;
use secrecy::{ExposeSecret, SecretString};

use crate::error::LegacyError;

/// Of what it says the end is kept.
const SAID_BYTES: usize = 4 * 1024;
const ASK_EVERY: Duration = Duration::from_millis(50);
/// Time to end by itself once asked to, and for its last words.
const GRACE: Duration = Duration::from_secs(5);

/// Runs a program with its arguments, in our environment. Only exit code 0 is `Ok`. A password in
/// what it says is not passed on.
pub(super) fn run(
    words: &[OsString],
    password: Option<&SecretString>,
    limit: Duration,
    stop: StopFlag<'_>,
) -> Result<(), LegacyError> {
    let program = words.first().cloned().unwrap_or_default();
    let failed = |why: String| LegacyError::External {
        program: program.to_string_lossy().into_owned(),
        why: without(password, &why),
    };
    let mut command = Command::new(&program);
    command.args(words.iter().skip(1));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    own_group(&mut command);
    let mut child = command
        .spawn()
        .map_err(|error| failed(format!("it cannot be started: {error}")))?;
    let said = listen(child.stderr.take());
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => {
                let said = said.recv_timeout(GRACE).unwrap_or_default();
                return Err(failed(format!("{status}: {}", said.trim_end())));
            }
            Err(error) => return Err(failed(error.to_string())),
            Ok(None) if stop() => {
                end(&mut child);
                return Err(LegacyError::Interrupted);
            }
            Ok(None) if start.elapsed() > limit => {
                end(&mut child);
                return Err(failed(format!(
                    "it did not end within {} s",
                    limit.as_secs()
                )));
            }
            Ok(None) => thread::sleep(ASK_EVERY),
        }
    }
}

fn without(password: Option<&SecretString>, text: &str) -> String {
    match password.map(ExposeSecret::expose_secret) {
        Some(password) if !password.is_empty() => text.replace(password, "***"),
        _ => text.to_owned(),
    }
}

/// Reads all that it says, so that it never waits for us, and keeps the end.
fn listen(stderr: Option<ChildStderr>) -> Receiver<String> {
    let (send, said) = sync_channel(1);
    thread::spawn(move || {
        let (mut kept, mut piece) = (Vec::new(), [0; 4096]);
        if let Some(mut stderr) = stderr {
            while let Ok(got @ 1..) = stderr.read(&mut piece) {
                kept.extend_from_slice(&piece[..got]);
                kept.drain(..kept.len().saturating_sub(SAID_BYTES));
            }
        }
        // Whoever gave the program up does not want to know.
        let _ = send.send(String::from_utf8_lossy(&kept).into_owned());
    });
    said
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn own_group(_command: &mut Command) {}

/// Asks it and its children to end, then ends them.
fn end(child: &mut Child) {
    signal(child, Ending::Asked);
    let start = Instant::now();
    while start.elapsed() < GRACE && matches!(child.try_wait(), Ok(None)) {
        thread::sleep(ASK_EVERY);
    }
    signal(child, Ending::Forced);
    // Both fail only when it is gone already.
    let _ = child.kill();
    let _ = child.wait();
}

/// How a program is ended.
#[derive(Clone, Copy)]
enum Ending {
    Asked,
    Forced,
}

#[cfg(unix)]
fn signal(child: &Child, ending: Ending) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let signal = match ending {
        Ending::Asked => Signal::TERM,
        Ending::Forced => Signal::KILL,
    };
    // It fails only when the whole group is gone.
    let _ = kill_process_group(Pid::from_child(child), signal);
}

#[cfg(not(unix))]
fn signal(_child: &Child, _ending: Ending) {}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration, stop: StopFlag<'_>) -> Result<(), LegacyError> {
        let words = ["/bin/sh", "-c", script].map(OsString::from);
        run(&words, Some(&"geheim".into()), limit, stop)
    }

    #[test]
    fn the_exit_code_counts_and_a_password_is_not_passed_on() {
        let minute = Duration::from_mins(1);
        assert!(sh("echo noise; exit 0", minute, &|| false).is_ok());
        let error = sh("echo with geheim >&2; exit 4", minute, &|| false).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("exit status: 4: with ***"), "{text}");
    }

    #[test]
    fn what_takes_too_long_or_is_stopped_is_ended_with_its_children() {
        let start = Instant::now();
        let slow = sh("sleep 60 & wait", Duration::from_millis(100), &|| false).unwrap_err();
        assert!(slow.to_string().contains("did not end within"), "{slow}");
        let stopped = sh("sleep 60", Duration::from_mins(1), &|| true).unwrap_err();
        assert!(matches!(stopped, LegacyError::Interrupted));
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let words = [OsString::from("/nonexistent/program")];
        let error = run(&words, None, Duration::from_secs(1), &|| false).unwrap_err();
        assert!(
            error.to_string().contains("/nonexistent/program"),
            "{error}"
        );
    }
}
