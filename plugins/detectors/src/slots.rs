//! Replication slots of ours: how they are named, and what the server says of them.
//!
//! A slot holds back WAL and the vacuum of catalogs on the server for as long as it exists, also
//! when nobody reads it any more. So whoever makes one must be able to find it again, and so must
//! whoever looks for what fills the disk: the detector and `doctor` share this module.

use std::fmt;

use respaldo_domain::source::SourceFacts;
use respaldo_domain::table::{Oid, quote_literal};
use respaldo_postgres::{PgError, Session, field, sql};
use sha2::{Digest, Sha256};

/// Name of the detector that makes slots.
pub const DETECTOR: &str = "logical-slot";

/// A position in the WAL, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lsn(pub u64);

impl Lsn {
    /// Reads `16/B374D848`.
    pub fn parse(text: &str) -> Option<Self> {
        let (high, low) = text.split_once('/')?;
        let part = |text| u32::from_str_radix(text, 16).ok().map(u64::from);
        Some(Self(part(high)? << 32 | part(low)?))
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

/// What the name of every slot for this owner in this database begins with. The rest of a name
/// tells one generation from the next.
pub fn prefix(owner: &str, database: Oid) -> String {
    let hash = Sha256::digest(format!("{owner}\0{database}"));
    format!("respaldo_{}_", hex(&hash[..8]))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A slot with a name of the kind we give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// The database it is of.
    pub database: Oid,
    /// Name of that database.
    pub database_name: String,
    /// Somebody reads it now.
    pub active: bool,
    /// WAL that the server keeps for it; `None`: none any more, or a standby.
    pub retained_bytes: Option<u64>,
    /// `reserved`, `extended`, `unreserved` or `lost`; `None` before PostgreSQL 13.
    pub status: Option<String>,
    /// Where reading begins; `None`: it cannot be read.
    pub confirmed: Option<Lsn>,
}

impl Slot {
    /// The server has removed WAL that it needs, or is about to.
    pub fn is_lost(&self) -> bool {
        let status = self.status.as_deref();
        matches!(status, Some("lost" | "unreserved")) || self.confirmed.is_none()
    }

    /// The statement that removes it.
    pub fn drop_statement(&self) -> String {
        let name = quote_literal(&self.name);
        format!("SELECT pg_drop_replication_slot({name})")
    }
}

/// How much WAL the server itself lets a slot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerLimit {
    /// Bytes.
    Bytes(u64),
    /// -1, the default.
    Unlimited,
    /// PostgreSQL 12 has no such setting.
    Missing,
}

/// The statements, for a superuser, that bound every slot of a server.
pub fn limit_statement(bytes: u64) -> String {
    let megabytes = (bytes >> 20).max(1);
    format!("ALTER SYSTEM SET max_slot_wal_keep_size = '{megabytes}MB'; SELECT pg_reload_conf();")
}

/// What stands for or against slots on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// Slots of ours, of all databases.
    pub slots: Vec<Slot>,
    /// `wal_level`.
    pub wal_level: String,
    /// `max_slot_wal_keep_size`.
    pub limit: ServerLimit,
    /// The role has REPLICATION, or is a superuser.
    pub may_replicate: bool,
}

impl Survey {
    /// Why no slot can be used here by this role; `None` where one can.
    pub fn obstacle(&self, facts: &SourceFacts) -> Option<String> {
        if facts.in_recovery {
            return Some("a standby is not written to, so it makes no slot".to_owned());
        }
        if self.wal_level != "logical" {
            let level = &self.wal_level;
            return Some(format!(
                "wal_level is {level}, not logical (ALTER SYSTEM SET wal_level = 'logical', and \
                 restart the server)"
            ));
        }
        (!self.may_replicate).then(|| {
            let role = respaldo_domain::table::quote_identifier(&facts.role);
            format!("the role may not use slots (ALTER ROLE {role} REPLICATION)")
        })
    }
}

/// Names that [`prefix`] begins, with 16 hexadecimal digits more.
const NAMES: &str = "^respaldo_[0-9a-f]{16}_[0-9a-f]{16}$";

/// Looks at the slots and at the settings that concern them. Any role may ask.
pub fn survey(session: &mut Session) -> Result<Survey, PgError> {
    let row = session.row(sql(
        "SELECT pg_catalog.current_setting('wal_level') AS wal_level, \
         pg_catalog.current_setting('server_version_num') AS version, \
         (SELECT s.setting FROM pg_catalog.pg_settings AS s \
           WHERE s.name = 'max_slot_wal_keep_size') AS keep_mb, \
         (SELECT r.rolreplication OR r.rolsuper FROM pg_catalog.pg_roles AS r \
           WHERE r.rolname = CURRENT_USER) AS may_replicate",
    ))?;
    let keep: Option<String> = field(&row, "keep_mb")?;
    let version: String = field(&row, "version")?;
    Ok(Survey {
        slots: slots(session, version.parse().unwrap_or(0))?,
        wal_level: field(&row, "wal_level")?,
        limit: limit(keep.as_deref()),
        may_replicate: field::<Option<bool>>(&row, "may_replicate")?.unwrap_or(false),
    })
}

/// What cannot be read is no limit.
fn limit(megabytes: Option<&str>) -> ServerLimit {
    match megabytes.map(str::parse::<u64>) {
        Some(Ok(megabytes)) => ServerLimit::Bytes(megabytes << 20),
        Some(Err(_)) => ServerLimit::Unlimited,
        None => ServerLimit::Missing,
    }
}

fn slots(session: &mut Session, version_num: u32) -> Result<Vec<Slot>, PgError> {
    let status = if version_num >= 130_000 {
        "s.wal_status"
    } else {
        "NULL::text"
    };
    let question = sql(format!(
        "SELECT s.slot_name::text AS name, s.datoid::int8 AS database, \
         s.database::text AS database_name, s.active, {status} AS status, \
         pg_catalog.format('%s', s.confirmed_flush_lsn) AS confirmed, \
         CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN \
           pg_catalog.format('%s', pg_catalog.pg_current_wal_lsn()) END AS now, \
         pg_catalog.format('%s', s.restart_lsn) AS kept_from \
         FROM pg_catalog.pg_replication_slots AS s \
         WHERE s.slot_type = 'logical' AND NOT s.temporary \
           AND s.slot_name::text ~ '{NAMES}' ORDER BY 1"
    ));
    session.each_row(question, |row| {
        let lsn = |name| {
            let text = field::<Option<String>>(row, name)?;
            Ok::<_, PgError>(text.and_then(|text| Lsn::parse(&text)))
        };
        let retained = match (lsn("now")?, lsn("kept_from")?) {
            (Some(now), Some(from)) => Some(now.0.saturating_sub(from.0)),
            _ => None,
        };
        Ok(Slot {
            name: field(row, "name")?,
            database: Oid(field::<i64>(row, "database")? as u32),
            database_name: field(row, "database_name")?,
            active: field(row, "active")?,
            retained_bytes: retained,
            status: field(row, "status")?,
            confirmed: lsn("confirmed")?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_back_as_the_server_writes_it() {
        for text in ["0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF", "1/A"] {
            assert_eq!(Lsn::parse(text).unwrap().to_string(), text);
        }
        assert!(Lsn::parse("1/FF") < Lsn::parse("2/0"));
        for text in ["", "1", "/", "1/", "g/0", "1/100000000"] {
            assert_eq!(Lsn::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_prefix_is_a_legal_name_and_differs_by_owner_and_database() {
        let name = prefix("/srv/a", Oid(5));
        assert_eq!(name.len(), 26);
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        assert!(name.bytes().all(legal));
        assert_ne!(name, prefix("/srv/b", Oid(5)));
        assert_ne!(name, prefix("/srv/a", Oid(6)));
        assert_eq!(name, prefix("/srv/a", Oid(5)));
    }

    #[test]
    fn minus_one_is_no_limit() {
        assert_eq!(limit(Some("-1")), ServerLimit::Unlimited);
        assert_eq!(limit(Some("10")), ServerLimit::Bytes(10 << 20));
        assert_eq!(limit(None), ServerLimit::Missing);
    }
}
