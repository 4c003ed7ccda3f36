//! Relations and their columns.

use std::sync::Arc;

use respaldo_domain::table::{
    Column, Fragility, Oid, Persistence, Readability, RelationKind, TableFacts, TableName,
};
use sqlx::postgres::PgRow;

use super::sql_hash;
use crate::rows::field;
use crate::session::{PgError, Session, sql};

/// A relation without what needs more than its own rows of the catalog, and its columns' types.
pub(super) struct Relation {
    pub facts: TableFacts,
    pub types: Vec<u32>,
}

/// Every relation, as `finish` completes it.
pub(super) fn read(
    session: &mut Session,
    finish: impl Fn(Relation) -> Arc<TableFacts>,
) -> Result<Vec<Arc<TableFacts>>, PgError> {
    let text = RELATIONS.replace("{columns_hash}", &sql_hash("a.columns_text"));
    session.each_row(sql(text), |row| Ok(finish(relation(row)?)))
}

/// The access method 2 is heap in every version. Rows of pg_class that went away since the
/// snapshot have no privileges: the fence finds them.
const RELATIONS: &str = "
WITH relations AS (
    SELECT c.oid, c.relname, c.relkind, c.relpersistence, c.relfilenode, c.relpages, c.relam,
           c.relrowsecurity, n.oid AS schema_oid, n.nspname
      FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'm', 'f') AND c.relpersistence IN ('p', 'u')
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
), attributes AS (
    SELECT a.attrelid,
           pg_catalog.array_agg(a.attname::text ORDER BY a.attnum)
             FILTER (WHERE NOT a.attisdropped AND a.attgenerated = '') AS columns,
           pg_catalog.array_agg(pg_catalog.format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum)
             FILTER (WHERE NOT a.attisdropped AND a.attgenerated = '') AS column_types,
           pg_catalog.array_agg(a.atttypid::int8) FILTER (WHERE NOT a.attisdropped) AS types,
           pg_catalog.string_agg(pg_catalog.format('%s %L %s %s %s %L %s %L', a.attnum, a.attname,
             a.atttypid, a.atttypmod, a.attisdropped, a.attgenerated, a.atthasmissing,
             a.attmissingval), ',' ORDER BY a.attnum) AS columns_text
      FROM pg_catalog.pg_attribute AS a JOIN relations AS r ON r.oid = a.attrelid
     WHERE a.attnum > 0
     GROUP BY a.attrelid
), configuration AS (
    SELECT t.oid, pg_catalog.min(COALESCE(t.condition, '')) AS condition
      FROM pg_catalog.pg_extension AS e CROSS JOIN LATERAL
           ROWS FROM (pg_catalog.unnest(e.extconfig), pg_catalog.unnest(e.extcondition))
             AS t(oid, condition)
     GROUP BY t.oid
), members AS (
    SELECT DISTINCT d.objid FROM pg_catalog.pg_depend AS d
     WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
       AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
)
SELECT r.oid::int8 AS oid, r.nspname::text AS schema, r.relname::text AS name,
       r.relkind::text AS kind, r.relpersistence = 'u' AS unlogged,
       r.relfilenode::int8 AS relfilenode, r.relpages AS pages,
       r.relkind = 'r' AND r.relam <> 2 AS foreign_access_method,
       COALESCE(a.columns, '{}') AS columns,
       COALESCE(a.column_types, '{}') AS column_types, COALESCE(a.types, '{}') AS types,
       COALESCE({columns_hash}, '') AS columns_hash,
       x.condition AS condition,
       m.objid IS NOT NULL AND x.oid IS NULL AS member,
       COALESCE(pg_catalog.has_schema_privilege(r.schema_oid, 'USAGE'::text), true)
         AND COALESCE(pg_catalog.has_table_privilege(r.oid, 'SELECT'::text), true) AS may_read,
       r.relrowsecurity AND pg_catalog.row_security_active(r.oid) AS row_security,
       r.relkind = 'r' AND r.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery() AS on_primary
  FROM relations AS r
  LEFT JOIN attributes AS a ON a.attrelid = r.oid
  LEFT JOIN configuration AS x ON x.oid = r.oid
  LEFT JOIN members AS m ON m.objid = r.oid
 ORDER BY r.oid";

fn relation(row: &PgRow) -> Result<Relation, PgError> {
    let unlogged: bool = field(row, "unlogged")?;
    let foreign: bool = field(row, "foreign_access_method")?;
    let facts = TableFacts {
        oid: Oid(field::<i64>(row, "oid")? as u32),
        name: TableName::new(
            field::<String>(row, "schema")?,
            field::<String>(row, "name")?,
        ),
        kind: kind(&field::<String>(row, "kind")?),
        persistence: if unlogged {
            Persistence::Unlogged
        } else {
            Persistence::Permanent
        },
        relfilenode: field::<i64>(row, "relfilenode")? as u32,
        pages_hint: field::<i32>(row, "pages")?.max(0) as u32,
        columns: columns(row)?,
        columns_hash: field(row, "columns_hash")?,
        types_hash: String::new(),
        fragility: foreign.then_some(Fragility::ForeignAccessMethod),
        extension_condition: field(row, "condition")?,
        extension_member: field(row, "member")?,
        load_via: None,
        readable: readability(row)?,
    };
    let types: Vec<i64> = field(row, "types")?;
    Ok(Relation {
        facts,
        types: types.into_iter().map(|oid| oid as u32).collect(),
    })
}

fn columns(row: &PgRow) -> Result<Arc<[Column]>, PgError> {
    let names: Vec<String> = field(row, "columns")?;
    let types: Vec<String> = field(row, "column_types")?;
    let column = |(name, sql_type)| Column { name, sql_type };
    Ok(names.into_iter().zip(types).map(column).collect())
}

fn kind(relkind: &str) -> RelationKind {
    match relkind {
        "p" => RelationKind::Partitioned,
        "m" => RelationKind::MaterializedView,
        "f" => RelationKind::Foreign,
        _ => RelationKind::Table,
    }
}

fn readability(row: &PgRow) -> Result<Readability, PgError> {
    Ok(if !field(row, "may_read")? {
        Readability::NoPrivilege
    } else if field(row, "row_security")? {
        Readability::RowSecurity
    } else if field(row, "on_primary")? {
        Readability::OnPrimaryOnly
    } else {
        Readability::All
    })
}
