//! The life of the slot: made before a snapshot, advanced after a seal, dropped at its limit.
//!
//! Never is more held than `slot_max_bytes` at the end of a run, and never is a slot made where
//! nothing would bound it if respaldo were not run again.

use std::time::{Duration, Instant};

use respaldo_engine::ports::{Context, Fault, SourceTarget};
use respaldo_postgres::{PgError, PgErrorKind, Session, field, sql};
use serde::{Deserialize, Serialize};

use super::seen::Seen;
use crate::options::DetectorOptions;
use crate::sessions;
use crate::slots::{self, Lsn, ServerLimit, Slot, Survey};

/// What was found, made or missing before the snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Prepared {
    pub slot: Option<Held>,
    /// What an operator should know, such as why there is no slot.
    pub limited: Vec<String>,
}

/// A slot to read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    pub name: String,
    /// Where reading began, before `next` was asked for.
    pub confirmed: String,
    /// A transaction id given out after that: whatever has its commit before `confirmed` has a
    /// lower one. A snapshot's own end would not do: what began after it and writes its commit
    /// without having ended is not below it.
    pub next: i64,
}

impl Held {
    /// Whether a snapshot sees whatever had its commit before the slot began.
    pub fn precedes(&self, snapshot: &Seen) -> bool {
        u64::try_from(self.next).is_ok_and(|next| snapshot.ended_all_before(next))
    }
}

/// How often it is looked whether old transactions have ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Finds the slot, or makes it; whatever stands in the way is told, and is no fault.
pub(super) fn prepare(
    target: &SourceTarget,
    options: &DetectorOptions,
    cx: &Context,
) -> Result<Prepared, Fault> {
    let mut prepared = Prepared::default();
    let mut session = sessions::monitor(target, options)?;
    match find_or_make(&mut session, target, options, &mut prepared.limited, cx) {
        Ok(slot) => prepared.slot = slot,
        Err(Stop::Fault(fault)) => return Err(fault),
        Err(Stop::Error(error)) => prepared.limited.push(words(&error)),
    }
    Ok(prepared)
}

/// Why preparing ended early.
enum Stop {
    Fault(Fault),
    Error(PgError),
}

impl From<PgError> for Stop {
    fn from(error: PgError) -> Self {
        Self::Error(error)
    }
}

/// An error for people.
pub(super) fn words(error: &PgError) -> String {
    format!("the slot cannot be used: {error}: {}", error.source)
}

fn find_or_make(
    session: &mut Session,
    target: &SourceTarget,
    options: &DetectorOptions,
    limited: &mut Vec<String>,
    cx: &Context,
) -> Result<Option<Held>, Stop> {
    let survey = slots::survey(session)?;
    if let Some(obstacle) = survey.obstacle(&target.facts) {
        limited.push(format!("there is no slot: {obstacle}"));
        return Ok(None);
    }
    let database = target.facts.lineage.database_oid;
    let prefix = slots::prefix(&options.slot_owner, database);
    let (kept, unusable) = ours(&survey, &prefix);
    for slot in &unusable {
        limited.push(drop_slot(session, slot, "it can no longer be read from"));
    }
    match kept {
        Some(slot) => hold(session, &slot.name, options, cx).map(Some),
        // What was dropped just now is made again by the next run: first people should know.
        None if !unusable.is_empty() => Ok(None),
        None => make(session, target, &survey, options, limited, cx),
    }
}

/// Takes note of a slot, and waits until what runs has ended: the snapshot that is taken next then
/// sees whatever had its commit before the slot began. Where it does not end, and no earlier
/// backup proves as much, the slot serves from a later backup on.
fn hold(
    session: &mut Session,
    name: &str,
    options: &DetectorOptions,
    cx: &Context,
) -> Result<Held, Stop> {
    let held = held(session, name)?;
    drain(session, &held, options.slot_wait(), cx)?;
    Ok(held)
}

/// The slot that holds most, and those that are of no use, or one too many.
fn ours(survey: &Survey, prefix: &str) -> (Option<Slot>, Vec<Slot>) {
    let ours = survey.slots.iter().filter(|s| s.name.starts_with(prefix));
    let (mut lost, mut sound): (Vec<_>, Vec<_>) = ours.cloned().partition(Slot::is_lost);
    sound.sort_by_key(|slot| std::cmp::Reverse(slot.confirmed));
    let kept = sound.pop();
    lost.extend(sound);
    (kept, lost)
}

/// Drops a slot and says why; where that fails, says what a person is to run.
pub(super) fn drop_slot(session: &mut Session, slot: &Slot, why: &str) -> String {
    let name = &slot.name;
    match session.rows(sql("SELECT pg_catalog.pg_drop_replication_slot($1)").bind(name)) {
        Ok(_) => format!("slot {name} was dropped: {why}; the next backup makes another"),
        Err(error) => format!(
            "slot {name} should go: {why}; dropping it failed ({}): {}",
            error.source,
            slot.drop_statement()
        ),
    }
}

fn make(
    session: &mut Session,
    target: &SourceTarget,
    survey: &Survey,
    options: &DetectorOptions,
    limited: &mut Vec<String>,
    cx: &Context,
) -> Result<Option<Held>, Stop> {
    if let Some(why) = unbounded(survey.limit, options) {
        limited.push(why);
        return Ok(None);
    }
    let name = new_name(session, target, options)?;
    if let Err(error) = create(target, options, &name) {
        limited.push(not_made(&error, options));
        return Ok(None);
    }
    tracing::info!(slot = %name, "made a replication slot");
    hold(session, &name, options, cx).map(Some)
}

/// Why no slot is made here; `None` where the server, or the operator's word, bounds it.
fn unbounded(limit: ServerLimit, options: &DetectorOptions) -> Option<String> {
    if options.slot_allow_unlimited {
        return None;
    }
    let why = match limit {
        ServerLimit::Bytes(_) => return None,
        ServerLimit::Unlimited => "max_slot_wal_keep_size is -1",
        ServerLimit::Missing => "before PostgreSQL 13 nothing limits a slot",
    };
    let remedy = match limit {
        ServerLimit::Missing => String::new(),
        _ => format!(
            "; as a superuser: {}",
            slots::limit_statement(options.slot_max_bytes)
        ),
    };
    Some(format!(
        "no slot is made: {why}, so it would fill the server's disk if respaldo were not run \
         any more{remedy}; or set detector.slot_allow_unlimited"
    ))
}

/// No two generations have the same: each is made at another position.
fn new_name(
    session: &mut Session,
    target: &SourceTarget,
    options: &DetectorOptions,
) -> Result<String, PgError> {
    let prefix = slots::prefix(&options.slot_owner, target.facts.lineage.database_oid);
    let at = position(session, "pg_current_wal_insert_lsn")?;
    Ok(format!("{prefix}{:016x}", at.0))
}

/// Waits for every transaction that is open, but not for long: one may be open for days. Where the
/// server gives up nothing is left of the slot.
fn create(target: &SourceTarget, options: &DetectorOptions, name: &str) -> Result<(), PgError> {
    let mut session = sessions::waiting(target, options.slot_wait())?;
    let question = "SELECT pg_catalog.pg_create_logical_replication_slot($1, 'test_decoding')";
    session.rows(sql(question).bind(name)).map(drop)
}

fn not_made(error: &PgError, options: &DetectorOptions) -> String {
    let why = match error.kind {
        PgErrorKind::Cancelled | PgErrorKind::LockTimeout => format!(
            "a transaction that was open before, or is prepared, did not end within {} s",
            options.slot_wait().as_secs_f64()
        ),
        _ => error.source.to_string(),
    };
    format!("the slot could not be made: {why}")
}

/// Where reading begins, and only then what runs.
fn held(session: &mut Session, name: &str) -> Result<Held, PgError> {
    let confirmed = find(session, name)?.and_then(|slot| slot.confirmed);
    let confirmed = confirmed.unwrap_or_default();
    let ahead = confirmed > position(session, "pg_current_wal_insert_lsn")?;
    Ok(Held {
        name: name.to_owned(),
        confirmed: confirmed.to_string(),
        // Of a slot brought along from another server nothing is known.
        next: if ahead { i64::MAX } else { next_xid(session)? },
    })
}

/// A transaction id of our own, the newest of all. Nobody waits for others' disks because of it.
fn next_xid(session: &mut Session) -> Result<i64, PgError> {
    session.batch("SET synchronous_commit = local")?;
    session.value(sql("SELECT pg_catalog.txid_current()"))
}

/// The slot as it is now.
pub(super) fn find(session: &mut Session, name: &str) -> Result<Option<Slot>, PgError> {
    let survey = slots::survey(session)?;
    Ok(survey.slots.into_iter().find(|slot| slot.name == name))
}

/// The snapshot the session has now, or inside a transaction.
pub(super) fn snapshot_text(session: &mut Session) -> Result<String, PgError> {
    session.value(sql(
        "SELECT pg_catalog.format('%s', pg_catalog.txid_current_snapshot())",
    ))
}

fn drain(session: &mut Session, held: &Held, patience: Duration, cx: &Context) -> Result<(), Stop> {
    let started = Instant::now();
    while started.elapsed() < patience {
        cx.check().map_err(Stop::Fault)?;
        let now = Seen::parse(&snapshot_text(session)?);
        if now.is_some_and(|now| held.precedes(&now)) {
            return Ok(());
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// What one of the server's functions says of the WAL.
pub(super) fn position(session: &mut Session, function: &str) -> Result<Lsn, PgError> {
    let row = session.row(sql(format!(
        "SELECT pg_catalog.format('%s', pg_catalog.{function}()) AS lsn"
    )))?;
    let text: String = field(&row, "lsn")?;
    Ok(Lsn::parse(&text).unwrap_or_default())
}

/// Lets the server forget the log before `to`.
pub(super) fn advance(session: &mut Session, name: &str, to: Lsn) -> Result<(), PgError> {
    let question = "SELECT pg_catalog.pg_replication_slot_advance($1, $2::pg_catalog.pg_lsn)";
    let to = to.to_string();
    session.rows(sql(question).bind(name).bind(to)).map(drop)
}

#[cfg(test)]
mod tests {
    use respaldo_domain::table::Oid;

    use super::*;

    fn slot(name: &str, confirmed: u64, status: &str) -> Slot {
        Slot {
            name: name.to_owned(),
            database: Oid(1),
            database_name: String::new(),
            active: false,
            retained_bytes: Some(0),
            status: Some(status.to_owned()),
            confirmed: Some(Lsn(confirmed)),
        }
    }

    #[test]
    fn the_slot_that_holds_most_is_kept_and_lost_ones_are_not() {
        let survey = Survey {
            slots: vec![
                slot("a_1", 5, "lost"),
                slot("a_2", 20, "reserved"),
                slot("a_3", 10, "extended"),
                slot("b_1", 1, "reserved"),
            ],
            wal_level: "logical".to_owned(),
            limit: ServerLimit::Unlimited,
            may_replicate: true,
        };
        let (kept, unusable) = ours(&survey, "a_");
        let names: Vec<_> = unusable.iter().map(|slot| slot.name.as_str()).collect();
        assert_eq!(kept.unwrap().name, "a_3");
        assert_eq!(names, ["a_1", "a_2"]);
    }

    #[test]
    fn without_a_limit_of_the_servers_no_slot_is_made_unless_it_is_allowed() {
        let mut options = DetectorOptions::default();
        assert_eq!(unbounded(ServerLimit::Bytes(1), &options), None);
        let said = unbounded(ServerLimit::Unlimited, &options).unwrap();
        assert!(said.contains("ALTER SYSTEM SET max_slot_wal_keep_size = '8192MB'"));
        assert!(unbounded(ServerLimit::Missing, &options).is_some());
        options.slot_allow_unlimited = true;
        assert_eq!(unbounded(ServerLimit::Unlimited, &options), None);
    }
}
