//! Finding an installation whose tools can read a server.

use std::collections::HashSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use super::{ArchiveTools, Looked, Tool, ToolError, ToolVersion, Tools};

/// All tools.
pub(super) fn find(given: Option<&Path>, server_version_num: u32) -> Result<Tools, ToolError> {
    let whole = |folder: &Path| {
        let [pg_dump, pg_restore, psql, pg_dumpall] =
            at_once(folder, ["pg_dump", "pg_restore", "psql", "pg_dumpall"]);
        let tools = Tools {
            pg_dump: pg_dump?,
            pg_restore: pg_restore?,
            psql: psql?,
            pg_dumpall: pg_dumpall?,
        };
        let all = [
            &tools.pg_dump,
            &tools.pg_restore,
            &tools.psql,
            &tools.pg_dumpall,
        ];
        let is_too_old = |tool: &&&Tool| !tool.version.can_read(server_version_num);
        match all.iter().find(is_too_old) {
            Some(old) => Err(Problem::too_old(old)),
            None => Ok(tools),
        }
    };
    find_by(given, server_version_num, whole, |tools| &tools.pg_dump)
}

/// Every command begins with this question, so the tools are asked together. Most folders of a `PATH` have none: no
/// thread is begun to find that out.
fn at_once<const N: usize>(folder: &Path, names: [&'static str; N]) -> [Result<Tool, String>; N] {
    let is_there = |name: &&'static str| place(folder, name).is_ok();
    if !names.iter().all(is_there) {
        return names.map(|name| tool(folder, name));
    }
    thread::scope(|scope| {
        let asked = names.map(|name| (name, scope.spawn(move || tool(folder, name))));
        asked.map(|(name, asked)| asked.join().unwrap_or_else(|_| tool(folder, name)))
    })
}

/// A whole installation; where there is none, one that can dump.
pub(super) fn find_archive_tools(
    given: Option<&Path>,
    server_version_num: u32,
) -> Result<ArchiveTools, ToolError> {
    let whole = match find(given, server_version_num) {
        Ok(tools) => return Ok(tools.into()),
        Err(error) => error,
    };
    let partial = |folder: &Path| {
        let pg_dump = tool(folder, "pg_dump")?;
        if !pg_dump.version.can_read(server_version_num) {
            return Err(Problem::too_old(&pg_dump));
        }
        let fits = |tool: &Tool| tool.version.can_read(server_version_num);
        Ok(ArchiveTools {
            pg_dump,
            pg_restore: tool(folder, "pg_restore").ok().filter(fits),
            psql: tool(folder, "psql").ok().filter(fits),
        })
    };
    let found = find_by(given, server_version_num, partial, |tools| &tools.pg_dump);
    found.map_err(|_| whole)
}

/// The first installation that `judge` accepts of those named and in `PATH`, else the newest of
/// those in the usual places.
fn find_by<T>(
    given: Option<&Path>,
    server_version_num: u32,
    judge: impl Fn(&Path) -> Result<T, Problem>,
    pg_dump: impl Fn(&T) -> &Tool,
) -> Result<T, ToolError> {
    let configured = env::var_os("PG_BIN_PATH")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    let named = given.map(Path::to_path_buf).into_iter().chain(configured);
    let path = env::var_os("PATH").unwrap_or_default();
    let in_order: Vec<PathBuf> = named.chain(env::split_paths(&path)).collect();
    let mut search = Search {
        judge,
        seen: HashSet::new(),
        looked_at: Vec::new(),
    };
    if let Some(tools) = in_order.iter().find_map(|folder| search.look(folder)) {
        return Ok(tools);
    }
    let usual = usual_folders()
        .into_iter()
        .filter_map(|folder| search.look(&folder));
    let newest = usual.max_by_key(|tools| {
        let version = pg_dump(tools).version();
        (version.major, version.minor)
    });
    newest.ok_or(ToolError::NotFound {
        wanted: server_version_num / 10_000,
        looked_at: search.looked_at,
    })
}

struct Search<J> {
    judge: J,
    seen: HashSet<PathBuf>,
    looked_at: Vec<Looked>,
}

impl<T, J: Fn(&Path) -> Result<T, Problem>> Search<J> {
    /// The tools of a folder if they fit; otherwise remembers why not.
    fn look(&mut self, folder: &Path) -> Option<T> {
        let folder = std::fs::canonicalize(folder).ok()?;
        if !self.seen.insert(folder.clone()) {
            return None;
        }
        match (self.judge)(&folder) {
            Ok(tools) => Some(tools),
            Err(problem) => {
                let Problem { words, is_too_old } = problem;
                self.looked_at.push(Looked {
                    folder,
                    problem: words,
                    is_too_old,
                });
                None
            }
        }
    }
}

/// Where a tool of a folder lies, if it is one that can be used.
fn place(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let path = folder.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    let target = std::fs::canonicalize(&path).map_err(|_| format!("no {name}"))?;
    // Debian's wrapper picks a version by its own view of local clusters, another one each call.
    if target.file_name().is_some_and(|file| file == "pg_wrapper") {
        return Err(format!("{name} is a wrapper script"));
    }
    Ok(path)
}

fn tool(folder: &Path, name: &'static str) -> Result<Tool, String> {
    let path = place(folder, name)?;
    let printed = Command::new(&path)
        .arg("--version")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{name} does not start: {error}"))?;
    let version = ToolVersion::parse(&String::from_utf8_lossy(&printed.stdout))
        .ok_or_else(|| format!("{name} does not tell its version"))?;
    Ok(Tool {
        name,
        path,
        version,
    })
}

/// Why the tools of a folder cannot be used.
struct Problem {
    words: String,
    is_too_old: bool,
}

impl Problem {
    fn too_old(tool: &Tool) -> Self {
        Self {
            words: format!("{} {} is older than the server", tool.name, tool.version),
            is_too_old: true,
        }
    }
}

impl From<String> for Problem {
    fn from(words: String) -> Self {
        Self {
            words,
            is_too_old: false,
        }
    }
}

/// Where Debian, Red Hat, Homebrew and the Windows installer put them.
fn usual_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    let mut add = |root: &Path, prefix: &str, tail: &str| {
        let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
        let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
        folders.extend(named.map(|entry| entry.path().join(tail)));
    };
    add(Path::new("/usr/lib/postgresql"), "", "bin");
    add(Path::new("/usr"), "pgsql-", "bin");
    for root in ["/opt/homebrew/opt", "/usr/local/opt"] {
        add(Path::new(root), "postgresql", "bin");
        add(Path::new(root), "libpq", "bin");
    }
    add(Path::new("/Library/PostgreSQL"), "", "bin");
    for name in ["ProgramFiles", "ProgramW6432", "ProgramFiles(x86)"] {
        if let Some(root) = env::var_os(name) {
            add(&Path::new(&root).join("PostgreSQL"), "", "bin");
        }
    }
    folders
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn fake(folder: &Path, names: &[&str], version: &str) {
        for name in names {
            assert!(fake_one(&folder.join(name), name, version).is_ok());
        }
    }

    fn fake_one(path: &Path, name: &str, version: &str) -> std::io::Result<()> {
        std::fs::write(
            path,
            format!("#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n"),
        )?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
    }

    const ALL: [&str; 4] = ["pg_dump", "pg_restore", "psql", "pg_dumpall"];

    #[test]
    fn a_named_folder_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        fake(folder.path(), &ALL, "99.1");
        let tools = Tools::find(Some(folder.path()), 150_003).unwrap();
        assert_eq!(tools.psql.version().major, 99);
    }

    #[test]
    fn too_old_and_incomplete_folders_are_named_with_what_to_install() {
        let old = tempfile::tempdir().unwrap();
        fake(old.path(), &ALL, "12.9");
        let error = Tools::find(Some(old.path()), 980_001)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("pg_dump 12.9 is older than the server"),
            "{error}"
        );
        assert!(error.contains("postgresql-client-98"), "{error}");
        let part = tempfile::tempdir().unwrap();
        fake(part.path(), &["pg_dump"], "98.0");
        let error = Tools::find(Some(part.path()), 980_001)
            .unwrap_err()
            .to_string();
        assert!(error.contains("no pg_restore"), "{error}");
    }

    #[test]
    fn where_there_is_no_whole_installation_one_that_can_dump_will_do() {
        let part = tempfile::tempdir().unwrap();
        fake(part.path(), &["pg_dump"], "98.0");
        let tools = ArchiveTools::find(Some(part.path()), 980_001).unwrap();
        assert_eq!(tools.pg_dump.version().major, 98);
        assert!(tools.pg_restore().is_err() && tools.psql().is_err());
        fake(part.path(), &["pg_restore"], "98.0");
        let tools = ArchiveTools::find(Some(part.path()), 980_001).unwrap();
        assert!(tools.pg_restore().is_ok());
        let whole = tempfile::tempdir().unwrap();
        fake(whole.path(), &ALL, "98.0");
        let tools = ArchiveTools::find(Some(whole.path()), 980_001).unwrap();
        assert!(tools.psql().is_ok());
        assert!(ArchiveTools::find(Some(part.path()), 990_001).is_err());
    }
}
