//! A server as a process: started within a limit, and ended with its children.

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const START_LIMIT: Duration = Duration::from_secs(30);

/// A running server; killed when dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
}

impl Process {
    /// Starts a server and waits until it listens at `port`.
    pub(super) fn start(command: &mut Command, port: u16, log: &Path) -> Self {
        let out = File::create(log).unwrap();
        command
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out);
        let child = command.spawn().unwrap_or_else(|e| {
            panic!("cannot run {command:?}: {e} (scripts/stores.sh fetches it)")
        });
        let mut process = Self { child };
        process.wait_for(port, log);
        process
    }

    fn wait_for(&mut self, port: u16, log: &Path) {
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let said = || fs::read_to_string(log).unwrap_or_default();
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the server ended with {status}: {}", said());
            }
            assert!(
                start.elapsed() < START_LIMIT,
                "the server does not listen: {}",
                said()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let children = children_of(self.child.id());
        let _ = self.child.kill();
        let _ = self.child.wait();
        for pid in children {
            let _ = Command::new("kill")
                .arg("-KILL")
                .arg(pid.to_string())
                .status();
        }
    }
}

/// The processes below one, at any depth.
fn children_of(parent: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut parents = vec![parent];
    while let Some(parent) = parents.pop() {
        let path = format!("/proc/{parent}/task/{parent}/children");
        let children = fs::read_to_string(path).unwrap_or_default();
        let children = children
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok());
        for child in children {
            found.push(child);
            parents.push(child);
        }
    }
    found
}

/// Makes a key pair without a passphrase (`.pub` beside it) or with one.
pub(super) fn make_key(path: &Path, kind: &str, passphrase: &str) {
    let out = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", passphrase, "-C", "", "-f"])
        .arg(path)
        .output()
        .unwrap_or_else(|e| panic!("cannot run ssh-keygen: {e}"));
    assert!(out.status.success(), "ssh-keygen: {out:?}");
}
