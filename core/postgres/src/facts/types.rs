//! The types that columns use, down to their last element: what decides how a value prints.

use std::collections::{BTreeSet, HashMap};

use sha2::{Digest, Sha256};

use super::sql_hash;
use crate::rows::field;
use crate::server::version_num;
use crate::session::{PgError, Session, sql};

/// Every type used by a column, directly or not.
pub(super) struct Types(HashMap<u32, Type>);

struct Type {
    /// Hash of the type's own rows in the catalog.
    own: String,
    /// Types its values are made of.
    parts: Vec<u32>,
    /// Prints the name of another object.
    names_objects: bool,
    is_enum: bool,
}

impl Types {
    /// `seeds` and everything they are made of.
    pub fn closure(&self, seeds: &[u32]) -> BTreeSet<u32> {
        let mut found = BTreeSet::new();
        let mut waiting = seeds.to_vec();
        while let Some(oid) = waiting.pop() {
            if found.insert(oid)
                && let Some(this) = self.0.get(&oid)
            {
                waiting.extend(&this.parts);
            }
        }
        found
    }

    /// One text for all types of a closure.
    pub fn hash(&self, closure: &BTreeSet<u32>) -> String {
        let mut hasher = Sha256::new();
        for oid in closure {
            let own = self.0.get(oid).map_or("", |this| &this.own);
            hasher.update(format!("{oid}={own};"));
        }
        let digest = hasher.finalize();
        let half = digest
            .first_chunk::<16>()
            .map_or(0, |bytes| u128::from_be_bytes(*bytes));
        format!("{half:032x}")
    }

    /// Whether a value may print the name of another object, which can be renamed at any time.
    pub fn names_objects(&self, closure: &BTreeSet<u32>) -> bool {
        self.any(closure, |this| this.names_objects)
    }

    /// Whether a value contains an enum, whose hash is of an oid and differs between databases.
    pub fn contains_enum(&self, seed: u32) -> bool {
        self.any(&self.closure(&[seed]), |this| this.is_enum)
    }

    fn any(&self, closure: &BTreeSet<u32>, test: impl Fn(&Type) -> bool) -> bool {
        closure.iter().filter_map(|oid| self.0.get(oid)).any(test)
    }
}

pub(super) fn read(session: &mut Session) -> Result<Types, PgError> {
    let multiranges = if version_num(session)? >= 140_000 {
        MULTIRANGES
    } else {
        ""
    };
    let text = TYPES
        .replace("{multiranges}", multiranges)
        .replace("{own}", &sql_hash("s.own"));
    let types = session.each_row(sql(text), |row| {
        let parts: Vec<i64> = field(row, "parts")?;
        let this = Type {
            own: field(row, "own")?,
            parts: parts.into_iter().map(|oid| oid as u32).collect(),
            names_objects: field(row, "names_objects")?,
            is_enum: field(row, "is_enum")?,
        };
        Ok((field::<i64>(row, "oid")? as u32, this))
    })?;
    Ok(Types(types.into_iter().collect()))
}

const MULTIRANGES: &str = "
    UNION SELECT r.rngmultitypid, r.rngtypid FROM pg_catalog.pg_range AS r";

/// `parts` has (whole, part). Output functions named `reg...out` print names of objects and
/// `aclitemout` prints names of roles; a type of the user's own may share them.
const TYPES: &str = "
WITH RECURSIVE columns AS (
    SELECT DISTINCT a.atttypid AS oid
      FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'm', 'f')
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
), parts(whole, part) AS (
    SELECT t.oid, t.typelem FROM pg_catalog.pg_type AS t WHERE t.typelem <> 0
    UNION SELECT t.oid, t.typbasetype FROM pg_catalog.pg_type AS t WHERE t.typbasetype <> 0
    UNION SELECT r.rngtypid, r.rngsubtype FROM pg_catalog.pg_range AS r{multiranges}
), used(oid) AS (
    SELECT oid FROM columns
    UNION
    SELECT next.oid FROM used AS u CROSS JOIN LATERAL (
        SELECT p.part AS oid FROM parts AS p WHERE p.whole = u.oid
        UNION ALL
        SELECT a.atttypid FROM pg_catalog.pg_type AS t
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.typrelid
         WHERE t.oid = u.oid AND t.typtype = 'c' AND a.attnum > 0 AND NOT a.attisdropped
    ) AS next
), signed AS (
    SELECT t.oid, t.typtype = 'e' AS is_enum,
           f.prosrc = 'aclitemout' OR f.prosrc LIKE 'reg%out' AS names_objects,
           ARRAY(SELECT p.part::int8 FROM parts AS p WHERE p.whole = t.oid
                 UNION ALL
                 SELECT a.atttypid::int8 FROM pg_catalog.pg_attribute AS a
                  WHERE t.typtype = 'c' AND a.attrelid = t.typrelid
                    AND a.attnum > 0 AND NOT a.attisdropped) AS parts,
           pg_catalog.format('%s %s %L %s %s %L %L %L | %s | %s | %s',
             t.typtype, t.typlen, t.typdelim, t.typtypmod,
             f.prolang, f.prosrc, f.probin, f.proconfig,
             (SELECT pg_catalog.string_agg(pg_catalog.format('%s %L', e.extname, e.extversion), ','
                       ORDER BY e.oid)
                FROM pg_catalog.pg_depend AS d
                JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
               WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
                 AND d.deptype = 'e'
                 AND (d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = t.oid
                   OR d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = f.oid)),
             (SELECT pg_catalog.string_agg(pg_catalog.format('%s %L', l.oid, l.enumlabel), ','
                       ORDER BY l.enumsortorder)
                FROM pg_catalog.pg_enum AS l WHERE l.enumtypid = t.oid),
             (SELECT pg_catalog.string_agg(pg_catalog.format('%s %L %s %s %s', a.attnum, a.attname,
                       a.atttypid, a.atttypmod, a.attisdropped), ',' ORDER BY a.attnum)
                FROM pg_catalog.pg_attribute AS a
               WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0)) AS own
      FROM used AS u JOIN pg_catalog.pg_type AS t ON t.oid = u.oid
      JOIN pg_catalog.pg_proc AS f ON f.oid = t.typoutput
)
SELECT s.oid::int8 AS oid, s.is_enum, s.names_objects, s.parts, {own} AS own FROM signed AS s";
