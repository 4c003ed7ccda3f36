//! Stock tools, run by hand.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use respaldo_tests::{Cluster, DbImage, diff, journey};

/// How an archive is given to pg_restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    File,
    TwoJobs,
    Pipe,
}

impl Way {
    pub const ALL: [Self; 3] = [Self::File, Self::TwoJobs, Self::Pipe];
}

/// Runs a command and panics with all it said unless it succeeds.
pub fn succeed(command: &mut Command) -> Vec<u8> {
    let out = command.stdin(Stdio::null()).output().unwrap();
    assert!(
        out.status.success(),
        "{command:?}: {}\n{}{}",
        out.status,
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
    out.stdout
}

/// Restores an archive into a new database.
pub fn pg_restore(cluster: &Cluster, role: &str, file: &Path, db: &str, way: Way) {
    cluster.owned_database(db, super::chain::OWNER);
    let mut command = cluster.tool("pg_restore");
    command.args(["--exit-on-error", "-d", &cluster.url_as(role, db)]);
    match way {
        Way::File => drop(succeed(command.arg(file))),
        Way::TwoJobs => drop(succeed(command.arg("-j2").arg(file))),
        Way::Pipe => through_a_pipe(command, file),
    }
}

/// `cat FILE | pg_restore`: input that cannot be searched.
fn through_a_pipe(mut command: Command, file: &Path) {
    let mut cat = Command::new("cat")
        .arg(file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    command.stdin(cat.stdout.take().unwrap());
    let out = command.output().unwrap();
    assert!(cat.wait().unwrap().success(), "pg_restore left some of it");
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{command:?}: {said}");
}

/// Compares a database with an image and drops it; the differences.
pub fn differences(cluster: &Cluster, expected: &DbImage, db: &str) -> Vec<String> {
    let found = diff(expected, &journey::image(&cluster.url(db)));
    cluster.drop_database(db);
    found
}

/// Runs a kit's script with nothing but the PostgreSQL programs, sha256sum and dirname.
pub fn run_kit(cluster: &Cluster, role: &str, kit: &Path, db: &str, jobs: &str) -> (bool, String) {
    cluster.owned_database(db, super::chain::OWNER);
    let mut command = bare(cluster, kit);
    command.env("JOBS", jobs);
    let out = command.arg(cluster.url_as(role, db)).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    (out.status.success(), said)
}

fn bare(cluster: &Cluster, kit: &Path) -> Command {
    let tools = kit.with_extension("tools");
    let _ = fs::create_dir(&tools);
    for name in ["sha256sum", "dirname"] {
        let _ = std::os::unix::fs::symlink(Path::new("/usr/bin").join(name), tools.join(name));
    }
    let path = format!("{}:{}", cluster.bin_dir().display(), tools.display());
    let mut command = Command::new("/bin/sh");
    command
        .env_clear()
        .env("PATH", path)
        .env("HOME", "/nonexistent")
        .current_dir("/")
        .arg(kit.join("restore.sh"))
        .stdin(Stdio::null());
    command
}

/// Every file below a folder, with its content.
pub fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let content = fs::read(&path).unwrap();
            found.push((path, content));
        }
    }
    found.sort();
    found
}

/// Runs `export -o -` into a file.
pub fn export_to_stdout(respaldo: &respaldo_tests::Respaldo, id: &str, file: &Path) {
    let mut command = respaldo.command(&["export", "--id", id, "-o", "-"]);
    let out = command
        .stdout(File::create(file).unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{said}");
}
