//! The rehearsal through the binary: it proves its restores equal, and leaves nothing behind.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "test code")]

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A folder for temporary files of one rehearsal, removed at the end.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("rd{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&path).unwrap();
        // The server may run as another user, who must find its own folder in here.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, open).unwrap();
        Self(path)
    }

    fn is_empty(&self) -> bool {
        std::fs::read_dir(&self.0).unwrap().next().is_none()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn demo(temporary: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_respaldo"));
    command
        .arg("demo")
        .args(arguments)
        .env("TMPDIR", temporary)
        .stdin(Stdio::null());
    command
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(90), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_rehearsal_proves_three_restores_equal_and_removes_everything() {
    let temporary = Temporary::new();
    let done = demo(&temporary.0, &["--json"]).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{said}");
    let record: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(record["exitoso"], true);
    let kinds: Vec<_> = record["restauraciones"]
        .as_array()
        .unwrap()
        .iter()
        .collect();
    assert_eq!(kinds.len(), 3);
    for restore in kinds {
        assert_eq!(restore["distintas"], serde_json::json!([]));
        assert!(restore["filas"].as_u64().unwrap() > 17_000);
    }
    assert!(temporary.is_empty());
}

#[test]
fn an_interrupted_rehearsal_ends_with_130_and_removes_everything() {
    let temporary = Temporary::new();
    let mut child = demo(&temporary.0, &[])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("the repository is there", || {
        let mut found = std::fs::read_dir(&temporary.0).unwrap().flatten();
        found.any(|entry| entry.path().join("repository").exists())
    });
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(temporary.is_empty());
}

#[test]
fn a_killed_rehearsal_leaves_no_server() {
    let temporary = Temporary::new();
    let mut child = demo(&temporary.0, &[])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let data = || {
        let mut found = std::fs::read_dir(&temporary.0).unwrap().flatten();
        found.find_map(|entry| {
            std::fs::read_to_string(entry.path().join("data/postmaster.pid")).ok()
        })
    };
    eventually("the server runs", || {
        data().is_some_and(|text| text.lines().count() > 6)
    });
    let server = data().unwrap().lines().next().unwrap().to_owned();
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("the server is gone", || {
        !Path::new("/proc").join(&server).exists()
    });
}

#[test]
fn the_panel_is_served_on_what_was_rehearsed_until_a_signal_and_leaves_nothing() {
    let temporary = Temporary::new();
    let log = temporary.0.with_extension("log");
    let file = std::fs::File::create(&log).unwrap();
    let child = demo(&temporary.0, &["--panel", "--json"])
        .env("LC_ALL", "C")
        .stdout(Stdio::piped())
        .stderr(file)
        .spawn()
        .unwrap();
    let said = || std::fs::read_to_string(&log).unwrap_or_default();
    let address = || {
        let said = said();
        let after = said.split("http://").nth(1)?;
        let address = after.split(['/', ' ', '\n']).next()?;
        Some(address.to_owned())
    };
    eventually("the panel says where it is", || address().is_some());
    let mut stream = std::net::TcpStream::connect(address().unwrap()).unwrap();
    let request = "GET /api/v1/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"configurado\":false"), "{answer}");

    let pid = child.id().to_string();
    let told = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    assert!(told.success());
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", said());
    let record: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(record["exitoso"], true);
    assert!(temporary.is_empty());
    std::fs::remove_file(&log).unwrap();
}
