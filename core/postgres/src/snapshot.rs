//! The snapshot a backup is of, and the fence that keeps DDL from emptying it.
//!
//! The snapshot lives in a session of its own that does nothing else than hold it, hold the table
//! locks and answer questions about the catalog as of then. What the catalog says *now* is asked
//! on a second session in autocommit; where that one read a print under the snapshot before, it has
//! left the snapshot.

mod fence;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, FixedOffset, Utc};
use respaldo_domain::table::TableFacts;

pub use fence::Fence;

use crate::conninfo::ConnInfo;
use crate::definitions::Print;
use crate::session::{PgError, PgErrorKind, Session, SessionOptions, sql};
use crate::{definitions, facts, server};

/// An exported snapshot, open until dropped.
pub struct Snapshot {
    session: Session,
    info: ConnInfo,
    options: SessionOptions,
    live: Option<Session>,
    id: String,
    taken_at: DateTime<FixedOffset>,
    lsn: Option<String>,
    print: Option<Print>,
}

/// A session that will hold a snapshot.
pub struct SnapshotSession {
    session: Session,
    info: ConnInfo,
    options: SessionOptions,
}

impl SnapshotSession {
    /// Opens one.
    pub fn connect(info: &ConnInfo, options: &SessionOptions) -> Result<Self, PgError> {
        let mut session = Session::connect(info, options)?;
        server::lift_time_limits(&mut session)?;
        Ok(Self {
            session,
            info: info.clone(),
            options: options.clone(),
        })
    }
}

impl Snapshot {
    /// Opens a session and takes a snapshot that others can share.
    pub fn open(info: &ConnInfo, options: &SessionOptions) -> Result<Self, PgError> {
        Self::take(SnapshotSession::connect(info, options)?)
    }

    /// Takes a snapshot that others can share.
    pub fn take(session: SnapshotSession) -> Result<Self, PgError> {
        let SnapshotSession {
            mut session,
            info,
            options,
        } = session;
        session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        let id = session.value(sql("SELECT pg_catalog.pg_export_snapshot()"))?;
        let taken_at: DateTime<Utc> = session.value(sql("SELECT pg_catalog.clock_timestamp()"))?;
        let lsn = server::lsn(&mut session)?;
        Ok(Self {
            session,
            info,
            options,
            live: None,
            id,
            taken_at: taken_at.fixed_offset(),
            lsn,
            print: None,
        })
    }

    /// What `SET TRANSACTION SNAPSHOT` takes.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The server's clock right after the snapshot was taken.
    pub fn taken_at(&self) -> DateTime<FixedOffset> {
        self.taken_at
    }

    /// WAL position right after the snapshot was taken.
    pub fn lsn(&self) -> Option<&str> {
        self.lsn.as_deref()
    }

    /// The session that holds it. An error in a statement ends the snapshot.
    pub fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Reads what definitions depend on. From then on the fence asks whether any row of the
    /// catalogs is another one before it reads what thousands of them say.
    pub fn read_print(&mut self) -> Result<(), PgError> {
        let (print, mut session) = definitions::print(&self.info, &self.options, &self.id)?;
        server::lift_time_limits(&mut session)?;
        self.print = print;
        self.live = Some(session);
        Ok(())
    }

    /// What definitions depend on, where that was read and can be told.
    pub fn print(&self) -> Option<&Print> {
        self.print.as_ref()
    }

    /// Every relation under the snapshot that is neither the system's nor temporary.
    pub fn tables(&mut self) -> Result<Vec<Arc<TableFacts>>, PgError> {
        facts::read(&mut self.session)
    }

    /// Locks what will be read against DDL and says whether the snapshot still tells the truth
    /// about all `tables`: TRUNCATE and rewrites between snapshot and lock would leave nothing to
    /// read. Only tables and partitioned tables this role may read are locked. After an error, or
    /// when overtaken, the snapshot is of no more use.
    pub fn lock_and_fence(
        &mut self,
        locked: &[Arc<TableFacts>],
        tables: &[Arc<TableFacts>],
        lock_timeout: Duration,
    ) -> Result<Fence, PgError> {
        if let Fence::Overtaken { what } = fence::lock(&mut self.session, locked, lock_timeout)? {
            return Ok(Fence::Overtaken { what });
        }
        // Where nothing is read any more, what was is as under the snapshot unless a table was given another file.
        let stands = match locked {
            [] => self.has_same_relations(),
            _ => self.has_same_catalogs(),
        };
        if stands {
            return Ok(Fence::Holds);
        }
        let now = facts::read(self.live()?)?;
        Ok(fence::compare(tables, &now))
    }

    /// Whether every relation is known to be still the one under the snapshot: of the same name, in the same file.
    fn has_same_relations(&mut self) -> bool {
        self.now(definitions::relations, Print::says)
    }

    /// Whether every row of the catalogs is known to be still the one under the snapshot.
    pub fn has_same_catalogs(&mut self) -> bool {
        self.now(definitions::catalogs, |then, now| then.catalogs == now)
    }

    /// Whether what is read now is `as_then`; no where one of them is not known. A session that waited for this may be
    /// lost: another is asked then.
    fn now(
        &mut self,
        read: impl Fn(&mut Session) -> Result<Option<String>, PgError>,
        as_then: impl FnOnce(&Print, &str) -> bool,
    ) -> bool {
        let Some(print) = self.print.clone() else {
            return false;
        };
        let waited = self.live.is_some();
        let mut now = self.live().and_then(&read);
        let is_lost = |error: &PgError| error.kind == PgErrorKind::Connection;
        if waited && now.as_ref().is_err_and(is_lost) {
            self.live = None;
            now = self.live().and_then(&read);
        }
        match now {
            Ok(now) => now.is_some_and(|now| as_then(&print, &now)),
            Err(error) => {
                tracing::debug!(%error, "what the catalogs say now could not be read");
                self.live = None;
                false
            }
        }
    }

    /// How many sessions wait for a lock that this one holds.
    pub fn waiters(&mut self) -> Result<u64, PgError> {
        let pid = self.session.pid();
        let count: i64 = self.live()?.value(
            sql("SELECT pg_catalog.count(*) FROM (SELECT DISTINCT l.pid \
                 FROM pg_catalog.pg_locks AS l WHERE NOT l.granted) AS w \
                 WHERE $1 = ANY (pg_catalog.pg_blocking_pids(w.pid))")
            .bind(pid),
        )?;
        Ok(count as u64)
    }

    /// Whether a type used by one of `tables` is no longer what it was under the snapshot. To be
    /// asked after the data was read: output functions look at the catalog of the moment, so an
    /// enum label renamed meanwhile is in the data and not in the schema.
    pub fn types_moved(&mut self, tables: &[Arc<TableFacts>]) -> Result<bool, PgError> {
        if tables.is_empty() || self.has_same_catalogs() {
            return Ok(false);
        }
        let now = facts::read(self.live()?)?;
        Ok(fence::types_differ(tables, &now))
    }

    /// The session in autocommit that is asked what the catalogs say now, with the settings of every session of ours.
    pub fn live(&mut self) -> Result<&mut Session, PgError> {
        if let Some(session) = self.live.take() {
            return Ok(self.live.insert(session));
        }
        let mut session = Session::connect(&self.info, &self.options)?;
        server::lift_time_limits(&mut session)?;
        Ok(self.live.insert(session))
    }
}
