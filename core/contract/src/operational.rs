//! Our own operational tables: their definition is dumped, their rows are not.
//!
//! They describe the backups, the runs and the web sessions of *now*; a restore that brought old
//! rows back would make the catalog forget what lies in storage. They are refilled from manifests
//! and carried over by a restore in place.

use respaldo_domain::table::TableName;

/// Schema of the existing system in which our tables live too.
pub const SCHEMA: &str = "seguridad";

/// Bookkeeping of our migrations.
pub const MIGRATIONS_TABLE: &str = "respaldo_migrations";

const TABLES: [&str; 12] = [
    "backup_manifest",
    "backup_chain",
    "backup_validation",
    "backup_event",
    "respaldo_lease",
    "respaldo_leader",
    "respaldo_witness",
    "respaldo_jobs",
    "respaldo_users",
    "respaldo_audit",
    "respaldo_sessions",
    MIGRATIONS_TABLE,
];

/// The one list of tables whose rows are outside of backups, fingerprints and comparisons.
///
/// ```
/// use respaldo_contract::operational::operational_tables;
/// use respaldo_domain::table::TableName;
///
/// let tables = operational_tables();
/// assert!(tables.contains(&TableName::new("seguridad", "backup_manifest")));
/// assert!(!tables.contains(&TableName::new("seguridad", "config_sistema")));
/// ```
pub fn operational_tables() -> Vec<TableName> {
    TABLES
        .iter()
        .map(|name| TableName::new(SCHEMA, *name))
        .collect()
}
