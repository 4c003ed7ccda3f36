//! What the catalog says of every relation: the signals of change that are neither statistics
//! nor rows.
//!
//! A handful of set-based queries, whatever the number of tables. They must work in any database,
//! whatever its users created: functions are named with their schema, operators are found in
//! pg_catalog because our sessions have no search path, and values become text by `format`, which
//! calls the type's output function, never by a cast, which may be the user's own.

mod relations;
mod routing;
mod types;

use std::sync::Arc;

use respaldo_domain::table::{Fragility, TableFacts};

use crate::session::{PgError, Session};

/// Facts of every table, partitioned table, materialized view and foreign table that is neither
/// the system's nor temporary, as the session's snapshot sees them.
pub(crate) fn read(session: &mut Session) -> Result<Vec<Arc<TableFacts>>, PgError> {
    let types = types::read(session)?;
    let routing = routing::read(session, &types)?;
    let finish = |relation: relations::Relation| {
        let mut facts = relation.facts;
        let closure = types.closure(&relation.types);
        facts.types_hash = types.hash(&closure);
        if facts.fragility.is_none() && types.names_objects(&closure) {
            facts.fragility = Some(Fragility::NamesOtherObjects);
        }
        facts.load_via = routing.via(facts.oid);
        Arc::new(facts)
    };
    relations::read(session, finish)
}

/// SQL for a short text that stands for a long one: two 64-bit hashes, because md5() is refused
/// by servers in FIPS mode.
fn sql_hash(text: &str) -> String {
    format!(
        "pg_catalog.format('%s-%s', \
         pg_catalog.to_hex(pg_catalog.hashtextextended(({text}) COLLATE pg_catalog.\"C\", 0)), \
         pg_catalog.to_hex(pg_catalog.hashtextextended(({text}) COLLATE pg_catalog.\"C\", 1)))"
    )
}
