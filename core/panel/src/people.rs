//! Users, tokens and failed logins, in a file of this machine: people get in when the database is lost, and a restore
//! brings no old password back.
//!
//! Several services of a machine may share the file: each change reads it anew under a lock and writes it whole, by
//! renaming. Whoever asks reads it again when it was replaced.

mod lockout;
mod tokens;
mod users;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::store;

pub use tokens::Token;
pub use users::User;

const FILE: &str = "panel-users.json";
const LOCK: &str = "panel-users.lock";

/// What is known of people.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Book {
    #[serde(default)]
    usuarios: Vec<User>,
    #[serde(default)]
    tokens: Vec<Token>,
    #[serde(default)]
    intentos: Vec<lockout::Tries>,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The file cannot be read or written.
    #[error("the file of users {path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// There is such a user.
    #[error("there is a user of this name")]
    Exists,
    /// There is no such user or token.
    #[error("there is no such user or token")]
    Unknown,
    /// Nobody would be left who may do everything.
    #[error("the last administrator stays")]
    LastAdmin,
    /// A name or password that will not do.
    #[error("{0}")]
    Unfit(&'static str),
    /// Somebody is there already.
    #[error("the first user exists")]
    AlreadySetUp,
    /// No random bytes.
    #[error(transparent)]
    NoSecret(#[from] crate::secrets::NoSecret),
}

/// The file of users and tokens.
#[derive(Clone)]
pub struct People {
    folder: PathBuf,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    at: Option<(SystemTime, u64)>,
    book: Arc<Book>,
}

impl People {
    /// Those whose file is in this folder.
    pub fn of(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            seen: Arc::default(),
        }
    }

    /// Whether there is anybody.
    pub fn is_set_up(&self) -> Result<bool, PeopleError> {
        Ok(!self.book()?.usuarios.is_empty())
    }

    fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    fn broken(&self, source: io::Error) -> PeopleError {
        PeopleError::File {
            path: self.path().display().to_string(),
            source,
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As the file says now.
    fn book(&self) -> Result<Arc<Book>, PeopleError> {
        let mark = match fs::metadata(self.path()) {
            Ok(facts) => {
                let at = facts.modified().map_err(|error| self.broken(error))?;
                Some((at, inode(&facts)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(self.broken(error)),
        };
        let mut seen = self.seen();
        if seen.at != mark || mark.is_none() {
            let read = store::read(&self.path()).map_err(|error| self.broken(error))?;
            *seen = Seen {
                at: mark,
                book: Arc::new(read.unwrap_or_default()),
            };
        }
        Ok(Arc::clone(&seen.book))
    }

    /// Changes the file, alone.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut Book) -> Result<T, PeopleError>,
    ) -> Result<T, PeopleError> {
        store::make_private(&self.folder).map_err(|error| self.broken(error))?;
        let lock = store::private(&self.folder.join(LOCK)).map_err(|error| self.broken(error))?;
        lock.lock().map_err(|error| self.broken(error))?;
        self.seen().at = None;
        let mut book = Book::clone(&*self.book()?);
        let value = change(&mut book)?;
        store::write(&self.path(), &book).map_err(|error| self.broken(error))?;
        self.seen().at = None;
        drop(lock);
        Ok(value)
    }
}

/// A file that took the place of another has another.
fn inode(facts: &fs::Metadata) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::ino(facts);
    #[cfg(not(unix))]
    return facts.len();
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::ask::Role;

    fn people() -> (tempfile::TempDir, People) {
        let folder = tempfile::tempdir().unwrap();
        let people = People::of(folder.path());
        (folder, people)
    }

    #[test]
    fn the_first_user_is_made_once_and_the_last_administrator_stays() {
        let (folder, people) = people();
        assert!(!people.is_set_up().unwrap());
        people.set_up("ana", "una clave larga").unwrap();
        assert!(people.is_set_up().unwrap());
        assert!(matches!(
            people.set_up("eva", "una clave larga"),
            Err(PeopleError::AlreadySetUp)
        ));
        assert!(matches!(
            people.remove_user("ana"),
            Err(PeopleError::LastAdmin)
        ));
        let other = People::of(folder.path());
        other
            .add_user("eva", "otra clave larga", Role::Admin)
            .unwrap();
        people.remove_user("ana").unwrap();
        assert_eq!(other.users().unwrap().len(), 1);
        assert!(matches!(
            other.change_user("eva", None, Some(Role::Viewer), None),
            Err(PeopleError::LastAdmin)
        ));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_the_file_and_it_holds_no_secret() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, people) = people();
        people.set_up("ana", "una clave larga").unwrap();
        let made = people.add_token("ci", Role::Viewer, 1, "ana").unwrap();
        let path = folder.path().join(FILE);
        let rights = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(rights, 0o600);
        let text = fs::read_to_string(path).unwrap();
        assert!(!text.contains("una clave larga") && !text.contains(&made.secret));
        assert_eq!(people.token(&made.secret).unwrap().unwrap().nombre, "ci");
        assert!(people.token("x").unwrap().is_none());
    }

    #[test]
    fn who_fails_too_often_waits_longer_each_time_and_success_forgets_it() {
        let (_folder, people) = people();
        let here: IpAddr = "192.0.2.1".parse().unwrap();
        let mut waits = Vec::new();
        for _ in 0..9 {
            people.failed("ana", here).unwrap();
            waits.push(
                people
                    .locked("ana", here)
                    .unwrap()
                    .map(|locked| locked.seconds),
            );
        }
        assert_eq!(waits[..4], [None, None, None, None]);
        let waits: Vec<u64> = waits.into_iter().flatten().collect();
        assert!(
            waits.is_sorted() && waits.len() == 5 && waits[4] > 8,
            "{waits:?}"
        );
        let there: IpAddr = "192.0.2.2".parse().unwrap();
        assert!(people.locked("eva", there).unwrap().is_none());
        people.succeeded("ana", here).unwrap();
        assert!(people.locked("ana", here).unwrap().is_none());
    }
}
