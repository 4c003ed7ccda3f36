//! Changes to everything that is not a table: types, indexes, views, routines, sequences, large
//! objects, comments, grants.

use super::rows::one;
use super::{Change, Kind, Mutator, kind};
use crate::cluster::{ident, literal};

pub(super) const KINDS: &[Kind] = &[
    kind("enum add value", |m| {
        let n = m.fresh();
        (labels(m).len() < 25)
            .then(|| vec![format!("ALTER TYPE m0.mood ADD VALUE 'l{n}' BEFORE 'b'")])
            .filter(|_| n % 2 == 0)
            .or_else(|| Some(vec![format!("ALTER TYPE m0.mood ADD VALUE 'l{n}'")]))
    }),
    kind("enum rename value", |m| {
        let n = m.fresh();
        let labels = labels(m);
        let label = labels[m.below(labels.len())].clone();
        (label != "b").then(|| {
            vec![format!(
                "ALTER TYPE m0.mood RENAME VALUE {} TO 'renamed {n}'",
                literal(&label)
            )]
        })
    }),
    kind("composite add attribute", |m| {
        let n = m.fresh();
        (m.count("SELECT count(*) FROM pg_catalog.pg_attribute WHERE attrelid = 'm0.pt'::pg_catalog.regclass") < 10)
            .then(|| vec![format!("ALTER TYPE m0.pt ADD ATTRIBUTE a{n} int CASCADE")])
    }),
    kind("composite rename attribute", |m| {
        let n = m.fresh();
        let it = m.pick("SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = 'm0.pt'::pg_catalog.regclass AND attname NOT IN ('x', 'y') AND NOT attisdropped")?;
        one(format!(
            "ALTER TYPE m0.pt RENAME ATTRIBUTE {} TO b{n} CASCADE",
            ident(&it)
        ))
    }),
    kind("domain check", |m| {
        let n = m.fresh();
        one(format!(
            "ALTER DOMAIN m0.amount ADD CONSTRAINT k{n} CHECK (VALUE <> -{n}) NOT VALID"
        ))
    }),
    kind("new type", |m| {
        let name = m.fresh_name("type");
        one(format!(
            "CREATE TYPE {name} AS ENUM ('x', 'y'); COMMENT ON TYPE {name} IS 'new'"
        ))
    }),
    kind("new index", |m| {
        let t = m.any_table()?;
        let (c, n) = (m.column(&t, "")?.name, m.fresh());
        one(format!("CREATE INDEX i{n} ON {} ({c}, id)", t.name))
    }),
    kind("new unique index", |m| {
        let (t, n) = (m.any_table()?, m.fresh());
        one(format!(
            "CREATE UNIQUE INDEX i{n} ON {} (id) WHERE id > {}",
            t.name,
            n % 50
        ))
    }),
    kind("drop index", |m| {
        m.relation("c.relkind = 'i' AND c.relname LIKE 'i%'")
            .and_then(|i| one(format!("DROP INDEX {i}")))
    }),
    kind("new view", |m| {
        let (t, name) = (m.any_table()?.name, m.fresh_name("v"));
        one(format!(
            "CREATE VIEW {name} AS SELECT * FROM {t} WHERE id > 3; GRANT SELECT ON {name} TO lector"
        ))
    }),
    kind("replace view", |m| {
        let (t, n, schema) = (m.any_table()?.name, m.fresh(), m.schema());
        one(format!(
            "CREATE OR REPLACE VIEW {schema}.v_replaced AS SELECT id::bigint AS id, {n}::bigint AS n FROM {t}"
        ))
    }),
    kind("drop view", |m| {
        m.relation("c.relkind = 'v'")
            .and_then(|v| one(format!("DROP VIEW {v} CASCADE")))
    }),
    kind("new materialized view", |m| {
        let (t, name) = (m.any_table()?.name, m.fresh_name("mv"));
        let data = m.choose(&["WITH DATA", "WITH NO DATA"]);
        one(format!(
            "CREATE MATERIALIZED VIEW {name} AS SELECT id % 5 AS k, count(*) AS n FROM {t} GROUP BY 1 {data}"
        ))
    }),
    kind("refresh materialized view", |m| {
        let v = m.relation("c.relkind = 'm'")?;
        one(format!("REFRESH MATERIALIZED VIEW {v}"))
    }),
    kind("drop materialized view", |m| {
        m.relation("c.relkind = 'm'")
            .and_then(|v| one(format!("DROP MATERIALIZED VIEW {v} CASCADE")))
    }),
    kind("new function", |m| {
        let (name, n) = (m.fresh_name("f"), m.fresh());
        one(format!(
            "CREATE FUNCTION {name}(a int DEFAULT {n}) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + {n}'; COMMENT ON FUNCTION {name}(int) IS 'f'"
        ))
    }),
    kind("replace function", |m| {
        let (schema, n) = (m.schema(), m.fresh());
        one(format!(
            "CREATE OR REPLACE FUNCTION {schema}.replaced() RETURNS bigint LANGUAGE sql AS 'SELECT {n}::bigint'"
        ))
    }),
    kind("drop function", |m| {
        let f = m.pick("SELECT p.oid::pg_catalog.regprocedure::text FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('m0', 'm1', 'm2') AND p.proname <> 'stamp'")?;
        one(format!("DROP FUNCTION {f} CASCADE"))
    }),
    kind("new trigger", |m| {
        let (t, n) = (m.any_table()?.name, m.fresh());
        one(format!(
            "CREATE TRIGGER tr{n} BEFORE INSERT OR UPDATE ON {t} FOR EACH ROW EXECUTE FUNCTION m0.stamp()"
        ))
    }),
    kind("change trigger", |m| {
        let (it, how) = (
            own_trigger(m, "ALTER TABLE %2$s HOW TRIGGER %1$I")?,
            m.choose(&["DISABLE", "ENABLE REPLICA", "ENABLE ALWAYS", "ENABLE"]),
        );
        one(it.replacen("HOW", how, 1))
    }),
    kind("drop trigger", |m| {
        own_trigger(m, "DROP TRIGGER %1$I ON %2$s").and_then(one)
    }),
    kind("new policy", |m| {
        let (t, n) = (m.table()?.name, m.fresh());
        one(format!(
            "ALTER TABLE {t} ENABLE ROW LEVEL SECURITY; CREATE POLICY p{n} ON {t} FOR SELECT TO lector USING (id > {n})"
        ))
    }),
    kind("drop policy", |m| {
        let it = m.pick("SELECT pg_catalog.format('DROP POLICY %I ON %s', p.polname, p.polrelid::pg_catalog.regclass) FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN ('m0', 'm1', 'm2')")?;
        one(it)
    }),
    kind("new rule", |m| {
        let (t, n) = (m.table()?.name, m.fresh());
        one(format!(
            "CREATE RULE r{n} AS ON DELETE TO {t} WHERE OLD.id = -{n} DO INSTEAD NOTHING"
        ))
    }),
    kind("new statistics object", |m| {
        let t = m.table()?;
        let (a, n, schema) = (m.column(&t, "int")?.name, m.fresh(), m.schema());
        one(format!(
            "CREATE STATISTICS {schema}.st{n} ON id, {a} FROM {}",
            t.name
        ))
    }),
    kind("new sequence", |m| {
        let (name, n) = (m.fresh_name("seq"), m.fresh());
        one(format!(
            "CREATE SEQUENCE {name} START {n} INCREMENT {}",
            1 + n % 4
        ))
    }),
    kind("nextval", |m| {
        m.relation("c.relkind = 'S'")
            .and_then(|s| one(format!("SELECT nextval({})", literal(&s))))
    }),
    kind("setval", |m| {
        let (s, n) = (m.relation("c.relkind = 'S'")?, m.fresh());
        one(format!(
            "SELECT setval({}, {n}, {})",
            literal(&s),
            n % 2 == 0
        ))
    }),
    kind("alter sequence", |m| {
        let (s, n) = (m.relation("c.relkind = 'S'")?, m.fresh());
        one(format!("ALTER SEQUENCE {s} CACHE {} CYCLE", 1 + n % 9))
    }),
    kind("drop sequence", |m| {
        let s = m.relation("c.relkind = 'S' AND c.relname LIKE 'seq%'")?;
        one(format!("DROP SEQUENCE {s}"))
    }),
    kind("nextval of every.shared", |m| {
        m.every
            .then(|| vec!["SELECT nextval('every.shared'), nextval('every.small')".into()])
    }),
    kind("new large object", |m| {
        let n = m.fresh();
        one(format!(
            "SELECT lo_from_bytea({}, decode(md5('{n}'), 'hex'))",
            large_object_id(n)
        ))
    }),
    kind("new empty large object", |m| {
        let n = m.fresh();
        one(format!("SELECT lo_create({})", large_object_id(n)))
    }),
    kind("write large object", |m| {
        let (lo, n) = (large_object(m)?, m.fresh());
        one(format!("SELECT lo_put({lo}, {}, 'written {n}')", n % 5000))
    }),
    kind("truncate large object", |m| {
        large_object(m).and_then(|lo| one(format!("SELECT lo_truncate(lo_open({lo}, 131072), 3)")))
    }),
    kind("unlink large object", |m| {
        large_object(m).and_then(|lo| one(format!("SELECT lo_unlink({lo})")))
    }),
    kind("comment on large object", |m| {
        let (lo, n) = (large_object(m)?, m.fresh());
        one(format!("COMMENT ON LARGE OBJECT {lo} IS 'c{n}'"))
    }),
    kind("grant on large object", |m| {
        let (lo, role) = (
            large_object(m)?,
            m.choose(&["lector", "escritor", "PUBLIC"]),
        );
        one(format!("GRANT SELECT ON LARGE OBJECT {lo} TO {role}"))
    }),
    kind("comment on table", |m| {
        let (t, n) = (m.any_table()?.name, m.fresh());
        one(format!("COMMENT ON TABLE {t} IS 'c{n} ''q'''"))
    }),
    kind("comment on column", |m| {
        let (t, n) = (m.any_table()?.name, m.fresh());
        one(format!("COMMENT ON COLUMN {t}.id IS 'c{n}'"))
    }),
    kind("grant", |m| grant(m, "GRANT", "TO")),
    kind("revoke", |m| grant(m, "REVOKE", "FROM")),
    kind("grant on column", |m| {
        let t = m.any_table()?.name;
        one(format!("GRANT SELECT (id), UPDATE (id) ON {t} TO escritor"))
    }),
    kind("default privileges", |m| {
        let (schema, verb) = (
            m.schema(),
            m.choose(&[
                "GRANT SELECT ON TABLES TO",
                "REVOKE SELECT ON TABLES FROM",
                "GRANT ALL ON SEQUENCES TO",
            ]),
        );
        one(format!(
            "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} {verb} lector"
        ))
    }),
    kind("new schema", |m| {
        let n = m.fresh();
        one(format!(
            "CREATE SCHEMA extra{n}; CREATE TABLE extra{n}.t AS SELECT {n} AS id"
        ))
    }),
    kind("rename schema", |m| {
        let (it, n) = (extra_schema(m)?, m.fresh());
        one(format!("ALTER SCHEMA {it} RENAME TO extra{n}"))
    }),
    kind("drop schema", |m| {
        extra_schema(m).and_then(|it| one(format!("DROP SCHEMA {it} CASCADE")))
    }),
    kind("new extension", |m| {
        one(format!(
            "CREATE EXTENSION IF NOT EXISTS fuzzystrmatch SCHEMA {}",
            m.schema()
        ))
    }),
    kind("drop extension", |m| {
        m.pick("SELECT 'DROP EXTENSION fuzzystrmatch' FROM pg_catalog.pg_extension WHERE extname = 'fuzzystrmatch'").and_then(one)
    }),
];

fn labels(m: &mut Mutator) -> Vec<String> {
    m.client.column("SELECT enumlabel FROM pg_catalog.pg_enum WHERE enumtypid = 'm0.mood'::pg_catalog.regtype ORDER BY enumsortorder")
}

fn own_trigger(m: &mut Mutator, format: &str) -> Option<String> {
    m.pick(&format!(
        "SELECT pg_catalog.format({}, g.tgname, g.tgrelid::pg_catalog.regclass) FROM pg_catalog.pg_trigger g \
         JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname IN ('m0', 'm1', 'm2') AND NOT g.tgisinternal AND g.tgparentid = 0",
        literal(format)
    ))
}

fn large_object(m: &mut Mutator) -> Option<String> {
    m.pick("SELECT oid::text FROM pg_catalog.pg_largeobject_metadata WHERE pg_catalog.pg_get_userbyid(lomowner) = CURRENT_USER")
}

/// Chosen by us, since the server's choice depends on what else was created in the cluster.
fn large_object_id(n: u64) -> u64 {
    2_000_000_000 + n
}

fn extra_schema(m: &mut Mutator) -> Option<String> {
    m.pick("SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname LIKE 'extra%'")
}

fn grant(m: &mut Mutator, verb: &str, to: &str) -> Change {
    let t = m.any_table()?.name;
    let (what, role) = (
        m.choose(&["SELECT", "INSERT, UPDATE", "ALL"]),
        m.choose(&["lector", "escritor", "PUBLIC"]),
    );
    one(format!("{verb} {what} ON {t} {to} {role}"))
}
