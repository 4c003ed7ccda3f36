//! Why a restore fails.

use respaldo_domain::report::Verification;
use respaldo_domain::restore_plan::NoSuchTable;
use respaldo_domain::table::TableName;

use crate::ports::Fault;

/// Why nothing was restored. In every case the target is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// No such restore point.
    #[error("there is nothing to restore from")]
    NothingToRestore(#[source] Fault),
    /// A table was asked for that the restore point does not have.
    #[error(transparent)]
    UnknownTable(#[from] NoSuchTable),
    /// Another run holds the target's lease.
    #[error("the lease was not to be had")]
    Lease(#[source] Fault),
    /// The target's server cannot be used.
    #[error("the target server cannot be used")]
    Server(#[source] Fault),
    /// The target does not exist and was not to be made.
    #[error("database {0:?} does not exist")]
    TargetMissing(String),
    /// The target is not empty.
    #[error("database {0:?} is not empty")]
    TargetNotEmpty(String),
    /// Tables of those names are there already.
    #[error("schema {schema:?} already has {table:?}")]
    TableExists {
        /// The schema.
        schema: String,
        /// The table.
        table: String,
    },
    /// Somebody is in the database to be replaced whom the role may not send away.
    #[error("somebody is in the database to be replaced and stays: {0}")]
    Occupied(String),
    /// The role may not do what the restore needs.
    #[error("the role may not do this: {0}")]
    Rights(String),
    /// Roles that own or may use objects are missing.
    #[error("roles are missing on the target: {}", .0.join(", "))]
    RolesMissing(Vec<String>),
    /// Extensions are not installed on the target server.
    #[error("extensions are not available on the target server: {}", .0.join(", "))]
    ExtensionsMissing(Vec<String>),
    /// Objects of the backup are missing or damaged.
    #[error("the backup cannot be read")]
    Backup(#[source] Fault),
    /// Definitions could not be restored.
    #[error("restoring definitions failed")]
    Definitions(#[source] Fault),
    /// Rows could not be loaded.
    #[error("loading table {table} failed")]
    Load {
        /// The table.
        table: TableName,
        /// Why.
        #[source]
        source: Fault,
    },
    /// The restored rows are not those of the backup.
    #[error("{} restored tables differ from the backup", .0.different.len())]
    Differs(Verification),
    /// The last step failed: the old database is in place and open.
    #[error("the restored database could not take its place")]
    Swap(#[source] Fault),
    /// The operator or a signal stopped it.
    #[error("the restore was interrupted")]
    Interrupted,
}
