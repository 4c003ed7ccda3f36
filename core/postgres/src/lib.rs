//! PostgreSQL from a client's side: how to connect, who the server is, what its catalog says
//! under a snapshot, and the stock tools (pg_dump, pg_restore, psql) run as child processes.
//!
//! Everything here blocks. sqlx runs on a small runtime of this crate's own; flows call from
//! ordinary threads (never from an asynchronous worker, where blocking would stall others).

mod conninfo;
mod copy_binary;
mod copying;
pub mod coverage;
pub mod databases;
pub mod definitions;
mod facts;
pub mod omissions;
mod parting;
mod passfile;
pub mod roles;
mod rows;
mod runtime;
pub mod server;
mod session;
mod snapshot;
mod sockets;
mod tools;

pub use conninfo::{ConnInfo, ConnInfoError};
pub use copy_binary::BinaryRows;
pub use copying::{CopyOut, CopySession};
// For those who know nothing else of the domain.
pub use passfile::password_in_file;
pub use respaldo_domain::source::DatabaseProperties;
pub use respaldo_domain::table::{quote_identifier, quote_literal};
pub use rows::field;
pub use runtime::block_on;
pub use session::{CopyIn, PgError, PgErrorKind, Session, SessionOptions, Statement, sql};
pub use snapshot::{Fence, Snapshot, SnapshotSession};
pub use tools::{
    ArchiveTools, Finished, LazyTools, Looked, RunningTool, StopFlag, Tool, ToolCommand, ToolError,
    ToolVersion, Tools,
};
