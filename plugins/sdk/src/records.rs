//! The JSON documents that cross the boundary. They grow by optional fields only; unknown fields are
//! passed over, on both sides.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a sink can do; plans are checked against it before a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SinkLimits {
    /// Largest object it takes, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_object_bytes: Option<u64>,
    /// Room left in bytes, where it can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_bytes: Option<u64>,
}

/// An object that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectInfo {
    /// Its key.
    pub key: String,
    /// Its size.
    pub size_bytes: u64,
}

/// The source as a plugin sees it. `conninfo` holds the secret: it is for connecting, never for a log,
/// an argument or the environment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// `postgresql://user:password@host:port/database?...`
    pub conninfo: String,
    /// Name of the database.
    pub database: String,
    /// `server_version_num`, for example 150020.
    pub server_version_num: u32,
    /// A hot standby.
    pub in_recovery: bool,
    /// The role connected as.
    pub role: String,
    /// Folder with tools of PostgreSQL that fit the server, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pg_bin_path: Option<String>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target")
            .field("database", &self.database)
            .field("server_version_num", &self.server_version_num)
            .finish_non_exhaustive()
    }
}

/// A table by name, unquoted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Name {
    /// Schema.
    pub schema: String,
    /// Relation.
    pub name: String,
}

/// A relation with rows, as the catalog describes it under the snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Table {
    /// `pg_class.oid`.
    pub oid: u32,
    /// Its name under the snapshot.
    #[serde(flatten)]
    pub name: Name,
    /// `pg_class.relfilenode` under the snapshot.
    pub relfilenode: u32,
    /// Columns that COPY carries, in its order.
    pub columns: Vec<String>,
    /// Hash of all that alters what COPY prints or which rows there are, besides the rows.
    pub columns_hash: String,
    /// Hash of the types of its columns, recursively.
    pub types_hash: String,
    /// This role may read all its rows.
    pub readable: bool,
}

/// Everything that a comparison needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DetectionRequest {
    /// The source.
    pub target: Target,
    /// Id of an exported snapshot that stays open during the call.
    pub snapshot: String,
    /// The server's time right after the snapshot was taken, RFC 3339.
    pub snapshot_at: String,
    /// Every table with rows.
    pub tables: Vec<Table>,
    /// What `baseline` emitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Value>,
    /// The base's readings; absent for a full backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
}

/// What was stored with the backups that hold the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Base {
    /// Whether counters and transaction ids of the base may be compared with today's.
    pub lineage: Lineage,
    /// By oid: the table then, and this plugin's evidence of it.
    pub tables: BTreeMap<u32, BaseTable>,
    /// This plugin's evidence of the large objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub large_objects: Option<Value>,
}

/// A table of the base.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BaseTable {
    /// As it was.
    pub table: Table,
    /// As this plugin gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Value>,
}

/// How the source's history relates to the base's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Lineage {
    /// The same server process history: counters and transaction ids may be compared.
    Same,
    /// Restarted, crashed or failed over since: transaction ids may be compared, counters may not.
    Witnessed,
    /// No proof: neither is evidence.
    Broken,
}

/// A detector's word on one table. What is missing or not understood counts as unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// Proven equal: not dumped.
    Unchanged,
    /// Different, or likely so: dumped.
    Changed,
    /// Not provable: dumped.
    Unknown,
}

/// A word with its reason and what the next comparison needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TableVerdict {
    /// The table.
    pub oid: u32,
    /// The word.
    pub verdict: Word,
    /// Why, as a short code in kebab-case; it is shown beside the plugin's name.
    pub reason: String,
    /// To be seen again when the table is compared with the backup being made: where the table did not
    /// change, it must compare right with the backup holding its data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Value>,
}

/// What there is to say besides the tables.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// The word on all large objects together; absent: unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub large_objects: Option<LargeObjects>,
    /// What an operator should know.
    #[serde(default)]
    pub alarms: Vec<String>,
    /// Figures for people.
    #[serde(default)]
    pub figures: BTreeMap<String, Value>,
}

/// The word on the large objects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LargeObjects {
    /// The word.
    pub verdict: Word,
    /// Why.
    pub reason: String,
    /// How many there are under the snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// As [`TableVerdict::evidence`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Value>,
}

/// What a dumper says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DumperFacts {
    /// Version of the pg_dump that writes the definitions, for example "15.18".
    pub pg_dump: String,
}

/// What to dump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DumpRequest {
    /// The source.
    pub target: Target,
    /// Id of an exported snapshot that stays open during the call.
    pub snapshot: String,
    /// Tables whose definition and rows are dumped.
    pub tables: Vec<Name>,
    /// Tables whose definition is dumped, but not their rows.
    pub definition_only: Vec<Name>,
    /// Relations left out altogether.
    pub leave_out: Vec<Name>,
    /// Schemas left out altogether.
    pub exclude_schemas: Vec<String>,
    /// Whether large objects are dumped.
    pub large_objects: bool,
    /// Milliseconds to wait for a lock.
    pub lock_timeout_ms: u64,
}

/// What a validator looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// Key of the archive that the stream gives.
    pub key: String,
    /// Its size.
    pub size_bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// The backup's manifest, as it is stored.
    pub manifest: Value,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing; the backup restores.
    Warning,
    /// The backup does not restore exactly.
    Error,
}

/// Something wrong with a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is, for programs: kebab-case.
    pub code: String,
    /// The object or table concerned.
    pub subject: String,
    /// Particulars.
    pub detail: String,
}
