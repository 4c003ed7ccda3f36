//! How things stand, in a small file that `status` reads: in the repository, and in the folder of the legacy
//! service, for one of them may be what broke.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use respaldo_domain::supervision::EngineState;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How often it is written although nothing changed.
pub const REFRESH_EVERY: Duration = Duration::from_secs(10);
const FILE: &str = "serve.json";

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
}

impl Standing {
    /// What a service that is alive left in one of these folders; the newest.
    pub fn read(folders: &[PathBuf], now: DateTime<Utc>) -> Option<Self> {
        let read = |folder: &PathBuf| read::<Self>(&folder.join(FILE));
        let alive = |standing: &Self| (now - standing.written_at).abs() < TimeDelta::minutes(1);
        let found = folders.iter().filter_map(read).filter(alive);
        found.max_by_key(|standing| standing.written_at)
    }
}

/// The file, shared by the threads that know something.
#[derive(Clone, Default)]
pub struct StateFile(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    folders: Vec<PathBuf>,
    standing: Option<Standing>,
    listens: Option<SocketAddr>,
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
                inner.folders.push(folder.to_owned());
            }
        });
    }

    /// Another state.
    pub fn enter(&self, state: EngineState) {
        let now = Utc::now();
        self.change(|inner| {
            inner.standing = Some(Standing {
                state,
                since: now,
                written_at: now,
                pid: std::process::id(),
                running: None,
                running_since: None,
                leads: false,
                listens: inner.listens,
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
    pub fn listens(&self, address: SocketAddr) {
        self.change(|inner| {
            inner.listens = Some(address);
            if let Some(standing) = &mut inner.standing {
                standing.listens = Some(address);
            }
        });
    }

    /// How things stand; `None` before anything is known.
    pub fn standing(&self) -> Option<Standing> {
        self.lock().standing.clone()
    }

    /// Where it is written.
    pub fn folders(&self) -> Vec<PathBuf> {
        self.lock().folders.clone()
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
        let inner = self.lock();
        for folder in &inner.folders {
            // What stays is too old to be believed in a minute.
            fs::remove_file(folder.join(FILE)).ok();
        }
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        let mut inner = self.lock();
        change(&mut inner);
        let folders = inner.folders.clone();
        if let Some(standing) = &mut inner.standing {
            standing.written_at = Utc::now();
            for folder in folders {
                if let Err(error) = write(&folder, FILE, standing) {
                    tracing::debug!(%error, folder = %folder.display(), "the state is not written");
                }
            }
        }
    }
}

/// What a file holds; one that is not there or makes no sense holds nothing.
pub fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Whoever reads finds one state or the next.
pub fn write(folder: &Path, file: &str, value: &impl Serialize) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let (whole, part) = (folder.join(file), folder.join(format!("{file}.new")));
    fs::write(&part, serde_json::to_vec(value)?)?;
    fs::rename(part, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_back_while_its_service_lives() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [folder.path().join("missing"), folder.path().to_owned()];
        let file = StateFile::new();
        file.also_in(folder.path());
        assert_eq!(Standing::read(&folders, Utc::now()), None);
        let state = EngineState::Legacy {
            reason: "no catalog".to_owned(),
        };
        file.enter(state.clone());
        file.runs(Some("daily".to_owned()));
        let standing = Standing::read(&folders, Utc::now()).unwrap();
        assert_eq!(standing.state, state);
        assert_eq!(standing.running.as_deref(), Some("daily"));
        let later = Utc::now() + TimeDelta::minutes(2);
        assert_eq!(Standing::read(&folders, later), None);
        file.remove();
        assert_eq!(Standing::read(&folders, Utc::now()), None);
    }
}
