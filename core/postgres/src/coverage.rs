//! What this role cannot read exactly, found before anything is dumped.

use std::sync::Arc;

use respaldo_domain::coverage::{Coverage, Gap, GapKind};
use respaldo_domain::table::{Readability, RelationKind, TableFacts, TableName, quote_identifier};
use sqlx::postgres::PgRow;

use crate::rows::field;
use crate::server::version_num;
use crate::session::{PgError, Session, sql};
use crate::snapshot::Snapshot;

/// Large objects named one by one; the rest are one finding.
const NAMED_LARGE_OBJECTS: usize = 100;

/// Everything the role of `snapshot` lacks the rights to read, each with the statement that
/// mends it. Members of extensions have no data of their own and are passed over.
pub fn find_gaps(snapshot: &mut Snapshot, tables: &[Arc<TableFacts>]) -> Result<Coverage, PgError> {
    let session = snapshot.session();
    let role = Role::read(session)?;
    let mut gaps = schema_gaps(session, &role)?;
    gaps.extend(table_gaps(session, &role, tables)?);
    gaps.extend(sequence_gaps(session, &role)?);
    gaps.extend(large_object_gaps(session, &role)?);
    Ok(Coverage { gaps })
}

/// The role's name, quoted.
struct Role(String);

impl Role {
    fn read(session: &mut Session) -> Result<Self, PgError> {
        let name: String = session.value(sql("SELECT CURRENT_USER::text"))?;
        Ok(Self(quote_identifier(&name)))
    }
}

/// Schemas with a table or sequence of the user's. The right is asked first: few schemas lack it, and relations may be
/// tens of thousands.
fn schema_gaps(session: &mut Session, role: &Role) -> Result<Vec<Gap>, PgError> {
    let rows = session.rows(sql(format!(
        "SELECT s.schema FROM (SELECT m.oid, m.nspname::text AS schema \
           FROM pg_catalog.pg_namespace AS m \
           WHERE NOT COALESCE(pg_catalog.has_schema_privilege(m.oid, 'USAGE'::text), true) \
           OFFSET 0) AS s \
         WHERE EXISTS (SELECT {RELATIONS_OF_THE_USER} \
           AND c.relnamespace = s.oid AND c.relkind IN ('r', 'p', 'S')) ORDER BY 1"
    )))?;
    let gap = |row: &PgRow| {
        let object = quote_identifier(&field::<String>(row, "schema")?);
        let remedy = format!("GRANT USAGE ON SCHEMA {object} TO {};", role.0);
        Ok(Gap {
            object,
            kind: GapKind::NoUsage,
            remedy,
        })
    };
    rows.iter().map(gap).collect()
}

const RELATIONS_OF_THE_USER: &str = "
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
   WHERE c.relpersistence IN ('p', 'u')
     AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
           WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
             AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
             AND d.deptype = 'e')";

/// pg_dump locks partitioned tables too, for which it needs the same right.
fn table_gaps(
    session: &mut Session,
    role: &Role,
    tables: &[Arc<TableFacts>],
) -> Result<Vec<Gap>, PgError> {
    let mut gaps = Vec::new();
    let dumped = |facts: &&Arc<TableFacts>| {
        matches!(facts.kind, RelationKind::Table | RelationKind::Partitioned)
            && !facts.extension_member
    };
    for facts in tables.iter().filter(dumped) {
        match facts.readable {
            Readability::All => {}
            Readability::NoPrivilege => gaps.extend(no_select(session, role, facts)?),
            Readability::RowSecurity => gaps.push(row_security(session, role, facts)?),
            Readability::OnPrimaryOnly => gaps.push(on_primary(facts)),
        }
    }
    Ok(gaps)
}

/// A table may be unreadable for its schema's sake only, which is a gap of its own.
fn no_select(
    session: &mut Session,
    role: &Role,
    facts: &TableFacts,
) -> Result<Option<Gap>, PgError> {
    let may: Option<bool> = session.value(
        sql("SELECT pg_catalog.has_table_privilege($1::int8::oid, 'SELECT'::text)")
            .bind(i64::from(facts.oid.0)),
    )?;
    let remedy = format!(
        "GRANT SELECT ON TABLE {} TO {};",
        facts.name.quoted(),
        role.0
    );
    Ok((may == Some(false)).then_some(Gap {
        object: facts.name.to_string(),
        kind: GapKind::NoSelect,
        remedy,
    }))
}

fn row_security(session: &mut Session, role: &Role, facts: &TableFacts) -> Result<Gap, PgError> {
    let owner: bool = session.value(
        sql(
            "SELECT COALESCE(pg_catalog.bool_or(pg_catalog.pg_has_role(c.relowner, 'USAGE')), \
             false) FROM pg_catalog.pg_class AS c WHERE c.oid = $1::int8::oid",
        )
        .bind(i64::from(facts.oid.0)),
    )?;
    let object = facts.name.quoted();
    // A policy applies to an owner only where it is forced upon him, and he can lift that himself.
    let remedy = if owner {
        format!("ALTER TABLE {object} NO FORCE ROW LEVEL SECURITY;")
    } else {
        format!("ALTER ROLE {} BYPASSRLS;", role.0)
    };
    Ok(Gap {
        object: facts.name.to_string(),
        kind: GapKind::RowSecurity,
        remedy,
    })
}

fn on_primary(facts: &TableFacts) -> Gap {
    Gap {
        object: facts.name.to_string(),
        kind: GapKind::Unlogged,
        remedy: format!("ALTER TABLE {} SET LOGGED;", facts.name.quoted()),
    }
}

fn sequence_gaps(session: &mut Session, role: &Role) -> Result<Vec<Gap>, PgError> {
    let rows = session.rows(sql(format!(
        "SELECT n.nspname::text AS schema, c.relname::text AS name {RELATIONS_OF_THE_USER} \
         AND c.oid IN (SELECT q.seqrelid FROM pg_catalog.pg_sequence AS q) \
         AND CASE WHEN c.relkind = 'S' \
              THEN NOT COALESCE(pg_catalog.has_sequence_privilege(c.oid, 'SELECT'::text), true) \
              ELSE false END \
         ORDER BY 1, 2"
    )))?;
    let gap = |row: &PgRow| {
        let name = TableName::new(
            field::<String>(row, "schema")?,
            field::<String>(row, "name")?,
        );
        let remedy = format!("GRANT SELECT ON SEQUENCE {} TO {};", name.quoted(), role.0);
        Ok(Gap {
            object: name.to_string(),
            kind: GapKind::Sequence,
            remedy,
        })
    };
    rows.iter().map(gap).collect()
}

fn large_object_gaps(session: &mut Session, role: &Role) -> Result<Vec<Gap>, PgError> {
    let may_read = if version_num(session)? >= 180_000 {
        MAY_READ_18
    } else {
        MAY_READ
    };
    let rows = session.rows(sql(format!(
        "SELECT l.oid::int8 AS oid FROM pg_catalog.pg_largeobject_metadata AS l \
         WHERE pg_catalog.current_setting('lo_compat_privileges') <> 'on' \
         AND NOT (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname = CURRENT_USER) \
         AND NOT {may_read} ORDER BY l.oid"
    )))?;
    let oids: Vec<i64> = rows
        .iter()
        .map(|row| field(row, "oid"))
        .collect::<Result<_, _>>()?;
    let named = oids.iter().take(NAMED_LARGE_OBJECTS).map(|oid| Gap {
        object: format!("large object {oid}"),
        kind: GapKind::LargeObject,
        remedy: format!("GRANT SELECT ON LARGE OBJECT {oid} TO {};", role.0),
    });
    let more = oids.len().saturating_sub(NAMED_LARGE_OBJECTS);
    Ok(named
        .chain((more > 0).then(|| other_large_objects(more, role)))
        .collect())
}

/// Rights on large objects before 18 have no function of their own.
const MAY_READ: &str = "EXISTS (SELECT FROM pg_catalog.aclexplode(\
     COALESCE(l.lomacl, pg_catalog.acldefault('L', l.lomowner))) AS a \
     WHERE a.privilege_type = 'SELECT' \
     AND (a.grantee = 0 OR pg_catalog.pg_has_role(a.grantee, 'USAGE'::text)))";

const MAY_READ_18: &str =
    "COALESCE(pg_catalog.has_largeobject_privilege(l.oid, 'SELECT'::text), true)";

fn other_large_objects(count: usize, role: &Role) -> Gap {
    let remedy = format!(
        "DO $$ DECLARE o oid; BEGIN FOR o IN SELECT oid FROM pg_largeobject_metadata LOOP \
         EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO %s', o, {}); END LOOP; END $$;",
        respaldo_domain::table::quote_literal(&role.0)
    );
    Gap {
        object: format!("{count} more large objects"),
        kind: GapKind::LargeObject,
        remedy,
    }
}
