//! `logical-slot`: the server's own log, decoded, says which tables committed transactions wrote
//! to; whatever it does not clear is scanned as `xmin` does.
//!
//! 1. Before the snapshot S: find the slot, or make it (`life`).
//! 2. Advance the slot to the position that the newest *sealed* backup recorded. That its evidence
//!    is there to be read proves that it was sealed: a run that fails moves nothing.
//! 3. Take a position after S, and read the log up to it, from a copy of the slot (`reading`).
//! 4. A table is unchanged when the base's position lies not before the slot's, the catalog rows
//!    that name the table are the versions they were at the base - the log knows tables by their
//!    names - and no transaction that wrote to it is visible in S and was not in the base's
//!    snapshot (`fold`, `seen`).
//! 5. Record S and the position P before which S sees every commit, for 2 and 4 of later runs.
//!
//! **Why the log is complete.** Decoding leaves out a transaction whose commit stands in the log
//! before the slot's position. A commit stands there *before* others can see it, and how long
//! before has no bound. So the position must be one before which the base saw every commit: such
//! is P, and so is the position of a new slot once everything that ran when it was made has ended.
//!
//! Positions are those of one run of the server. Behind a failover, a crash without fsync or a
//! copied disk another log may stand at the same positions, witness or not: so the first backup
//! after a restart scans, and records anew.
//!
//! The slot may begin after the base's position - a differential's base is the full, and the
//! slot has moved on - or be another, or be gone. Then nothing is cleared by the log, and the
//! scans decide, which rest on nothing of all this.

mod fold;
mod life;
mod line;
mod reading;
mod seen;

use std::collections::{BTreeMap, HashMap, HashSet};

use respaldo_domain::changes::Reason;
use respaldo_domain::readings::Evidence;
use respaldo_domain::table::{Oid, Persistence, TableName};
use respaldo_engine::ports::{
    ChangeDetector, Context, Detection, DetectionRequest, Fault, LineageStatus, SourceTarget,
};
use respaldo_postgres::{PgError, Session, field, sql};
use serde_json::Value;

use crate::comparison::Comparison;
use crate::evidence::{LogMark, decode, encode};
use crate::options::DetectorOptions;
use crate::sessions;
use crate::signals::Basis;
use crate::slots::{Lsn, Slot};
use crate::subject::{State, Subject};

use fold::{Fold, Told};
use life::{Held, Prepared};
use reading::Unread;
use seen::Seen;

pub(crate) const NAME: &str = crate::slots::DETECTOR;

/// Figures that the next run needs: the slot, the snapshot, and the position before which the
/// snapshot sees every commit.
const SLOT: &str = "slot";
const SNAPSHOT: &str = "slot_snapshot";
const POSITION: &str = "slot_position";

/// The decoded log, the fingerprint for the rest.
#[derive(Debug)]
pub(crate) struct LogicalSlot {
    options: DetectorOptions,
}

impl LogicalSlot {
    pub fn new(options: DetectorOptions) -> Self {
        Self { options }
    }
}

impl ChangeDetector for LogicalSlot {
    fn name(&self) -> &str {
        NAME
    }

    fn baseline(&self, target: &SourceTarget, cx: &Context) -> Result<Option<Evidence>, Fault> {
        cx.check()?;
        life::prepare(target, &self.options, cx).map(|prepared| encode(&prepared))
    }

    fn verdicts(&self, request: &DetectionRequest, cx: &Context) -> Result<Detection, Fault> {
        let mut comparison = Comparison::begin(NAME, Basis::Xmin, request, &self.options)?;
        match clear_by_log(&mut comparison, cx) {
            Ok(()) => {}
            Err(Unread::Stopped(fault)) => return Err(fault),
            Err(Unread::Because(why)) => comparison.limited.push(why),
        }
        comparison.scan_the_rest(cx)?;
        Ok(comparison.conclude())
    }
}

/// What a sealed backup recorded of its moment.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Moment {
    slot: String,
    snapshot: Seen,
    position: Lsn,
}

impl Moment {
    fn of(figures: &BTreeMap<String, Value>) -> Option<Self> {
        let text = |name| figures.get(name).and_then(Value::as_str);
        Some(Self {
            slot: text(SLOT)?.to_owned(),
            snapshot: Seen::parse(text(SNAPSHOT)?)?,
            position: Lsn::parse(text(POSITION)?)?,
        })
    }
}

/// The moments of the backups before this one, where their positions still mean something. A witness
/// proves what the snapshot saw and no more: after a failover or a crash others' commits may stand
/// where the recorded position was.
#[derive(Debug, Default)]
struct Past {
    base: Option<Moment>,
    /// Of the newest sealed backup of the chain, the base itself or a later one.
    newest: Option<Moment>,
}

impl Past {
    fn of(request: &DetectionRequest) -> Self {
        let base = request.base.as_deref();
        let Some(base) = base.filter(|base| base.lineage == LineageStatus::Same) else {
            return Self::default();
        };
        let of_base = Moment::of(&base.readings.figures).filter(|_| base.readings.detector == NAME);
        Self {
            newest: Moment::of(&base.learnt).or_else(|| of_base.clone()),
            base: of_base,
        }
    }

    /// The base, where a log from this position on tells all that happened since.
    fn base_since(&self, held: &Held, from: Lsn) -> Option<&Moment> {
        let reached = |m: &&Moment| m.slot == held.name && from <= m.position;
        self.base.as_ref().filter(reached)
    }

    /// Says when the slot that the past knows is not the one that is there.
    fn missed(&self, held: &Held) -> Option<String> {
        let known = self.newest.as_ref().filter(|m| m.slot != held.name)?;
        let (gone, now) = (&known.slot, &held.name);
        Some(format!(
            "slot {gone} is not there any more (dropped, or lost in a failover or restore); \
             {now} takes its place from the next backup on"
        ))
    }
}

fn clear_by_log(comparison: &mut Comparison<'_>, cx: &Context) -> Result<(), Unread> {
    let prepared: Prepared = decode(comparison.request.baseline.as_ref()).unwrap_or_default();
    comparison.limited.extend(prepared.limited);
    let Some(held) = prepared.slot else {
        return Ok(());
    };
    let past = Past::of(comparison.request);
    comparison.limited.extend(past.missed(&held));
    let (now, marks) = under_snapshot(comparison)?;
    let Some((from, told)) = read_log(comparison, &held, &past, &now, cx)? else {
        return Ok(());
    };
    if let Some(base) = past.base_since(&held, from) {
        clear(comparison, &base.snapshot, &marks, &told);
    } else if let Some(reading) = &comparison.request.base {
        comparison.note("log", why_not(reading.lineage));
    }
    if sees_all_before(&held, &past, from, &now) {
        record(comparison, &held, &now, told.position, marks);
    } else {
        comparison.limited.push(format!(
            "slot {} is of use only later: a transaction has been open since before this backup \
             began",
            held.name
        ));
    }
    Ok(())
}

/// Reads the log from where the slot begins, which is told too, to a position after the snapshot.
/// `None`: the slot is no more.
fn read_log(
    comparison: &mut Comparison<'_>,
    held: &Held,
    past: &Past,
    now: &Seen,
    cx: &Context,
) -> Result<Option<(Lsn, Told)>, Unread> {
    let (target, options) = (&comparison.request.target, comparison.options);
    let mut session = sessions::monitor(target, options)?;
    let end = life::position(&mut session, "pg_current_wal_insert_lsn")?;
    let Some(from) = forget(comparison, &mut session, held, past)? else {
        return Ok(None);
    };
    if from > end {
        // Brought along from another server. What is written up to there would be skipped.
        let why = format!("slot {} begins ahead of the log", held.name);
        return Err(Unread::Because(why));
    }
    reading::flush(&mut session, end)?;
    let then = past.base_since(held, from).map(|base| &base.snapshot);
    let fold = Fold::new(now, then, from);
    let told = reading::read(session, &held.name, end, options.slot_batch, fold, cx)?;
    comparison.note("log_transactions", told.transactions);
    comparison.note("log_changes", told.changes);
    Ok(Some((from, told)))
}

/// Why the log says nothing of the time since a base.
fn why_not(lineage: LineageStatus) -> &'static str {
    match lineage {
        LineageStatus::Same => "the slot does not reach back to the base",
        LineageStatus::Witnessed | LineageStatus::Broken => {
            "the server was restarted since the base"
        }
    }
}

/// Advances the slot as far as sealed backups allow, and drops it where it holds too much. Gives
/// the position from which the log can be read.
fn forget(
    comparison: &mut Comparison<'_>,
    session: &mut Session,
    held: &Held,
    past: &Past,
) -> Result<Option<Lsn>, Unread> {
    let gone = || Unread::Because(format!("slot {} is gone", held.name));
    let mut slot = life::find(session, &held.name)?.ok_or_else(gone)?;
    let newest = past.newest.as_ref().filter(|m| m.slot == held.name);
    if let Some(newest) = newest.filter(|m| slot.confirmed.is_some_and(|from| from < m.position)) {
        life::advance(session, &held.name, newest.position)?;
        slot = life::find(session, &held.name)?.ok_or_else(gone)?;
    }
    comparison.note("slot_retained_bytes", slot.retained_bytes);
    let Some(why) = too_much(&slot, comparison.options) else {
        return Ok(slot.confirmed);
    };
    comparison
        .limited
        .push(life::drop_slot(session, &slot, &why));
    Ok(None)
}

/// Why the slot is to go; `None` when it may stay.
fn too_much(slot: &Slot, options: &DetectorOptions) -> Option<String> {
    if slot.is_lost() {
        return Some("it can no longer be read from".to_owned());
    }
    let (retained, limit) = (slot.retained_bytes.unwrap_or(0), options.slot_max_bytes);
    (retained > limit).then(|| {
        format!("it holds {retained} bytes of WAL, and detector.slot_max_bytes is {limit}")
    })
}

/// Whether the snapshot sees every commit before `from`: because an earlier one saw them, or
/// because all that ran after the slot was there has ended.
fn sees_all_before(held: &Held, past: &Past, from: Lsn, now: &Seen) -> bool {
    let moments = [&past.base, &past.newest];
    let earlier = moments.into_iter().flatten();
    let as_earlier = |m: &Moment| m.slot == held.name && from <= m.position;
    let unmoved = Lsn::parse(&held.confirmed) == Some(from);
    earlier.into_iter().any(as_earlier) || (unmoved && held.precedes(now))
}

/// The snapshot itself, and what names each table under it.
fn under_snapshot(comparison: &Comparison<'_>) -> Result<(Seen, HashMap<Oid, LogMark>), Unread> {
    let request = comparison.request;
    let session = sessions::in_snapshot(request, comparison.options);
    let mut session = session?;
    let text = life::snapshot_text(&mut session)?;
    let unreadable = || Unread::Because("the snapshot's text cannot be read".to_owned());
    let now = Seen::parse(&text).ok_or_else(unreadable)?;
    let marks = names(&mut session, &now.hash())?;
    Ok((now, marks))
}

/// The versions of the rows in pg_class and pg_namespace that make a table's name. Renaming and
/// renaming back leaves another version; so does every rewrite of its file.
fn names(session: &mut Session, snapshot: &str) -> Result<HashMap<Oid, LogMark>, PgError> {
    let question = sql(
        "SELECT c.oid::int8 AS oid, pg_catalog.format('%s/%s/%s/%s', \
         c.xmin, c.relfilenode, n.oid, n.xmin) AS name \
         FROM pg_catalog.pg_class AS c \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE c.relkind = 'r' AND c.oid >= 16384",
    );
    let marks = session.each_row(question, |row| {
        let mark = LogMark {
            snapshot: snapshot.to_owned(),
            name: field(row, "name")?,
        };
        Ok((Oid(field::<i64>(row, "oid")? as u32), mark))
    })?;
    Ok(marks.into_iter().collect())
}

/// Clears what the log says nothing of, where it would have said something.
fn clear(comparison: &mut Comparison<'_>, base: &Seen, marks: &HashMap<Oid, LogMark>, told: &Told) {
    let tables = comparison.request.tables.iter();
    let logged: HashSet<_> = tables
        .filter(|facts| facts.persistence == Persistence::Permanent)
        .map(|facts| facts.oid)
        .collect();
    let base = base.hash();
    let mut cleared = 0_u64;
    for subject in &mut comparison.subjects {
        let mark = marks.get(&subject.key);
        if logged.contains(&subject.key) && is_silent(subject, &base, mark, &told.changed) {
            subject.clear(Reason::LogSilent);
            cleared += 1;
        }
    }
    comparison.note("cleared_by_log", cleared);
}

/// Whether the log would have named the table, by the name it has now, and did not. Names that are
/// nobody's now are of tables that were dropped or renamed: no table with an unchanged name.
fn is_silent(
    subject: &Subject,
    base: &str,
    mark: Option<&LogMark>,
    changed: &HashSet<TableName>,
) -> bool {
    let (State::Candidate(then), Some(now), Some(table)) = (&subject.state, mark, &subject.table)
    else {
        return false;
    };
    let same_name = |then: &LogMark| then.snapshot == base && then.name == now.name;
    then.print.is_some() && then.mark.as_ref().is_some_and(same_name) && !changed.contains(table)
}

/// What later runs need, of the backup as a whole and of each table.
fn record(
    comparison: &mut Comparison<'_>,
    held: &Held,
    now: &Seen,
    position: Lsn,
    mut marks: HashMap<Oid, LogMark>,
) {
    comparison.note(SLOT, held.name.as_str());
    comparison.note(SNAPSHOT, now.text());
    comparison.note(POSITION, position.to_string());
    for subject in &mut comparison.subjects {
        subject.mark = marks.remove(&subject.key);
    }
}
