//! Changes to partitioned tables: ranges of a thousand ids each.

use super::rows::one;
use super::tables::room_for_a_table;
use super::{Change, Kind, Mutator, kind};

pub(super) const KINDS: &[Kind] = &[
    kind("new partitioned table", |m| {
        let root = room_for_a_table(m)?;
        let (first, rest) = (m.fresh_name("part"), m.fresh_name("part"));
        one(format!(
            "CREATE TABLE {root} (id bigint PRIMARY KEY, c0 text, c1 int, c2 m0.mood) PARTITION BY RANGE (id); \
             CREATE TABLE {first} PARTITION OF {root} FOR VALUES FROM (0) TO (1000); \
             CREATE TABLE {rest} PARTITION OF {root} DEFAULT; \
             INSERT INTO {root} SELECT g * 40, 'p', g FROM generate_series(1, 60) g"
        ))
    }),
    kind("new partition", |m| {
        let (root, name, from) = (root(m)?, room_for_a_table(m)?, m.below(12) * 1000);
        one(format!(
            "{} CREATE TABLE {name} PARTITION OF {root} FOR VALUES FROM ({from}) TO ({})",
            clear_range(&root, from),
            from + 1000
        ))
    }),
    kind("new partition partitioned by hash", |m| {
        let (root, name, from) = (root(m)?, room_for_a_table(m)?, m.below(12) * 1000);
        let (a, b) = (m.fresh_name("part"), m.fresh_name("part"));
        one(format!(
            "{} CREATE TABLE {name} PARTITION OF {root} FOR VALUES FROM ({from}) TO ({to}) PARTITION BY HASH (id); \
             CREATE TABLE {a} PARTITION OF {name} FOR VALUES WITH (MODULUS 2, REMAINDER 0); \
             CREATE TABLE {b} PARTITION OF {name} FOR VALUES WITH (MODULUS 2, REMAINDER 1); \
             INSERT INTO {root} (id) SELECT {from} + g FROM generate_series(1, 20) g",
            clear_range(&root, from),
            to = from + 1000
        ))
    }),
    kind("attach partition", attach),
    kind("detach partition", |m| {
        let (root, leaf) = root_and_leaf(m)?;
        one(format!("ALTER TABLE {root} DETACH PARTITION {leaf}"))
    }),
    kind("drop partition", |m| {
        let (_, leaf) = root_and_leaf(m)?;
        one(format!("DROP TABLE {leaf} CASCADE"))
    }),
    kind("exchange partition", exchange),
    kind("truncate partitioned table", |m| {
        root(m).and_then(|root| one(format!("TRUNCATE {root}")))
    }),
    kind("truncate and fill partitioned table", |m| {
        let (root, n) = (root(m)?, m.fresh());
        one(format!(
            "TRUNCATE {root}; INSERT INTO {root} (id) SELECT g * {} FROM generate_series(1, 60) g",
            1 + n % 40
        ))
    }),
    kind("move rows between partitions", |m| {
        let root = root(m)?;
        one(format!(
            "UPDATE {root} SET id = id + 1000 WHERE id = (SELECT max(id) FROM {root} WHERE id < 1000)"
        ))
    }),
    kind("insert through the root", |m| {
        let (root, n) = (root(m)?, m.fresh());
        one(format!(
            "INSERT INTO {root} (id) SELECT g * 1000 + {} FROM generate_series(0, 9) g",
            n % 1000
        ))
    }),
    // Only below roots that sort before them: pg_dump writes the state of a partition's trigger in
    // order of names, so before the trigger exists when the partition's name comes first.
    kind("disable trigger of a partition", |m| {
        let n = m.fresh();
        let it = m.pick(&format!(
            "SELECT pg_catalog.format('CREATE TRIGGER tr{n} BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION m0.stamp(); \
             ALTER TABLE %s DISABLE TRIGGER tr{n}', r.oid::pg_catalog.regclass, c.oid::pg_catalog.regclass) \
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             JOIN pg_catalog.pg_class r ON r.oid = pg_catalog.pg_partition_root(c.oid) \
             JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace \
             WHERE n.nspname IN ('m0', 'm1', 'm2') AND c.relispartition AND c.relkind = 'r' \
             AND (n.nspname, c.relname) > (rn.nspname, r.relname)"
        ))?;
        one(it)
    }),
];

fn root(m: &mut Mutator) -> Option<String> {
    m.relation("c.relkind = 'p' AND NOT c.relispartition")
}

fn root_and_leaf(m: &mut Mutator) -> Option<(String, String)> {
    let leaf = m.relation("c.relispartition")?;
    let root = m.pick(&format!(
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_inherits i \
         JOIN pg_catalog.pg_class c ON c.oid = i.inhparent \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE i.inhrelid = {}::pg_catalog.regclass",
        crate::cluster::literal(&leaf)
    ))?;
    Some((root, leaf))
}

/// Rows that the default partition holds would refuse a new partition of their range.
fn clear_range(root: &str, from: usize) -> String {
    format!(
        "DELETE FROM {root} WHERE id >= {from} AND id < {};",
        from + 1000
    )
}

fn attach(m: &mut Mutator) -> Change {
    let (root, name, from) = (root(m)?, room_for_a_table(m)?, m.below(12) * 1000);
    one(format!(
        "{} CREATE TABLE {name} (LIKE {root} INCLUDING DEFAULTS); \
         INSERT INTO {name} (id) SELECT {from} + g FROM generate_series(1, 30) g; \
         ALTER TABLE {root} ATTACH PARTITION {name} FOR VALUES FROM ({from}) TO ({})",
        clear_range(&root, from),
        from + 1000
    ))
}

/// A new table takes the place of the first range, under the name of the old one.
fn exchange(m: &mut Mutator) -> Change {
    let (root, name) = (root(m)?, m.fresh_name("part"));
    let leaf = m.pick(&format!(
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_inherits i \
         JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE i.inhparent = {}::pg_catalog.regclass AND c.relkind = 'r' \
         AND pg_catalog.pg_get_expr(c.relpartbound, c.oid) LIKE '%FROM (''0'')%'",
        crate::cluster::literal(&root)
    ))?;
    one(format!(
        "ALTER TABLE {root} DETACH PARTITION {leaf}; CREATE TABLE {name} (LIKE {root} INCLUDING DEFAULTS); \
         INSERT INTO {name} (id) SELECT g * 2 FROM generate_series(1, 30) g; DROP TABLE {leaf} CASCADE; \
         ALTER TABLE {root} ATTACH PARTITION {name} FOR VALUES FROM (0) TO (1000)"
    ))
}
