//! Ends a tool's process group when asked to, and when this process dies.
//!
//! pg_dump dies of a broken pipe at its next write, but not while it waits for a lock, and a
//! pg_restore that loads from a file never notices that we are gone. `PR_SET_PDEATHSIG` is no
//! answer: it fires when the *thread* that started the child ends. So a shell joins the tool's
//! process group and reads from a pipe that we hold: a line asks it to end the group, the end of
//! the pipe means that we are gone. As a member it keeps the group's id from being used anew.
//! Without a shell, and on Windows, a tool outlives us until it next writes to us.

use std::io::Write;
use std::process::{Child, ChildStdin, Command, Stdio};

/// pg_dump and pg_restore answer SIGTERM by cancelling their statement at the server.
#[cfg(unix)]
const SCRIPT: &str = "trap '' TERM; \
    if read -r _; then kill -TERM 0; else kill -TERM 0; sleep 5; kill -KILL 0; fi";

pub(super) struct Guardian {
    shell: Child,
    lifeline: ChildStdin,
}

impl Guardian {
    #[cfg(unix)]
    pub(super) fn of(tool: &Child) -> Option<Self> {
        use std::os::unix::process::CommandExt;
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .current_dir("/")
            .process_group(i32::try_from(tool.id()).ok()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let lifeline = shell.stdin.take()?;
        Some(Self { shell, lifeline })
    }

    #[cfg(not(unix))]
    pub(super) fn of(_tool: &Child) -> Option<Self> {
        None
    }

    /// Asks the whole group to end.
    pub(super) fn end_group(&mut self) -> bool {
        self.lifeline.write_all(b"end\n").is_ok()
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        // Killed before its pipe closes, else it would take us for dead.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
