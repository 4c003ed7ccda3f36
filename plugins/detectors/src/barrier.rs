//! The barrier: has every session reported what it wrote before the snapshot?
//!
//! PostgreSQL keeps counts in each backend and hands them over only when the backend becomes
//! idle, at most once a second, at the latest after ten seconds of idleness. Nobody can be forced
//! to; one can only watch. A session that existed at the snapshot is *clean* once it was seen
//!
//! * gone (its exit handed everything over; a crash would show in the epoch),
//! * idle for more than ten seconds, or
//! * idle after a query that began more than a second after the snapshot: the end of that query
//!   handed over, or somebody did less than a second before it, which is after the snapshot. The
//!   query's *beginning* counts: counts are compared with the time the transaction stopped, which
//!   is before its commit waited for disks or standbys.
//!
//! Everything else may hide a write: active sessions, transactions, sessions that hide what they
//! do, every background worker. Once clean is clean for ever.

mod watch;

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};

pub(crate) use watch::{own_process, sample};

/// The ten seconds after which an idle backend hands over, and a margin.
const IDLE_ENOUGH: TimeDelta = TimeDelta::milliseconds(10_500);
/// The second within which a backend does not hand over twice, and a margin.
const BEGAN_AFTER: TimeDelta = TimeDelta::milliseconds(1_100);
/// The minute after which handing over is no longer put off for a lock, and a margin.
const FORCED_AFTER: TimeDelta = TimeDelta::seconds(61);

/// Processes that write no rows of their own.
const HARMLESS: &[&str] = &[
    "parallel worker",
    "autovacuum worker",
    "walsender",
    "slotsync worker",
];

/// One session at one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sighting {
    pub seen_at: DateTime<Utc>,
    pub pid: i32,
    /// `None` where the role may not see it; so for everything below.
    pub started_at: Option<DateTime<Utc>>,
    pub backend_type: Option<String>,
    pub state: Option<String>,
    pub state_changed_at: Option<DateTime<Utc>>,
    pub query_started_at: Option<DateTime<Utc>>,
}

impl Sighting {
    fn is_harmless(&self) -> bool {
        self.backend_type
            .as_deref()
            .is_some_and(|kind| HARMLESS.contains(&kind))
    }

    fn is_idle_client(&self) -> bool {
        self.backend_type.as_deref() == Some("client backend")
            && self.state.as_deref() == Some("idle")
    }

    fn idle_time(&self) -> Option<TimeDelta> {
        self.state_changed_at
            .filter(|_| self.is_idle_client())
            .map(|since| self.seen_at.signed_duration_since(since))
    }
}

/// How much a look is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Timestamps of the server are.
    Server,
    /// Only what two looks agree on, by our own clock: the server's may jump, and a backend may
    /// put off handing over when a lock is taken at that very moment.
    Repetition,
}

/// A session that may hide a write the snapshot sees.
#[derive(Debug, Clone)]
struct Holder {
    latest: Sighting,
    /// Since when, by our clock, it was seen in the same spell of idleness.
    idle_seen: Option<(DateTime<Utc>, Duration)>,
    /// When it was first seen idle in a way that would do if no lock had been in the way.
    settled_at: Option<DateTime<Utc>>,
}

/// Sessions still to be watched.
#[derive(Debug, Clone)]
pub(crate) struct Barrier {
    snapshot_at: DateTime<Utc>,
    trust: Trust,
    holders: Vec<Holder>,
}

impl Barrier {
    /// Whom to watch, by the first look after the snapshot: every session but those that began
    /// after it, which cannot have written before it. `before` lists sessions seen before the
    /// snapshot: they are watched even if a clock that was set back says they began later. `own`
    /// is the process that holds the snapshot and has written nothing.
    pub fn new(
        snapshot_at: DateTime<FixedOffset>,
        trust: Trust,
        before: &BTreeSet<(i32, DateTime<Utc>)>,
        own: Option<i32>,
        first: &[Sighting],
    ) -> Self {
        let snapshot_at = snapshot_at.with_timezone(&Utc);
        let existed = |seen: &Sighting| {
            seen.started_at
                .is_none_or(|at| at <= snapshot_at || before.contains(&(seen.pid, at)))
        };
        let holders = first
            .iter()
            .filter(|seen| !seen.is_harmless() && Some(seen.pid) != own && existed(seen))
            .map(|seen| Holder {
                latest: seen.clone(),
                idle_seen: None,
                settled_at: None,
            })
            .collect();
        let mut barrier = Self {
            snapshot_at,
            trust,
            holders,
        };
        barrier.observe(first, Duration::ZERO);
        barrier
    }

    /// Takes another look into account; `elapsed` by our own clock since the first.
    pub fn observe(&mut self, seen: &[Sighting], elapsed: Duration) {
        let (snapshot_at, trust) = (self.snapshot_at, self.trust);
        self.holders.retain_mut(|holder| {
            let same = |seen: &&Sighting| {
                seen.pid == holder.latest.pid && seen.started_at == holder.latest.started_at
            };
            let Some(now) = seen.iter().find(same) else {
                return false;
            };
            holder.latest = now.clone();
            match trust {
                Trust::Server => !holder.is_clean(snapshot_at),
                Trust::Repetition => !holder.is_clean_twice(snapshot_at, elapsed),
            }
        });
    }

    /// Nobody can hide anything any more.
    pub fn is_complete(&self) -> bool {
        self.holders.is_empty()
    }

    /// How long until it is complete if everybody goes on as now; `None`: cannot be foreseen.
    pub fn foreseeable_wait(&self) -> Option<Duration> {
        let waits = self.holders.iter().map(|holder| {
            let idle = holder.latest.idle_time()?;
            Some((IDLE_ENOUGH - idle).to_std().unwrap_or_default())
        });
        waits
            .collect::<Option<Vec<_>>>()
            .map(|all| all.into_iter().max().unwrap_or_default())
    }

    /// Who is still in the way, for people.
    pub fn held_by(&self) -> Vec<String> {
        let describe = |holder: &Holder| {
            let kind = holder
                .latest
                .backend_type
                .as_deref()
                .unwrap_or("hidden process");
            let state = holder.latest.state.as_deref().unwrap_or("state unknown");
            format!("{kind} {} ({state})", holder.latest.pid)
        };
        self.holders.iter().map(describe).collect()
    }
}

impl Holder {
    fn is_clean(&self, snapshot_at: DateTime<Utc>) -> bool {
        self.latest
            .idle_time()
            .is_some_and(|idle| idle >= IDLE_ENOUGH)
            || self.began_after(snapshot_at)
    }

    fn began_after(&self, snapshot_at: DateTime<Utc>) -> bool {
        self.latest.is_idle_client()
            && self
                .latest
                .query_started_at
                .is_some_and(|at| at >= snapshot_at + BEGAN_AFTER)
    }

    fn is_clean_twice(&mut self, snapshot_at: DateTime<Utc>, elapsed: Duration) -> bool {
        let since = self
            .latest
            .state_changed_at
            .filter(|_| self.latest.is_idle_client());
        let Some(since) = since else {
            self.idle_seen = None;
            return false;
        };
        let first_seen = match self.idle_seen {
            Some((spell, first_seen)) if spell == since => first_seen,
            _ => self.idle_seen.insert((since, elapsed)).1,
        };
        if TimeDelta::from_std(elapsed.saturating_sub(first_seen))
            .is_ok_and(|idle| idle >= IDLE_ENOUGH)
        {
            return true;
        }
        if !self.began_after(snapshot_at) {
            return false;
        }
        let settled_at = *self.settled_at.get_or_insert(since);
        self.latest
            .query_started_at
            .is_some_and(|at| at > settled_at + FORCED_AFTER)
    }
}

#[cfg(test)]
mod tests;
