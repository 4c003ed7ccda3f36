//! The row that shows people who holds the lease of a database. Holding it is holding a lock of
//! the server; the row decides nothing.

use chrono::{DateTime, Utc};
use respaldo_postgres::Session;
use uuid::Uuid;

use super::Fault;

/// What the lease is held for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseWork {
    /// A backup, by its run.
    Backup(Uuid),
    /// A restore in place.
    Restore,
    /// Removing backups, or writing beside old ones.
    Maintenance,
}

impl LeaseWork {
    /// The run, where it has a number.
    pub fn run(self) -> Option<Uuid> {
        match self {
            Self::Backup(run) => Some(run),
            Self::Restore | Self::Maintenance => None,
        }
    }
}

/// What a holder says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseHolder {
    /// Machine, process and the server's process that holds the lock: `host:pid/backend`.
    pub name: String,
    /// What it does.
    pub work: LeaseWork,
}

impl LeaseHolder {
    /// The process of this name at this work.
    pub fn new(host: &str, pid: u32, backend: i32, work: LeaseWork) -> Self {
        Self {
            name: format!("{host}:{pid}/{backend}"),
            work,
        }
    }
}

/// A row as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseSeen {
    /// As [`LeaseHolder::name`].
    pub name: String,
    /// The stored word for what it does.
    pub state: String,
    /// The run, where it has a number.
    pub run: Option<Uuid>,
    /// Since when it holds the lease, by the server's clock.
    pub taken_at: DateTime<Utc>,
    /// Its last heartbeat, by the server's clock.
    pub heartbeat_at: DateTime<Utc>,
}

impl LeaseSeen {
    /// Whether the row is of the holder whose lock this process of the server has.
    pub fn is_of(&self, backend: i32) -> bool {
        let own = self.name.rsplit_once('/').map(|(_, own)| own);
        own == Some(backend.to_string().as_str())
    }
}

/// Reads and writes the row in the database that is backed up, over a session of the caller's. Where
/// the table is not there or may not be written, writing does nothing.
pub trait LeaseRow: Send + Sync {
    /// Says that the holder lives; idempotent.
    fn write(&self, session: &mut Session, holder: &LeaseHolder) -> Result<(), Fault>;

    /// Says that nobody holds it, unless another has said so of itself since.
    fn clear(&self, session: &mut Session, holder: &LeaseHolder) -> Result<(), Fault>;

    /// Who is said to hold it, if anybody.
    fn read(&self, session: &mut Session) -> Result<Option<LeaseSeen>, Fault>;
}
