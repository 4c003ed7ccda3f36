//! What old client tools are known to leave out of a dump, where this database has it.

use respaldo_domain::table::TableName;

use crate::rows::field;
use crate::session::{PgError, Session, sql};

/// What pg_dump of this major version does not carry of the connected database, in words.
///
/// * Before 15: owner and comment of schema `public`, where they were changed (seen with 13.4 and
///   14.23).
/// * In 14 alone: grants on the sequences of identity columns (seen with 14.23; 13 and 15 dump
///   them).
pub fn of_pg_dump(major: u32, session: &mut Session) -> Result<Vec<String>, PgError> {
    let mut left_out = Vec::new();
    if major < 15 {
        left_out.extend(public_schema(session)?);
    }
    if major == 14 {
        left_out.extend(identity_grants(session)?);
    }
    Ok(left_out)
}

fn public_schema(session: &mut Session) -> Result<Vec<String>, PgError> {
    // 10 is the superuser that initdb made, who owns the schema until somebody changes that.
    let rows = session.rows(sql("SELECT n.nspowner <> 10 AS owner,
                COALESCE(pg_catalog.obj_description(n.oid, 'pg_namespace'), '')
                    <> 'standard public schema' AS comment
           FROM pg_catalog.pg_namespace AS n WHERE n.nspname = 'public'"))?;
    let mut found = Vec::new();
    for row in &rows {
        if field(row, "owner")? {
            found.push("owner of schema public".to_owned());
        }
        if field(row, "comment")? {
            found.push("comment on schema public".to_owned());
        }
    }
    Ok(found)
}

fn identity_grants(session: &mut Session) -> Result<Vec<String>, PgError> {
    let rows = session.rows(sql(
        "SELECT n.nspname::text AS schema, c.relname::text AS name
           FROM pg_catalog.pg_class AS c
           JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
           JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_class'::regclass
            AND d.objid = c.oid AND d.deptype = 'i'
            AND d.refclassid = 'pg_catalog.pg_class'::regclass
          WHERE c.relkind = 'S' AND c.relacl IS NOT NULL
            AND c.relacl <> pg_catalog.acldefault('s', c.relowner)
          ORDER BY 1, 2",
    ))?;
    rows.iter()
        .map(|row| {
            let name = TableName::new(
                &field::<String>(row, "schema")?,
                &field::<String>(row, "name")?,
            );
            Ok(format!("grants on sequence {name}"))
        })
        .collect()
}
