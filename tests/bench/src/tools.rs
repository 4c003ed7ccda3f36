//! The tools that are compared, each with what it needs around it.

pub mod pgbackrest;
pub mod postgres;
pub mod respaldo;
pub mod restic;
pub mod s3_clients;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::meter::Failed;

/// Runs a program to its end; what it said is the reason when it fails.
pub fn run(command: &mut Command) -> Result<Output, Failed> {
    let program = command.get_program().to_string_lossy().into_owned();
    let out = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| Failed(format!("{program}: {e}")))?;
    if out.status.success() {
        return Ok(out);
    }
    let said = String::from_utf8_lossy(&out.stderr);
    let last = said.trim().lines().next_back().unwrap_or("it said nothing");
    Err(Failed(format!("{program}: {}: {last}", out.status)))
}

/// Bytes of a file, or of all files below a folder.
pub fn stored_bytes(path: &Path) -> u64 {
    let metadata = fs::symlink_metadata(path).unwrap();
    if !metadata.is_dir() {
        return metadata.len();
    }
    let entries = fs::read_dir(path).unwrap().flatten();
    entries.map(|entry| stored_bytes(&entry.path())).sum()
}

/// Removes a file or a folder; what is not there is no matter.
pub fn remove(path: &Path) {
    let _ = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
}

/// First line of `program ARGUMENT`; none where it is not installed.
fn first_line(program: &str, argument: &str) -> Option<String> {
    let out = Command::new(program).arg(argument).output().ok()?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    text.lines().next().map(str::to_owned)
}
