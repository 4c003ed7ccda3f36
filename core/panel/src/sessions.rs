//! Who is logged in: in memory alone. A session has a new id at each login, and none that the other side chose.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::people::User;
use crate::secrets::{self, NoSecret};

/// Sessions at once; the one that was idle longest goes.
const MOST: usize = 500;
/// A session ends after that, however busy.
const LONGEST: Duration = Duration::from_hours(12);

/// Who is logged in.
#[derive(Debug, Clone)]
pub struct Session {
    /// Hash of the id: a name for it that opens nothing.
    pub key: String,
    /// The user.
    pub user: String,
    /// The user's epoch at login.
    pub epoch: u64,
    /// What requests that change something show.
    pub csrf: String,
    began: Instant,
    seen: Instant,
}

/// All of them.
pub struct Sessions {
    idle: Duration,
    open: Mutex<HashMap<String, Session>>,
}

impl Sessions {
    /// None yet; one ends after it was idle so long.
    pub fn new(idle: Duration) -> Self {
        Self {
            idle,
            open: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        open.retain(|_, session| now - session.seen < self.idle && now - session.began < LONGEST);
        open
    }

    /// Begins one; gives its id, which is told to the browser alone. That of before ends.
    pub fn begin(&self, user: &User, before: Option<&str>) -> Result<(String, Session), NoSecret> {
        let id = secrets::random()?;
        let now = Instant::now();
        let session = Session {
            key: secrets::hash(&id),
            user: user.usuario.clone(),
            epoch: user.epoca,
            csrf: secrets::random()?,
            began: now,
            seen: now,
        };
        let mut open = self.lock();
        if let Some(before) = before {
            open.remove(&secrets::hash(before));
        }
        if open.len() >= MOST {
            let idle = open.values().min_by_key(|session| session.seen);
            if let Some(key) = idle.map(|session| session.key.clone()) {
                open.remove(&key);
            }
        }
        open.insert(session.key.clone(), session.clone());
        Ok((id, session))
    }

    /// The session of an id.
    pub fn of(&self, id: &str) -> Option<Session> {
        let mut open = self.lock();
        let session = open.get_mut(&secrets::hash(id))?;
        session.seen = Instant::now();
        Some(session.clone())
    }

    /// Ends one.
    pub fn end(&self, key: &str) {
        self.lock().remove(key);
    }

    /// Ends all of a user but one.
    pub fn end_of(&self, user: &str, but: Option<&str>) {
        let stays = |session: &Session| session.user != user || but == Some(&session.key);
        self.lock().retain(|_, session| stays(session));
    }
}
