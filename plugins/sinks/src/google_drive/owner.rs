//! Whose an unfinished file is: machine, process, copy of this program in it, and put.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::api::File;
use crate::owner::{is_alive, machine};

/// The property of a file that tells it. Drive takes 124 bytes of name and value.
const PROPERTY: &str = "respaldo-owner";
const MAX_HOST_BYTES: usize = 60;
/// After this long nobody on another machine still works on it.
const FOREIGN_AGE: TimeDelta = TimeDelta::hours(24);

/// This copy of the program: a process may hold two, a plugin's and our own.
static COPY: LazyLock<String> = LazyLock::new(random);
/// The puts that this copy works on.
static AT_WORK: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// A put at work, until dropped.
pub(super) struct Owner {
    put: String,
}

impl Owner {
    pub(super) fn new() -> Self {
        let put = random();
        at_work().insert(put.clone());
        Self { put }
    }

    /// The properties that a file of this put carries.
    pub(super) fn properties(&self) -> BTreeMap<&'static str, String> {
        let pid = std::process::id();
        BTreeMap::from([(PROPERTY, format!("{}.{pid}.{}.{}", host(), *COPY, self.put))])
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        at_work().remove(&self.put);
    }
}

/// Whether nobody works on a file any more. In doubt somebody does.
pub(super) fn is_abandoned(file: &File, now: Option<DateTime<Utc>>) -> bool {
    match file
        .app_properties
        .get(PROPERTY)
        .and_then(|tag| is_at_work(tag))
    {
        Some(at_work) => !at_work,
        None => is_old(file, now),
    }
}

fn is_old(file: &File, now: Option<DateTime<Utc>>) -> bool {
    let created = DateTime::parse_from_rfc3339(&file.created_time).ok();
    let age = now
        .zip(created)
        .map(|(now, created)| now - created.to_utc());
    age.is_some_and(|age| age > FOREIGN_AGE)
}

/// Whether a put is still at work; `None` where that cannot be told from here.
fn is_at_work(tag: &str) -> Option<bool> {
    let mut parts = tag.rsplitn(4, '.');
    let (put, copy) = (parts.next()?, parts.next()?);
    let (pid, owner) = (parts.next()?.parse::<u32>().ok()?, parts.next()?);
    if owner != host() {
        return None;
    }
    match pid == std::process::id() {
        true if copy == *COPY => Some(at_work().contains(put)),
        true => None,
        false => is_alive(pid),
    }
}

fn at_work() -> MutexGuard<'static, BTreeSet<String>> {
    AT_WORK.lock().unwrap_or_else(PoisonError::into_inner)
}

fn random() -> String {
    let mut text = Uuid::new_v4().simple().to_string();
    text.truncate(16);
    text
}

/// Name of this machine, cut at its front: its end tells containers apart.
fn host() -> String {
    let name = machine();
    name[name.len().saturating_sub(MAX_HOST_BYTES)..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(tag: Option<&str>, created: &str) -> File {
        let mut json = serde_json::json!({ "id": "x", "createdTime": created });
        if let Some(tag) = tag {
            json["appProperties"] = serde_json::json!({ PROPERTY: tag });
        }
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_put_is_at_work_until_it_is_dropped() {
        let owner = Owner::new();
        let tag = owner.properties()[PROPERTY].clone();
        assert!(PROPERTY.len() + tag.len() <= 124);
        let file = file(Some(&tag), "2020-01-01T00:00:00.000Z");
        assert!(!is_abandoned(&file, Some(Utc::now())));
        drop(owner);
        assert!(is_abandoned(&file, Some(Utc::now())));
    }

    #[test]
    fn a_dead_process_is_known_and_a_foreign_one_by_its_age() {
        let now = DateTime::parse_from_rfc3339("2026-01-02T12:00:00Z")
            .unwrap()
            .to_utc();
        let (young, old) = ("2026-01-02T11:00:00.000Z", "2026-01-01T11:00:00.000Z");
        let dead = format!("{}.{}.c.p", host(), i32::MAX);
        assert!(is_abandoned(&file(Some(&dead), young), Some(now)));
        for tag in [Some("elsewhere.1.c.p"), Some("garbage"), None] {
            assert!(!is_abandoned(&file(tag, young), Some(now)));
            assert!(is_abandoned(&file(tag, old), Some(now)));
            assert!(!is_abandoned(&file(tag, old), None));
        }
    }
}
