//! Leaves whose rows must be loaded through an ancestor.
//!
//! A hash partition is chosen by the hash of the key. The hash of an enum is that of an oid, which
//! is another one in another database: rows put back into "their" leaf would violate its bounds.

use std::collections::HashMap;

use respaldo_domain::table::{Oid, TableName};

use super::types::Types;
use crate::rows::field;
use crate::session::{PgError, Session, sql};

/// Which ancestor the rows of a leaf go through.
#[derive(Default)]
pub(super) struct Routing {
    parents: HashMap<u32, u32>,
    unsafe_ancestors: HashMap<u32, TableName>,
}

impl Routing {
    /// The topmost ancestor that would put rows elsewhere than they were.
    pub fn via(&self, leaf: Oid) -> Option<TableName> {
        let mut top = None;
        let mut current = leaf.0;
        while let Some(&parent) = self.parents.get(&current) {
            top = self.unsafe_ancestors.get(&parent).or(top);
            current = parent;
        }
        top.cloned()
    }
}

pub(super) fn read(session: &mut Session, types: &Types) -> Result<Routing, PgError> {
    let mut unsafe_ancestors = HashMap::new();
    for row in session.rows(sql(HASH_KEYS))? {
        let polymorphic: bool = field(&row, "polymorphic")?;
        let column_type: Option<i64> = field(&row, "column_type")?;
        let contains_enum = match column_type {
            Some(oid) => types.contains_enum(oid as u32),
            // The type of an expression is not in the catalog: loading through the root is
            // always right, only slower.
            None => polymorphic,
        };
        if contains_enum || field(&row, "takes_enum")? {
            let name = TableName::new(
                field::<String>(&row, "schema")?,
                field::<String>(&row, "name")?,
            );
            unsafe_ancestors.insert(field::<i64>(&row, "oid")? as u32, name);
        }
    }
    let parents = if unsafe_ancestors.is_empty() {
        HashMap::new()
    } else {
        parents(session)?
    };
    Ok(Routing {
        parents,
        unsafe_ancestors,
    })
}

/// One row per column of a hash partition key, with what its operator class takes.
const HASH_KEYS: &str = "
SELECT c.oid::int8 AS oid, n.nspname::text AS schema, c.relname::text AS name,
       a.atttypid::int8 AS column_type,
       o.opcintype = 'pg_catalog.anyenum'::pg_catalog.regtype AS takes_enum,
       t.typtype = 'p' AS polymorphic
  FROM pg_catalog.pg_partitioned_table AS p
  JOIN pg_catalog.pg_class AS c ON c.oid = p.partrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(p.partattrs), pg_catalog.unnest(p.partclass))
    AS k(attnum, opclass)
  JOIN pg_catalog.pg_opclass AS o ON o.oid = k.opclass
  JOIN pg_catalog.pg_type AS t ON t.oid = o.opcintype
  LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.attnum
 WHERE p.partstrat = 'h'";

fn parents(session: &mut Session) -> Result<HashMap<u32, u32>, PgError> {
    let rows = session.rows(sql(
        "SELECT i.inhrelid::int8 AS child, i.inhparent::int8 AS parent \
         FROM pg_catalog.pg_inherits AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid \
         WHERE c.relispartition",
    ))?;
    rows.iter()
        .map(|row| {
            let (child, parent): (i64, i64) = (field(row, "child")?, field(row, "parent")?);
            Ok((child as u32, parent as u32))
        })
        .collect()
}
