//! Where the PostgreSQL programs are, and as which operating system user a server may run.

mod private;

use std::env;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// One PostgreSQL installation.
#[derive(Debug, Clone)]
pub struct Install {
    bin_dir: PathBuf,
    version: String,
    own_extensions: Option<PathBuf>,
}

impl Install {
    /// The installation that the tests use: `PG_TEST_BIN_DIR`, else the major version asked for
    /// (or in `PG_TEST_VERSION`, or the newest one found). Panics when there is none.
    pub fn find(major: Option<u32>) -> Self {
        let wanted = major.or_else(|| env::var("PG_TEST_VERSION").ok()?.parse().ok());
        let candidates = candidates(wanted);
        let found = candidates.iter().find(|dir| {
            dir.join("initdb").is_file()
                && dir.join("pg_ctl").is_file()
                && major.is_none_or(|m| major_of(&version_of(dir)) == m)
        });
        let Some(bin_dir) = found else {
            panic!(
                "PostgreSQL {} is needed by this test and was not found. Looked in {candidates:?}. \
                 Install it (apt-get install postgresql-15) or set PG_TEST_BIN_DIR, or \
                 PG_TEST_ROOT to a folder holding MAJOR/bin.",
                wanted.map_or_else(|| "(any of 13-18)".to_owned(), |v| v.to_string())
            );
        };
        Self {
            version: version_of(bin_dir),
            bin_dir: bin_dir.clone(),
            own_extensions: None,
        }
    }

    /// Path of one of its programs.
    pub fn bin(&self, tool: &str) -> PathBuf {
        self.bin_dir.join(tool)
    }

    /// Folder of its programs.
    pub fn bin_dir(&self) -> &Path {
        &self.bin_dir
    }

    /// Folder of control files and scripts that a test may write to, where there is one.
    pub fn own_extensions(&self) -> Option<&Path> {
        self.own_extensions.as_deref()
    }

    /// Full version, such as `15.20`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Major version, such as 15.
    pub fn major(&self) -> u32 {
        major_of(&self.version)
    }
}

fn candidates(wanted: Option<u32>) -> Vec<PathBuf> {
    let majors = wanted.map_or_else(|| (13..=18).rev().collect(), |v| vec![v]);
    let roots: Vec<PathBuf> = [
        env::var_os("PG_TEST_ROOT").map(PathBuf::from),
        Some("/usr/lib/postgresql".into()),
        Some("/opt/postgresql".into()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let installed = roots.iter().flat_map(|root| {
        majors
            .iter()
            .map(|major| root.join(major.to_string()).join("bin"))
            .collect::<Vec<_>>()
    });
    env::var_os("PG_TEST_BIN_DIR")
        .map(PathBuf::from)
        .into_iter()
        .chain(installed)
        .collect()
}

fn version_of(bin_dir: &Path) -> String {
    let out = Command::new(bin_dir.join("initdb"))
        .arg("--version")
        .output();
    let text = out
        .map(|o| String::from_utf8_lossy(&o.stdout).into_owned())
        .unwrap_or_default();
    let number = text
        .split_whitespace()
        .find(|word| word.starts_with(char::is_numeric));
    number.unwrap_or("0").to_owned()
}

fn major_of(version: &str) -> u32 {
    version
        .split('.')
        .next()
        .and_then(|word| word.parse().ok())
        .unwrap_or(0)
}

/// The operating system user of throwaway servers: `postgres` when we are root (PostgreSQL refuses
/// to run as root), ourselves otherwise.
#[derive(Debug, Clone, Copy)]
pub struct ServerUser {
    switch_to: Option<(u32, u32)>,
}

impl ServerUser {
    /// Looks the user up; panics when we are root and there is no user `postgres`.
    pub fn find() -> Self {
        if id("-u", None) != Some(0) {
            return Self { switch_to: None };
        }
        let ids = id("-u", Some("postgres")).zip(id("-g", Some("postgres")));
        assert!(
            ids.is_some(),
            "running as root, and there is no user `postgres` to run servers as"
        );
        Self { switch_to: ids }
    }

    /// A command that will run as this user, in its own process group and without any `PG*`
    /// variable of ours.
    pub fn command(self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        without_pg_variables(&mut command);
        command.process_group(0).current_dir("/").env("LC_ALL", "C");
        if let Some((uid, gid)) = self.switch_to {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Makes `path` belong to this user.
    pub fn own(self, path: &Path) {
        if let Some((uid, gid)) = self.switch_to {
            std::os::unix::fs::chown(path, Some(uid), Some(gid)).unwrap();
        }
    }
}

fn id(flag: &str, user: Option<&str>) -> Option<u32> {
    let out = Command::new("id").arg(flag).args(user).output().ok()?;
    String::from_utf8_lossy(&out.stdout).trim().parse().ok()
}

/// Removes every libpq variable from a command's environment: tests must not depend on ours.
pub fn without_pg_variables(command: &mut Command) {
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
}

/// Runs a command to its end; panics with all it said when it fails.
pub fn run(command: &mut Command) -> Output {
    let out = command
        .output()
        .unwrap_or_else(|e| panic!("cannot run {command:?}: {e}"));
    assert!(
        out.status.success(),
        "{command:?} failed ({}):\n{}{}",
        out.status,
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
    out
}
