//! Reading the decoded log.
//!
//! The slot itself is never read from: it stays where the newest sealed backup needs it. What is
//! read is a temporary copy, which advances batch by batch - so neither we nor the server's
//! temporary files hold all of it - and is gone with its session.

use respaldo_engine::ports::{Context, Fault, FaultKind};
use respaldo_postgres::{PgError, PgErrorKind, Session, field, sql};

use super::fold::{Fold, Told};
use super::life;
use crate::slots::Lsn;

/// Why the log says nothing.
pub(super) enum Unread {
    /// The run is to stop.
    Stopped(Fault),
    /// For people.
    Because(String),
}

impl From<PgError> for Unread {
    fn from(error: PgError) -> Self {
        Self::Because(life::words(&error))
    }
}

impl From<Fault> for Unread {
    fn from(fault: Fault) -> Self {
        match fault.kind {
            FaultKind::Cancelled => Self::Stopped(fault),
            _ => Self::Because(fault.to_string()),
        }
    }
}

/// Makes everything up to `end` readable. Commits of sessions with `synchronous_commit = off` are
/// visible before they are written, and only what is written is decoded: one commit of our own,
/// which waits for the disk of this server alone, brings the rest along.
pub(super) fn flush(session: &mut Session, end: Lsn) -> Result<(), Unread> {
    session.batch(
        "BEGIN READ WRITE; SET LOCAL synchronous_commit = local; \
         SELECT pg_catalog.pg_logical_emit_message(true, 'respaldo', ''::text); COMMIT",
    )?;
    if life::position(session, "pg_current_wal_flush_lsn")? < end {
        let why = "the log is not written up to the snapshot";
        return Err(Unread::Because(why.to_owned()));
    }
    Ok(())
}

/// Reads the log of `slot` up to `end` into `fold`. `session` must be fit to be dropped.
pub(super) fn read(
    mut session: Session,
    slot: &str,
    end: Lsn,
    batch: i32,
    mut fold: Fold<'_>,
    cx: &Context,
) -> Result<Told, Unread> {
    let copy = copy(&mut session, slot)?;
    loop {
        cx.check().map_err(Unread::Stopped)?;
        let rows = read_batch(&mut session, &copy, end, batch, &mut fold, cx)?;
        if rows < i64::from(batch) {
            break;
        }
    }
    check_end(&mut session, &copy, end)?;
    let broken = || Unread::Because("the log breaks off within a transaction".to_owned());
    fold.finish(end).ok_or_else(broken)
}

fn copy(session: &mut Session, slot: &str) -> Result<String, PgError> {
    let copy = format!("respaldo_reads_{}", session.pid());
    session.rows(
        sql("SELECT pg_catalog.pg_copy_logical_replication_slot($1, $2, true)")
            .bind(slot)
            .bind(&copy),
    )?;
    Ok(copy)
}

/// Whole transactions, with the values cut off: only the names in front are of use. The longest
/// name, all of it quotes, is shorter than 400 letters; the list of a TRUNCATE may be longer.
const ROWS: &str = "SELECT pg_catalog.format('%s', c.lsn) AS lsn, \
    pg_catalog.format('%s', c.xid) AS xid, \
    CASE WHEN c.data LIKE 'message: %' THEN pg_catalog.left(c.data, 40) \
         WHEN c.data LIKE 'table %' AND pg_catalog.strpos(c.data, ': TRUNCATE:') = 0 \
         THEN pg_catalog.left(c.data, 400) ELSE c.data END AS data \
    FROM pg_catalog.pg_logical_slot_get_changes($1, $2::pg_catalog.pg_lsn, $3, \
         'include-xids', 'on', 'skip-empty-xacts', 'off', 'include-timestamp', 'off') AS c";

fn read_batch(
    session: &mut Session,
    copy: &str,
    end: Lsn,
    batch: i32,
    fold: &mut Fold<'_>,
    cx: &Context,
) -> Result<i64, Unread> {
    let question = sql(ROWS).bind(copy).bind(end.to_string()).bind(batch);
    let mut rows = 0;
    let mut unread = None;
    let outcome = session.each_row(question, |row| {
        rows += 1;
        if rows % 1000 == 0
            && let Err(fault) = cx.check()
        {
            unread = Some(Unread::Stopped(fault));
            return Err(stop());
        }
        let (lsn, xid) = (field::<String>(row, "lsn")?, field::<String>(row, "xid")?);
        let data: String = field(row, "data")?;
        let taken = Lsn::parse(&lsn)
            .zip(xid.parse().ok())
            .and_then(|(lsn, xid)| fold.take(lsn, xid, &data));
        taken.ok_or_else(|| {
            unread = Some(Unread::Because(not_understood(&data)));
            stop()
        })
    });
    match (outcome, unread) {
        (_, Some(unread)) => Err(unread),
        (Err(error), None) => Err(error.into()),
        (Ok(_), None) => Ok(rows),
    }
}

/// Nothing of the line itself is told but its first word: it may hold anybody's data.
fn not_understood(line: &str) -> String {
    let word = line.split([' ', ':']).next().unwrap_or_default();
    let word: String = word.chars().filter(char::is_ascii_alphabetic).collect();
    let word = word.get(..word.len().min(20)).unwrap_or_default();
    format!("the log has a line of an unknown kind (it begins with {word:?})")
}

/// Ends the reading of rows; the reason is kept beside.
fn stop() -> PgError {
    PgError {
        doing: "reading the log".to_owned(),
        kind: PgErrorKind::Cancelled,
        sqlstate: None,
        source: "stopped".into(),
    }
}

/// The server says itself how far it read.
fn check_end(session: &mut Session, copy: &str, end: Lsn) -> Result<(), Unread> {
    let row = session.row(
        sql(
            "SELECT pg_catalog.format('%s', s.confirmed_flush_lsn) AS lsn \
             FROM pg_catalog.pg_replication_slots AS s WHERE s.slot_name = $1::name",
        )
        .bind(copy),
    )?;
    let reached = Lsn::parse(&field::<String>(&row, "lsn")?);
    if reached.is_some_and(|reached| reached >= end) {
        return Ok(());
    }
    let why = "the log was not read up to the snapshot";
    Err(Unread::Because(why.to_owned()))
}
