//! The tables that are written to: many small ones, whose names stay the same whatever happens.

use respaldo_tests::Client;

/// Tables of each kind; the leaves of `s.p` are counted apart.
const PLAIN: usize = 36;
const UNLOGGED: usize = 8;
const WITH_ENUM: usize = 10;
const LEAVES: usize = 6;

/// A table of the stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Qualified; needs no quotes.
    pub name: String,
    /// It has a column `m s.mood`.
    pub has_enum: bool,
    /// A leaf of `s.p` can be neither renamed nor dropped as easily.
    pub is_leaf: bool,
    /// UNLOGGED, when it is made again.
    pub is_unlogged: bool,
}

/// All tables, in an order that mixes the kinds.
pub fn tables() -> Vec<Table> {
    let table = |prefix: &str, n: usize| Table {
        name: format!("s.{prefix}{n:02}"),
        has_enum: prefix == "e",
        is_leaf: prefix == "p",
        is_unlogged: prefix == "u",
    };
    let mut all: Vec<Table> = [
        ("t", PLAIN),
        ("u", UNLOGGED),
        ("e", WITH_ENUM),
        ("p", LEAVES),
    ]
    .into_iter()
    .flat_map(|(prefix, count)| (0..count).map(move |n| table(prefix, n)))
    .collect();
    all.sort_by_key(|table| table.name.bytes().rev().collect::<Vec<_>>());
    all
}

impl Table {
    /// How it is made, with 25 rows.
    pub fn create(&self) -> String {
        let (name, unlogged) = (&self.name, if self.is_unlogged { "UNLOGGED " } else { "" });
        let column = if self.has_enum { ", m s.mood" } else { "" };
        format!(
            "CREATE {unlogged}TABLE {name} (id int PRIMARY KEY, v bigint, w text{column}); {}",
            self.fill(25)
        )
    }

    /// Rows that were never there before.
    pub fn fill(&self, rows: u32) -> String {
        let (column, value) = if self.has_enum {
            (
                ", m",
                ", (enum_range(NULL::s.mood))[1 + (random() * 2)::int]",
            )
        } else {
            ("", "")
        };
        format!(
            "INSERT INTO {} (id, v, w{column}) SELECT g, (random() * 1e15)::bigint, md5(random()::text){value} \
             FROM generate_series(1, {rows}) g",
            self.name
        )
    }
}

/// A function whose writes are not counted. Where there is one, counters are never asked.
pub const UNCOUNTED: &str = "
    CREATE FUNCTION s.uncounted(tab text) RETURNS void LANGUAGE plpgsql SET track_counts = off AS $$ BEGIN
        EXECUTE pg_catalog.format('UPDATE %s SET v = (random() * 1e15)::bigint WHERE id < 9', tab); END $$";

/// Makes everything in an empty database.
pub fn set(client: &mut Client) {
    client.exec(
        "CREATE SCHEMA s;
         CREATE TYPE s.mood AS ENUM ('mood0', 'mood1', 'mood2');
         CREATE PROCEDURE s.churn(tab text, n int) LANGUAGE plpgsql AS $$ BEGIN
            FOR i IN 1..n LOOP
                EXECUTE pg_catalog.format('UPDATE %s SET v = (random() * 1e15)::bigint WHERE id %% 5 = %s', tab, i % 5);
                COMMIT;
                PERFORM pg_catalog.pg_sleep(0.15);
            END LOOP; END $$;
         CREATE TABLE s.p (id int, v bigint, w text) PARTITION BY HASH (id)",
    );
    for table in tables() {
        if table.is_leaf {
            let number: usize = table.name[3..].parse().unwrap();
            client.exec(&format!(
                "CREATE TABLE {} PARTITION OF s.p FOR VALUES WITH (MODULUS {LEAVES}, REMAINDER {number})",
                table.name
            ));
        } else {
            client.exec(&table.create());
        }
    }
    client.exec("INSERT INTO s.p SELECT g, g, md5(g::text) FROM generate_series(1, 120) g");
}
