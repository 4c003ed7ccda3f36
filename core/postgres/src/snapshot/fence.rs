//! Locking, and comparing the catalog under the snapshot with the catalog now.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use respaldo_domain::table::{
    Oid, Readability, RelationKind, TableFacts, TableName, quote_identifier,
};

use crate::session::{PgError, PgErrorKind, Session};

/// Whether the snapshot still tells the truth about the tables that were locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fence {
    /// It does, and will as long as the locks are held.
    Holds,
    /// DDL came between: take another snapshot.
    Overtaken {
        /// What happened to which table.
        what: String,
    },
}

/// Tables named in one LOCK statement.
const LOCKED_AT_ONCE: usize = 500;

/// SQLSTATE "wrong object type": the name is now that of something else.
const WRONG_OBJECT_TYPE: &str = "42809";

pub(super) fn lock(
    session: &mut Session,
    tables: &[Arc<TableFacts>],
    lock_timeout: Duration,
) -> Result<Fence, PgError> {
    session.batch(&format!(
        "SET LOCAL lock_timeout = {}",
        lock_timeout.as_millis().max(1)
    ))?;
    let lockable: Vec<_> = tables.iter().filter(|facts| is_lockable(facts)).collect();
    for some in lockable.chunks(LOCKED_AT_ONCE) {
        let names: Vec<_> = some.iter().map(|facts| only(&facts.name)).collect();
        let statement = format!("LOCK TABLE {} IN ACCESS SHARE MODE", names.join(", "));
        if let Err(error) = session.batch(&statement) {
            return vanished(error);
        }
    }
    Ok(Fence::Holds)
}

/// The server locks neither materialized views nor foreign tables, nor what the role cannot read.
fn is_lockable(facts: &TableFacts) -> bool {
    matches!(facts.kind, RelationKind::Table | RelationKind::Partitioned)
        && facts.readable != Readability::NoPrivilege
}

fn only(name: &TableName) -> String {
    format!(
        "ONLY {}.{}",
        quote_identifier(&name.schema),
        quote_identifier(&name.name)
    )
}

fn vanished(error: PgError) -> Result<Fence, PgError> {
    let gone =
        error.kind == PgErrorKind::NotFound || error.sqlstate.as_deref() == Some(WRONG_OBJECT_TYPE);
    if gone {
        Ok(Fence::Overtaken {
            what: error.source.to_string(),
        })
    } else {
        Err(error)
    }
}

/// What happened between the snapshot and now, to the first table anything happened to.
pub(super) fn compare(tables: &[Arc<TableFacts>], now: &[Arc<TableFacts>]) -> Fence {
    let now = by_oid(now);
    let difference = tables.iter().find_map(|then| {
        let what = difference(then, now.get(&then.oid).copied())?;
        Some(format!("table {} {what}", then.name))
    });
    difference.map_or(Fence::Holds, |what| Fence::Overtaken { what })
}

fn difference(then: &TableFacts, now: Option<&TableFacts>) -> Option<&'static str> {
    let Some(now) = now else {
        return Some("was dropped");
    };
    if now.name != then.name {
        Some("was renamed")
    } else if now.relfilenode != then.relfilenode {
        Some("was truncated or rewritten")
    } else if now.columns_hash != then.columns_hash {
        Some("had its columns altered")
    } else if now.types_hash != then.types_hash {
        Some("had a type of its columns altered")
    } else {
        None
    }
}

pub(super) fn types_differ(tables: &[Arc<TableFacts>], now: &[Arc<TableFacts>]) -> bool {
    let now = by_oid(now);
    tables.iter().any(|then| {
        now.get(&then.oid)
            .is_none_or(|now| now.types_hash != then.types_hash)
    })
}

fn by_oid(tables: &[Arc<TableFacts>]) -> HashMap<Oid, &TableFacts> {
    tables.iter().map(|facts| (facts.oid, &**facts)).collect()
}
