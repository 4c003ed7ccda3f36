//! Rows, sequences and large objects.

use std::collections::BTreeMap;

use super::{Entry, Sections, Snapshot};
use crate::Client;
use crate::cluster::ident;

/// Tables in `seguridad` whose rows are the product's own records, not the database's data.
const OPERATIONAL: &str = "(n.nspname = 'seguridad' AND (c.relname LIKE 'respaldo\\_%' OR c.relname IN \
     ('backup_manifest', 'backup_chain', 'backup_validation', 'backup_event')))";

/// How many tables are hashed by one statement.
const TABLES_PER_STATEMENT: usize = 40;

/// Reads the sections `rows`, `matview rows`, `sequence values` and `large object`.
pub(super) fn contents(client: &mut Client, wanted: &Snapshot) -> Sections {
    let mut sections = Sections::new();
    let tables = relations(client, Kind::Table, wanted);
    sections.insert("rows".into(), hash_all(client, &tables));
    if wanted.matview_rows {
        let views = relations(client, Kind::Matview, wanted);
        sections.insert("matview rows".into(), hash_all(client, &views));
    }
    sections.insert("sequence values".into(), sequences(client, wanted));
    sections.insert("large object".into(), large_objects(client));
    sections
}

/// One table to hash: its key, and the query that hashes it.
struct Hashing {
    key: String,
    query: String,
}

/// Which relations to hash.
#[derive(Clone, Copy)]
enum Kind {
    Table,
    Matview,
}

/// Whether `relation` is partitioned by the hash of an enum: that is a hash of oids, so a restored
/// row may rightly be in another leaf, and the whole is compared.
fn hashed_by_enum(relation: &str) -> String {
    format!(
        "EXISTS (SELECT FROM pg_partitioned_table p JOIN pg_attribute a \
         ON a.attrelid = p.partrelid AND a.attnum = ANY (p.partattrs::int2[]) \
         JOIN pg_type y ON y.oid = a.atttypid \
         WHERE p.partrelid = {relation} AND p.partstrat = 'h' AND y.typtype = 'e')"
    )
}

/// Schema, name, columns (quoted, by name) and row condition of the relations that hold rows.
/// Members of extensions hold rows of ours only where the extension says so.
fn list(relkind: Kind, wanted: &Snapshot) -> String {
    let operational = if wanted.operational_data {
        "false"
    } else {
        OPERATIONAL
    };
    let of_kind = match relkind {
        Kind::Table => format!(
            "(c.relkind = 'r' AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid \
             AND {leaf}) OR c.relkind = 'p' AND {root})",
            leaf = hashed_by_enum("i.inhparent"),
            root = hashed_by_enum("c.oid")
        ),
        Kind::Matview => "c.relkind = 'm'".to_owned(),
    };
    format!(
        "SELECT n.nspname, c.relname,
                (SELECT string_agg(format('t.%I', a.attname), ', ' ORDER BY a.attname COLLATE \"C\")
                   FROM pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
                conf.condition, c.relkind
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           LEFT JOIN LATERAL (
                SELECT e.extcondition[array_position(e.extconfig, c.oid)] AS condition
                  FROM pg_extension e WHERE c.oid = ANY (e.extconfig)) conf ON true
          WHERE {of_kind} AND c.relpersistence <> 't' AND c.relispopulated
            AND n.nspname NOT IN ('pg_catalog', 'information_schema')
            AND NOT {operational}
            AND (conf.condition IS NOT NULL OR NOT EXISTS (
                SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                   AND d.objid = c.oid AND d.deptype = 'e'))"
    )
}

fn relations(client: &mut Client, relkind: Kind, wanted: &Snapshot) -> Vec<Hashing> {
    let rows = client.rows(&list(relkind, wanted));
    rows.into_iter()
        .map(hashing)
        .filter(|(entry, _)| wanted.wants(entry))
        .map(|(_, h)| h)
        .collect()
}

fn hashing(row: Vec<Option<String>>) -> (Entry, Hashing) {
    let [schema, relation, columns, condition, kind] = <[_; 5]>::try_from(row).unwrap();
    let (schema, relation) = (schema.unwrap(), relation.unwrap());
    let key = format!("{schema}.{relation}");
    let only = if kind.as_deref() == Some("p") {
        ""
    } else {
        "ONLY "
    };
    let table = format!("{only}{}.{}", ident(&schema), ident(&relation));
    let query = hash_query(
        &table,
        &columns.unwrap_or_default(),
        &condition.unwrap_or_default(),
    );
    let entry = Entry {
        schema,
        relation,
        key: key.clone(),
        value: String::new(),
    };
    (entry, Hashing { key, query })
}

/// The sorted hashes of all rows, hashed: equal for equal rows in any order, duplicates counted.
fn hash_query(table: &str, columns: &str, condition: &str) -> String {
    format!(
        "SELECT format('%s rows, %s', count(*), md5(coalesce(string_agg(h, '' ORDER BY h), ''))) \
         FROM (SELECT md5(ROW({columns})::text) COLLATE \"C\" AS h FROM {table} AS t {condition}) AS x"
    )
}

fn hash_all(client: &mut Client, tables: &[Hashing]) -> BTreeMap<String, String> {
    let mut hashes = BTreeMap::new();
    for chunk in tables.chunks(TABLES_PER_STATEMENT) {
        let queries: Vec<_> = chunk
            .iter()
            .enumerate()
            .map(|(i, table)| format!("SELECT {i} AS i, ({}) AS h", table.query))
            .collect();
        let rows = client.rows(&format!("{} ORDER BY i", queries.join(" UNION ALL ")));
        let values = rows.into_iter().map(|mut row| row.pop().flatten().unwrap());
        hashes.extend(chunk.iter().map(|table| table.key.clone()).zip(values));
    }
    hashes
}

fn sequences(client: &mut Client, wanted: &Snapshot) -> BTreeMap<String, String> {
    let operational = if wanted.operational_data {
        "false"
    } else {
        OPERATIONAL
    };
    // A sequence owned by an operational table counts with its table.
    let listed = client.rows(&format!(
        "SELECT sn.nspname, s.relname FROM pg_class s JOIN pg_namespace sn ON sn.oid = s.relnamespace
          WHERE s.relkind = 'S' AND s.relpersistence <> 't' AND NOT EXISTS (
                SELECT FROM pg_depend d JOIN pg_class c ON c.oid = d.refobjid
                  JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE d.classid = 'pg_class'::regclass AND d.objid = s.oid
                   AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
                   AND {operational})"
    ));
    let mut values = BTreeMap::new();
    for row in listed {
        let [schema, relation] = <[_; 2]>::try_from(row).unwrap().map(Option::unwrap);
        let (key, value) = (format!("{schema}.{relation}"), String::new());
        let name = format!("{}.{}", ident(&schema), ident(&relation));
        let entry = Entry {
            schema,
            relation,
            key,
            value,
        };
        if wanted.wants(&entry) {
            let query = format!("SELECT format('%s, %s', last_value, is_called) FROM {name}");
            values.insert(entry.key, client.one(&query));
        }
    }
    values
}

fn large_objects(client: &mut Client) -> BTreeMap<String, String> {
    let rows = client.rows(
        "SELECT m.oid::text, format('%s bytes, %s, owner %s, grants %s',
                length(lo_get(m.oid)), md5(lo_get(m.oid)), pg_get_userbyid(m.lomowner),
                (SELECT coalesce(string_agg(format('%s=%s%s/%s', coalesce(g.rolname, 'PUBLIC'),
                        a.privilege_type, CASE WHEN a.is_grantable THEN '*' END,
                        pg_get_userbyid(a.grantor)), ' '
                        ORDER BY g.rolname COLLATE \"C\" NULLS FIRST, a.privilege_type COLLATE \"C\"), '')
                   FROM aclexplode(coalesce(m.lomacl, acldefault('L', m.lomowner))) a
                   LEFT JOIN pg_roles g ON g.oid = a.grantee))
           FROM pg_largeobject_metadata m",
    );
    rows.into_iter()
        .map(|row| <[_; 2]>::try_from(row).unwrap().map(Option::unwrap))
        .map(|[oid, value]| (oid, value))
        .collect()
}
