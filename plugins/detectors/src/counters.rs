//! The server's counters of row writes, and when they may be compared.
//!
//! A vector read before a snapshot holds no write that the snapshot does not see; one read behind
//! a barrier after a snapshot holds every write that it does see. So where the later one equals
//! the earlier one of the same epoch, nothing was written in between.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use respaldo_domain::source::SourceFacts;
use respaldo_domain::table::Oid;
use respaldo_engine::faults::step;
use respaldo_engine::ports::Fault;
use respaldo_postgres::{PgError, Session, field, sql};
use serde::{Deserialize, Serialize};

use crate::evidence::CounterEvidence;

/// Rows inserted, updated, deleted since the counters began. Compared component by component: a
/// sum could hide one that was reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Vector(pub [i64; 3]);

/// What changes whenever counters are reset, by hand or by crash recovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Epoch(pub String);

/// All counters at one moment of one epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reading {
    pub epoch: Epoch,
    vectors: BTreeMap<u32, Vector>,
}

/// What must be read before the snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Baseline {
    /// The counters; `None` where they prove nothing here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
    /// Sessions that existed before the snapshot, whatever the clocks say.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub sessions: BTreeSet<(i32, DateTime<Utc>)>,
}

impl Reading {
    /// Whether the table's counters stand where they stood, in the same epoch and file.
    pub fn repeats(&self, oid: Oid, relfilenode: u32, then: &CounterEvidence) -> bool {
        self.epoch == then.epoch
            && relfilenode == then.relfilenode
            && self.vectors.get(&oid.0) == Some(&then.vector)
    }

    /// What to keep of a table; `None` where it was created after the reading.
    pub fn evidence(&self, oid: Oid, relfilenode: u32) -> Option<CounterEvidence> {
        let vector = *self.vectors.get(&oid.0)?;
        Some(CounterEvidence {
            vector,
            epoch: self.epoch.clone(),
            relfilenode,
        })
    }
}

/// A reset may have zeroed a counter and not told the epoch yet: that is looked at again this long after the counters.
const RESET_IS_TOLD_IN: Duration = Duration::from_millis(50);
const ATTEMPTS: usize = 5;
/// A reset may have told the epoch and not zeroed a counter yet. It goes over all of them, which takes this long at most.
const RESET_SECONDS: f64 = 1.0;
/// How often it is looked at whether that time has passed, and for how long.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const LOOKS: usize = 20;

/// What is to be compared with later readings; `None` when resets keep coming. A reset from now on begins another
/// epoch, in which no reading repeats this one; what was zeroed before must all have been.
pub(crate) fn read_before(session: &mut Session) -> Result<Option<Reading>, Fault> {
    for _ in 0..LOOKS {
        let (epoch, is_settled) = epoch(session)?;
        if is_settled {
            step("detector.counters")?;
            let vectors = vectors(session)?;
            return Ok(Some(Reading { epoch, vectors }));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(None)
}

/// What is compared with an earlier reading: all counters within one epoch; `None` when resets keep coming.
pub(crate) fn read(session: &mut Session) -> Result<Option<Reading>, Fault> {
    let (mut epoch, _) = epoch(session)?;
    for _ in 0..ATTEMPTS {
        step("detector.counters")?;
        let vectors = vectors(session)?;
        std::thread::sleep(RESET_IS_TOLD_IN);
        let (after, _) = self::epoch(session)?;
        if after == epoch {
            return Ok(Some(Reading { epoch, vectors }));
        }
        epoch = after;
    }
    Ok(None)
}

/// The epoch, and whether the last reset is long enough ago to be over. All of it is readable by any role. The first
/// time tells resets by hand, the others crashes.
fn epoch(session: &mut Session) -> Result<(Epoch, bool), PgError> {
    let question = sql("SELECT pg_catalog.format('%s|%s|%s|%s', r.d, r.a, r.b, r.w) AS epoch, \
         COALESCE(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - GREATEST(r.d, r.a, r.b, r.w)) >= $1, true) \
           AS is_settled \
         FROM (SELECT (SELECT d.stats_reset FROM pg_catalog.pg_stat_database AS d \
             WHERE d.datname = pg_catalog.current_database()) AS d, \
           (SELECT a.stats_reset FROM pg_catalog.pg_stat_archiver AS a) AS a, \
           (SELECT b.stats_reset FROM pg_catalog.pg_stat_bgwriter AS b) AS b, \
           (SELECT w.stats_reset FROM pg_catalog.pg_stat_wal AS w) AS w) AS r")
    .bind(RESET_SECONDS);
    let row = session.row(question)?;
    Ok((Epoch(field(&row, "epoch")?), field(&row, "is_settled")?))
}

/// Counters of every table, and of the large objects' pages.
fn vectors(session: &mut Session) -> Result<BTreeMap<u32, Vector>, PgError> {
    let question = sql("SELECT c.oid::int8 AS oid, \
         pg_catalog.pg_stat_get_tuples_inserted(c.oid) AS inserted, \
         pg_catalog.pg_stat_get_tuples_updated(c.oid) AS updated, \
         pg_catalog.pg_stat_get_tuples_deleted(c.oid) AS deleted \
         FROM pg_catalog.pg_class AS c \
         WHERE c.relkind = 'r' AND (c.oid >= 16384 OR c.oid = 2613)");
    let vectors = session.each_row(question, |row| {
        let vector = Vector([
            field(row, "inserted")?,
            field(row, "updated")?,
            field(row, "deleted")?,
        ]);
        Ok((field::<i64>(row, "oid")? as u32, vector))
    })?;
    Ok(vectors.into_iter().collect())
}

/// Why counters prove nothing on this server for this role; `None` where they may.
pub(crate) fn obstacle(
    session: &mut Session,
    facts: &SourceFacts,
) -> Result<Option<&'static str>, Fault> {
    if facts.server_version_num < 150_000 {
        return Ok(Some(
            "before PostgreSQL 15 counts are lost and arrive late without bound",
        ));
    }
    if facts.in_recovery {
        return Ok(Some("a standby counts nothing"));
    }
    if !facts.reads_all_stats {
        return Ok(Some(
            "the role cannot see other sessions (grant pg_read_all_stats)",
        ));
    }
    Ok(may_be_switched_off(session)?.then_some("track_counts is off, or may be switched off"))
}

/// Whether somebody is configured, or allowed, to write uncounted.
fn may_be_switched_off(session: &mut Session) -> Result<bool, PgError> {
    session.value(sql(
        "SELECT pg_catalog.current_setting('track_counts') <> 'on' \
         OR EXISTS (SELECT FROM pg_catalog.pg_db_role_setting AS s \
              CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c \
              WHERE pg_catalog.lower(c) LIKE 'track\\_counts=%') \
         OR EXISTS (SELECT FROM pg_catalog.pg_proc AS p \
              CROSS JOIN LATERAL pg_catalog.unnest(p.proconfig) AS c \
              WHERE pg_catalog.lower(c) LIKE 'track\\_counts=%') \
         OR EXISTS (SELECT FROM pg_catalog.pg_parameter_acl AS a \
              WHERE a.parname = 'track_counts')",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(epoch: &str, vector: [i64; 3]) -> Reading {
        let vectors = BTreeMap::from([(1, Vector(vector))]);
        Reading {
            epoch: Epoch(epoch.to_owned()),
            vectors,
        }
    }

    #[test]
    fn counters_repeat_only_in_the_same_epoch_file_and_components() {
        let then = reading("e", [3, 2, 1]).evidence(Oid(1), 7).unwrap();
        assert!(reading("e", [3, 2, 1]).repeats(Oid(1), 7, &then));
        assert!(!reading("f", [3, 2, 1]).repeats(Oid(1), 7, &then));
        assert!(!reading("e", [2, 3, 1]).repeats(Oid(1), 7, &then));
        assert!(!reading("e", [3, 2, 1]).repeats(Oid(1), 8, &then));
        assert!(!reading("e", [3, 2, 1]).repeats(Oid(2), 7, &then));
    }

    #[test]
    fn a_table_born_after_the_reading_has_no_baseline() {
        assert_eq!(reading("e", [0, 0, 0]).evidence(Oid(2), 7), None);
    }

    #[test]
    fn a_baseline_is_read_back_as_it_was_written() {
        let baseline = Baseline {
            reading: Some(reading("e", [1, 2, 3])),
            sessions: BTreeSet::from([(7, DateTime::UNIX_EPOCH)]),
        };
        let text = serde_json::to_value(&baseline).unwrap();
        assert_eq!(serde_json::from_value::<Baseline>(text).unwrap(), baseline);
    }
}
