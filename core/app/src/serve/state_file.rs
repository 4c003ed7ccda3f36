//! How things stand, in a small file that `status` reads: in the repository, and in the folder of the legacy
//! service, for one of them may be what broke. Several machines may share a folder, and several processes of one machine,
//! so its name has both in it: nobody writes over the word of another.
//!
//! It is written every few seconds and removed by a service that ends as it should. One that stays tells that its
//! service died, until the next one of that machine begins.

use std::fs;
use std::io::Write;
use std::mem;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use respaldo_domain::supervision::EngineState;
use respaldo_engine::leadership::Instance;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How often it is written although nothing changed.
pub const REFRESH_EVERY: Duration = Duration::from_secs(10);
/// Whose last word is older is not alive.
const BELIEVED_FOR: TimeDelta = TimeDelta::minutes(1);
const FILE: &str = "serve";
const EXTENSION: &str = ".json";

/// How things stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Who makes backups.
    #[serde(flatten)]
    pub state: EngineState,
    /// Since when.
    pub since: DateTime<Utc>,
    /// When this was written.
    pub written_at: DateTime<Utc>,
    /// The process.
    pub pid: u32,
    /// What is being made.
    pub running: Option<String>,
    /// Since when.
    pub running_since: Option<DateTime<Utc>>,
    /// Whether it leads; another process makes the backups where it does not.
    #[serde(default)]
    pub leads: bool,
    /// Where the panel listens.
    #[serde(default)]
    pub listens: Option<SocketAddr>,
    /// Its address for people.
    #[serde(default)]
    pub panel: Option<String>,
}

impl Standing {
    /// What the services of this machine said last in these folders: the one that leads, else one that is at work,
    /// else the last that died.
    pub fn read(folders: &[PathBuf]) -> Option<Self> {
        let now = Utc::now();
        let found = folders.iter().flat_map(|folder| words_in(folder));
        let rank = |standing: &Self| {
            let is_alive = standing.is_alive(now);
            (is_alive, is_alive && standing.leads, standing.written_at)
        };
        found.map(|(_, standing)| standing).max_by_key(rank)
    }

    /// Whether the service that said this is still at work.
    pub fn is_alive(&self, now: DateTime<Utc>) -> bool {
        (now - self.written_at).abs() < BELIEVED_FOR && !is_gone(self.pid)
    }
}

/// Whether no process has this number. Where processes of others cannot be seen, nobody is known to be gone.
fn is_gone(pid: u32) -> bool {
    let is_there = |pid: u32| Path::new("/proc").join(pid.to_string()).exists();
    is_there(1) && !is_there(pid)
}

/// What the services of this machine said in a folder, with the files.
fn words_in(folder: &Path) -> Vec<(PathBuf, Standing)> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let word = |file: fs::DirEntry| {
        let standing = is_of_here(file.file_name().to_str()?).then(|| read(&file.path()))?;
        Some((file.path(), standing?))
    };
    files.filter_map(word).collect()
}

/// Whether a service of this machine wrote the file; one before this version had no process in its name.
fn is_of_here(file: &str) -> bool {
    let common = of_machine(FILE);
    let rest = file.strip_prefix(common.trim_end_matches(EXTENSION));
    let process = rest.and_then(|rest| rest.strip_suffix(EXTENSION));
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    process.is_some_and(|text| text.is_empty() || text.strip_prefix('.').is_some_and(is_number))
}

/// The name of the file of a process.
fn of_process(pid: u32) -> String {
    let common = of_machine(FILE);
    let stem = common.trim_end_matches(EXTENSION);
    format!("{stem}.{pid}{EXTENSION}")
}

/// Removes what services of this machine left that died: who begins stands for them. What one before had the number of
/// this process wrote is left, too.
fn clear_up(folder: &Path) {
    let now = Utc::now();
    let is_left =
        |standing: &Standing| !standing.is_alive(now) || standing.pid == std::process::id();
    for (path, _) in words_in(folder).iter().filter(|(_, word)| is_left(word)) {
        // What stays is told as what it is.
        fs::remove_file(path).ok();
    }
}

/// The name of a file that each machine has for itself.
pub fn of_machine(stem: &str) -> String {
    let host = Instance::here().host;
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || ".-".contains(c) {
            c
        } else {
            '_'
        }
    };
    let host: String = host.chars().map(plain).collect();
    // Machines made from one image may have one name.
    let id = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let id: String = id.chars().filter(char::is_ascii_hexdigit).take(8).collect();
    match id.is_empty() {
        true => format!("{stem}-{host}{EXTENSION}"),
        false => format!("{stem}-{host}-{id}{EXTENSION}"),
    }
}

/// The file, shared by the threads that know something.
#[derive(Clone, Default)]
pub struct StateFile(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    folders: Vec<PathBuf>,
    /// That of the legacy service, while it works.
    beside: Option<PathBuf>,
    standing: Option<Standing>,
    listens: Option<SocketAddr>,
    panel: Option<String>,
}

impl StateFile {
    /// Nothing is written before a state and a folder are known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also writes it there.
    pub fn also_in(&self, folder: &Path) {
        self.change(|inner| {
            if !inner.folders.iter().any(|known| known == folder) {
                clear_up(folder);
                inner.folders.push(folder.to_owned());
            }
        });
    }

    /// Also writes it beside backups of others, until the engine is up.
    pub fn also_beside(&self, folder: &Path) {
        self.change(|inner| {
            if inner.beside.as_deref() != Some(folder) {
                clear_up(folder);
                inner.beside = Some(folder.to_owned());
            }
        });
    }

    /// Another state.
    pub fn enter(&self, state: EngineState) {
        let now = Utc::now();
        self.change(|inner| {
            if state == EngineState::Professional
                && let Some(folder) = inner.beside.take()
            {
                remove_own(&folder);
            }
            // Another reason is no other state.
            let is_like =
                |old: &&Standing| mem::discriminant(&old.state) == mem::discriminant(&state);
            let like = inner.standing.as_ref().filter(is_like);
            inner.standing = Some(Standing {
                since: like.map_or(now, |old| old.since),
                state,
                written_at: now,
                pid: std::process::id(),
                running: None,
                running_since: None,
                leads: false,
                listens: inner.listens,
                panel: inner.panel.clone(),
            });
        });
    }

    /// Whether this process leads.
    pub fn leads(&self, leads: bool) {
        let is_news = |standing: &Standing| standing.leads != leads;
        if self.standing().as_ref().is_some_and(is_news) {
            self.change(|inner| {
                if let Some(standing) = &mut inner.standing {
                    standing.leads = leads;
                }
            });
        }
    }

    /// Where the panel listens.
    pub fn listens(&self, address: SocketAddr, panel: &str) {
        self.change(|inner| {
            inner.listens = Some(address);
            inner.panel = Some(panel.to_owned());
            if let Some(standing) = &mut inner.standing {
                standing.listens = Some(address);
                standing.panel = Some(panel.to_owned());
            }
        });
    }

    /// How things stand; `None` before anything is known.
    pub fn standing(&self) -> Option<Standing> {
        self.lock().standing.clone()
    }

    /// Where it is written.
    pub fn folders(&self) -> Vec<PathBuf> {
        self.lock().all()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is being made now.
    pub fn runs(&self, run: Option<String>) {
        self.change(|inner| {
            if let Some(standing) = &mut inner.standing {
                standing.running_since = run.as_ref().map(|_| Utc::now());
                standing.running = run;
            }
        });
    }

    /// Says that the service is alive.
    pub fn refresh(&self) {
        self.change(|_| {});
    }

    /// At the end.
    pub fn remove(&self) {
        for folder in self.lock().all() {
            remove_own(&folder);
        }
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        let mut inner = self.lock();
        change(&mut inner);
        let folders = inner.all();
        if let Some(standing) = &mut inner.standing {
            standing.written_at = Utc::now();
            let name = of_process(std::process::id());
            for folder in folders {
                if let Err(error) = write(&folder, &name, standing) {
                    tracing::debug!(%error, folder = %folder.display(), "the state is not written");
                }
            }
        }
    }
}

impl Inner {
    fn all(&self) -> Vec<PathBuf> {
        self.folders.iter().chain(&self.beside).cloned().collect()
    }
}

fn remove_own(folder: &Path) {
    // What stays tells that somebody should look.
    fs::remove_file(folder.join(of_process(std::process::id()))).ok();
}

/// What a file holds; one that is not there or makes no sense holds nothing.
pub fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Whoever reads finds one state or the next. Nobody else may read it.
pub fn write(folder: &Path, file: &str, value: &impl Serialize) -> std::io::Result<()> {
    make_private(folder)?;
    let part = format!(".{file}.{}.new", std::process::id());
    let (whole, part) = (folder.join(file), folder.join(part));
    let text = serde_json::to_vec(value)?;
    let written = create_private(&part).and_then(|mut file| file.write_all(&text));
    let replaced = written.and_then(|()| fs::rename(&part, whole));
    if replaced.is_err() {
        // Where not even that works there is nothing to be done about it.
        fs::remove_file(&part).ok();
    }
    replaced
}

/// Makes a folder, and those above it, for their owner only.
pub fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn create_private(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(folder: &Path) -> StateFile {
        let file = StateFile::new();
        file.also_in(folder);
        file.enter(EngineState::Legacy {
            reason: "no catalog".to_owned(),
        });
        file
    }

    #[test]
    fn a_state_is_read_back_and_believed_while_its_service_lives() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [folder.path().join("missing"), folder.path().to_owned()];
        assert_eq!(Standing::read(&folders), None);
        let file = begun(folder.path());
        file.runs(Some("daily".to_owned()));
        let standing = Standing::read(&folders).unwrap();
        assert_eq!(standing.state.reason(), Some("no catalog"));
        assert_eq!(standing.running.as_deref(), Some("daily"));
        assert!(standing.is_alive(Utc::now()));
        assert!(!standing.is_alive(Utc::now() + TimeDelta::minutes(2)));
        file.remove();
        assert_eq!(Standing::read(&folders), None);
    }

    /// What another process of this machine said.
    fn said_by(folder: &Path, pid: u32, change: impl FnOnce(&mut Standing)) -> Standing {
        let file = begun(folder);
        let mut standing = file.standing().unwrap();
        file.remove();
        standing.pid = pid;
        change(&mut standing);
        write(folder, &of_process(pid), &standing).unwrap();
        standing
    }

    /// No system gives out such a number.
    const GONE: u32 = u32::MAX;
    /// Always there.
    const FIRST: u32 = 1;

    #[test]
    fn one_that_died_is_told_of_until_the_next_begins() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [folder.path().to_owned()];
        let dead = said_by(folder.path(), GONE, |_| {});
        assert_eq!(Standing::read(&folders), Some(dead.clone()));
        assert!(!dead.is_alive(Utc::now()));
        begun(folder.path()).remove();
        assert_eq!(Standing::read(&folders), None);
    }

    #[test]
    fn what_a_version_before_this_one_left_is_told_of_too() {
        let folder = tempfile::tempdir().unwrap();
        let dead = said_by(folder.path(), GONE, |_| {});
        begun(folder.path()).remove();
        write(folder.path(), &of_machine(FILE), &dead).unwrap();
        assert_eq!(Standing::read(&[folder.path().to_owned()]), Some(dead));
        begun(folder.path()).remove();
        assert_eq!(Standing::read(&[folder.path().to_owned()]), None);
    }

    #[test]
    fn of_two_processes_of_one_machine_none_writes_over_the_word_of_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [folder.path().to_owned()];
        let leader = said_by(folder.path(), FIRST, |standing| standing.leads = true);
        let file = begun(folder.path());
        assert_eq!(Standing::read(&folders), Some(leader), "it leads");
        let follower = said_by(folder.path(), FIRST, |standing| {
            standing.written_at -= TimeDelta::seconds(5);
        });
        file.refresh();
        let newest = Standing::read(&folders).unwrap();
        assert_eq!(newest.pid, std::process::id(), "both live, and none leads");
        file.remove();
        assert_eq!(Standing::read(&folders), Some(follower));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_it_and_nothing_stays_beside_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("repository/.respaldo");
        let _file = begun(&inner);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&inner.join(of_process(std::process::id()))), 0o600);
        assert_eq!(mode(&inner), 0o700);
        assert_eq!(mode(&folder.path().join("repository")), 0o700);
        assert_eq!(fs::read_dir(&inner).unwrap().count(), 1);
    }
}
