//! The daily, weekly, monthly and manual service: whole dumps by pg_dump in one folder per type,
//! under the names that the existing application's own service uses, and without its defects.
//!
//! It is what still works when the engine does not, so it shares nothing with it: no catalog, no
//! plugins, no manifests, no archive code of ours. It needs `core/postgres` (a connection, the stock
//! tools) and the file system.
//!
//! A supervisor holds a [`LegacyService`] and asks it, from an ordinary thread:
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use chrono::Utc;
//! use respaldo_legacy::{
//!     BuiltIn, LegacyConfig, LegacyService, PruneMode, PruneScope, Toolbox,
//! };
//! use respaldo_postgres::ConnInfo;
//!
//! let database = ConnInfo::parse("postgresql://shop@localhost/shop")?;
//! let service: Box<dyn LegacyService> =
//!     Box::new(BuiltIn::new(database, Toolbox::Search(None), LegacyConfig::default()));
//! for kind in service.due(Utc::now()) {
//!     let report = service.backup(kind, &|| false)?;
//!     println!("{:?} {:?}", report.file, report.warnings);
//! }
//! service.prune(PruneScope::Own, PruneMode::Remove)?;
//! # Ok(())
//! # }
//! ```
//!
//! * `due(now)` decides by names of files and by what the database was told; it never fails.
//! * `backup(kind, stop)` either leaves one whole file under its final name or nothing that looks like
//!   one. It makes one attempt: when to try again is the caller's decision.
//! * `prune` removes own files beyond the keep counts. A backup does not prune by itself.
//! * Two calls at once on one folder, from whatever process: the second is `LegacyError::Busy`.
//!
//! [`External`] is the same service where an existing program makes the dumps.

mod archive;
mod backup;
mod built_in;
mod config;
mod copy;
mod error;
mod external;
mod file;
mod folder;
mod kind;
mod name;
mod report;
mod restore;
mod retention;
mod runs;
mod schedule;
mod service;
mod settings;
mod zone;

pub use built_in::{BuiltIn, Toolbox};
pub use config::{DEFAULT_DIR, LegacyConfig};
pub use error::LegacyError;
pub use external::External;
pub use file::{LegacyFile, Owner};
pub use kind::{LegacyKind, UnknownKind};
pub use name::BackupName;
pub use report::{
    CopyReport, KindStatus, LegacyReport, LegacyRestored, LegacyWarning, LegacyWarningKind,
    MadeFile, PruneReport,
};
pub use restore::{Placement, RestoreRequest};
pub use retention::{Fate, Keep, KeepReason, PruneScope};
pub use schedule::{last_required, missed, next_required};
pub use service::{LegacyService, PruneMode};
pub use settings::StoredSettings;
pub use zone::Zone;
