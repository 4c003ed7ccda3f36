//! Where a PostgreSQL server's programs are.

use std::path::{Path, PathBuf};

use respaldo_contract::messages::ErrorCode;

use super::server::first_line;
use crate::failure::Failure;

/// An installation that has a server.
pub struct Binaries {
    /// Folder of its programs.
    pub dir: PathBuf,
    /// Version, such as "15.20".
    pub version: String,
}

/// The first folder of `PG_BIN_PATH` and `PATH` with a server, else the newest installation in
/// the usual places. Debian keeps servers out of `PATH`.
pub fn find() -> Result<Binaries, Failure> {
    let named = std::env::var_os("PG_BIN_PATH").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let first = named
        .into_iter()
        .chain(std::env::split_paths(&path))
        .find_map(|dir| at(&dir));
    let newest = || {
        installed()
            .iter()
            .filter_map(|dir| at(dir))
            .max_by_key(|found| number(&found.version))
    };
    first.or_else(newest).ok_or_else(|| {
        let cause = "the rehearsal needs a PostgreSQL server's programs (initdb, postgres), and none \
                     were found; install the server package or name their folder in PG_BIN_PATH";
        Failure::new(ErrorCode::ToolsMissing, cause)
    })
}

fn at(dir: &Path) -> Option<Binaries> {
    let program = |name: &str| dir.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    // initdb in a wrapper's folder (pg_wrapper's, say) without postgres beside it is of no use.
    if !program("postgres").is_file() || !program("initdb").is_file() {
        return None;
    }
    let line = first_line(&program("postgres"), "--version")?;
    let version = line
        .split_whitespace()
        .find(|word| word.starts_with(char::is_numeric))?;
    Some(Binaries {
        dir: dir.to_owned(),
        version: version.to_owned(),
    })
}

fn number(version: &str) -> u32 {
    version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok())
        .unwrap_or(0)
}

fn installed() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (root, suffix) in [
        ("/usr/lib/postgresql", "bin"),
        ("/opt/homebrew/opt", "bin"),
        ("/usr/local/opt", "bin"),
        ("/usr", "bin"),
        ("C:\\Program Files\\PostgreSQL", "bin"),
    ] {
        let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
        let fits = |name: &str| {
            name.starts_with(char::is_numeric)
                || name.starts_with("postgresql")
                || name.starts_with("pgsql-")
        };
        let folders = entries.filter(|entry| fits(&entry.file_name().to_string_lossy()));
        found.extend(folders.map(|entry| entry.path().join(suffix)));
    }
    found
}
