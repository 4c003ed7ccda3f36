//! Locks: until when the store keeps an object against deletion.
//!
//! A lock belongs to a version of an object, and deleting names the version: a plain delete would
//! only hide the object and seem to succeed. A lock is only ever prolonged.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use md5::{Digest as _, Md5};
use reqwest::Method;
use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Fault, FaultKind};
use sha2::Sha256;

use super::super::wire::{Answer, Ask};
use super::{S3, base64, ignoring_absence};

const MODE: &str = "x-amz-object-lock-mode";
const UNTIL: &str = "x-amz-object-lock-retain-until-date";
const VERSION: &str = "x-amz-version-id";

/// How long the store keeps an object against everybody.
#[derive(Debug)]
pub(super) struct Lock {
    pub(super) mode: &'static str,
    pub(super) days: u32,
}

impl Lock {
    /// The headers of an object that is put.
    pub(super) fn on(&self, ask: Ask) -> Ask {
        let until = Utc::now() + TimeDelta::days(self.days.into());
        ask.header(MODE, self.mode).header(UNTIL, text(until))
    }
}

fn text(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The day that an answer tells.
fn told(seen: &Answer) -> Option<DateTime<Utc>> {
    let until = seen.header(UNTIL)?;
    let until = DateTime::parse_from_rfc3339(until).ok()?;
    Some(until.to_utc())
}

/// Of the version that was seen.
fn of_version(ask: Ask, seen: &Answer) -> Ask {
    match seen.header(VERSION) {
        Some(version) => ask.query("versionId", version),
        None => ask,
    }
}

impl S3 {
    /// Deletes a locked object's version. The store refuses as long as it is kept.
    pub(super) async fn delete_version(&self, key: &ObjectKey) -> Result<(), Fault> {
        let seen = match self.look(key).await {
            Err(fault) if fault.kind == FaultKind::NotFound => return Ok(()),
            seen => seen?,
        };
        let kept = match seen.header(UNTIL) {
            Some(until) => format!(", which is locked until {until}"),
            None => String::new(),
        };
        let subject = format!("delete {}{kept}", self.place.location(key));
        let ask = of_version(self.object(Method::DELETE, key), &seen);
        ignoring_absence(self.wire.send(self, &subject, &ask).await)
    }

    pub(super) async fn lock_of(&self, key: &ObjectKey) -> Result<Option<DateTime<Utc>>, Fault> {
        match &self.extras.lock {
            None => Ok(None),
            Some(_) => Ok(told(&self.look(key).await?)),
        }
    }

    pub(super) async fn prolong(&self, key: &ObjectKey, until: DateTime<Utc>) -> Result<(), Fault> {
        let Some(lock) = &self.extras.lock else {
            return Ok(());
        };
        let seen = self.look(key).await?;
        if told(&seen).is_some_and(|kept| kept >= until.trunc_subsecs(0)) {
            return Ok(());
        }
        let mode = seen.header(MODE).unwrap_or(lock.mode);
        let until = text(until);
        let subject = format!("lock {} until {until}", self.place.location(key));
        let body = format!(
            "<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>{mode}</Mode>\
             <RetainUntilDate>{until}</RetainUntilDate></Retention>"
        );
        // The store wants this one checksum here, even where it knows better ones.
        let md5 = base64(&Md5::digest(&body));
        let sha256 = Sha256::digest(&body).into();
        let ask = self
            .object(Method::PUT, key)
            .query("retention", "")
            .header("content-md5", md5)
            .body(body.into())
            .sha256(Some(sha256));
        let ask = of_version(ask, &seen);
        self.wire.send(self, &subject, &ask).await.map(drop)
    }
}
