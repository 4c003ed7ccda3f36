//! The source server and database: who they are and which history they share with a base.

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};

use crate::table::Oid;

/// The history a database's transaction ids and counters belong to.
/// Equal lineages: the same server process history, no crash, failover or restore between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// `pg_control_system().system_identifier`.
    pub system_identifier: u64,
    /// `pg_database.oid`.
    pub database_oid: Oid,
    /// Timeline of the server.
    pub timeline: u32,
    /// `pg_postmaster_start_time()`.
    pub server_started_at: DateTime<FixedOffset>,
    /// `pg_stat_archiver.stats_reset`: becomes the time of recovery after a crash.
    pub archiver_reset_at: Option<DateTime<FixedOffset>>,
    /// `pg_stat_bgwriter.stats_reset`: likewise.
    pub bgwriter_reset_at: Option<DateTime<FixedOffset>>,
}

impl Lineage {
    /// The same database of the same cluster, whatever happened to it since.
    pub fn same_database(&self, other: &Self) -> bool {
        self.system_identifier == other.system_identifier && self.database_oid == other.database_oid
    }
}

/// What the server and database look like when a backup begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFacts {
    /// Name of the database.
    pub database: String,
    /// `server_version_num`, for example 150020.
    pub server_version_num: u32,
    /// Its history.
    pub lineage: Lineage,
    /// A hot standby: read-only, counters are dead.
    pub in_recovery: bool,
    /// The role we are.
    pub role: String,
    /// That role is a superuser.
    pub superuser: bool,
    /// That role sees other sessions' activity (pg_read_all_stats or pg_monitor).
    pub reads_all_stats: bool,
    /// What CREATE DATABASE needs to make an equal one.
    pub properties: DatabaseProperties,
}

/// Database-level state that no archive of one database carries.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DatabaseProperties {
    /// Encoding name, for example UTF8.
    pub encoding: String,
    /// LC_COLLATE.
    pub collate: String,
    /// LC_CTYPE.
    pub ctype: String,
    /// `c` libc, `i` ICU, `b` builtin (15+).
    pub locale_provider: Option<String>,
    /// ICU or builtin locale.
    pub locale: Option<String>,
    /// Owner.
    pub owner: String,
    /// `pg_database.datacl` as text, `None` when default.
    pub acl: Option<Vec<String>>,
    /// COMMENT ON DATABASE.
    pub comment: Option<String>,
    /// -1: unlimited.
    pub connection_limit: i32,
    /// Settings: role (empty for all roles) and `name=value`.
    pub settings: Vec<(String, String)>,
    /// Tablespace.
    pub tablespace: String,
}
