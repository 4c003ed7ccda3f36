//! Random valid changes to a database, the same ones for the same seed and starting point.
//!
//! It works in schemas `m0` to `m2`, which it creates, and on rows of the every-object schema where
//! that is loaded. A change that fails (something depends on its object, a limit is reached) is
//! rolled back and another kind is tried, so each step leaves a working database, a different one
//! for nearly every kind.
#![expect(clippy::format_collect, reason = "short lists of SQL")]

mod maintenance;
mod objects;
mod partitions;
mod rows;
mod tables;

use crate::Client;
use crate::cluster::{ident, literal};

/// The statements of a change: each text is sent as one message, so it is one transaction unless
/// it says otherwise. `None`: there is nothing to do this change to.
type Change = Option<Vec<String>>;

/// One kind of change.
struct Kind {
    name: &'static str,
    superuser: bool,
    plan: fn(&mut Mutator) -> Change,
}

/// A kind that the owner of the database may do.
const fn kind(name: &'static str, plan: fn(&mut Mutator) -> Change) -> Kind {
    Kind {
        name,
        superuser: false,
        plan,
    }
}

/// A kind that needs a superuser.
const fn superuser_kind(name: &'static str, plan: fn(&mut Mutator) -> Change) -> Kind {
    Kind {
        name,
        superuser: true,
        plan,
    }
}

const FAMILIES: [&[Kind]; 5] = [
    rows::KINDS,
    tables::KINDS,
    partitions::KINDS,
    objects::KINDS,
    maintenance::KINDS,
];

/// Makes one random change after another.
#[derive(Debug)]
pub struct Mutator {
    client: Client,
    random: u64,
    number: u64,
    superuser: bool,
    every: bool,
}

/// A table of ours: its qualified and quoted name, and its columns besides `id`.
#[derive(Debug, Clone)]
struct Table {
    name: String,
    columns: Vec<Column>,
}

#[derive(Debug, Clone)]
struct Column {
    name: String,
    kind: String,
}

impl Mutator {
    /// Connects, creates the schemas `m0` to `m2` when they are missing, and seeds the choices.
    pub fn new(url: &str, seed: u64) -> Self {
        let mut client = Client::connect(url);
        client.exec("SET lock_timeout = '5s'; SET statement_timeout = '60s'; SET client_min_messages = error");
        let superuser = client.one("SELECT pg_catalog.current_setting('is_superuser')") == "on";
        let every = client
            .one("SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = 'every'")
            == "1";
        // Names from an earlier mutator of this database must not come again.
        let number = 1 + seed % 10_000 * 100_000;
        let mut mutator = Self {
            client,
            random: seed ^ 0x9E37_79B9_7F4A_7C15,
            number,
            superuser,
            every,
        };
        mutator.lay_foundations();
        mutator
    }

    /// Names of all kinds of change that there are.
    pub fn kinds() -> Vec<&'static str> {
        FAMILIES
            .iter()
            .flat_map(|family| family.iter().map(|kind| kind.name))
            .collect()
    }

    /// Makes one change, and tells which.
    pub fn step(&mut self) -> String {
        let kinds: Vec<&Kind> = FAMILIES.iter().flat_map(|family| family.iter()).collect();
        for _ in 0..400 {
            let kind = kinds[self.below(kinds.len())];
            if let Some(done) = self.attempt(kind) {
                return done;
            }
        }
        panic!("no kind of change is possible any more");
    }

    /// Makes `n` changes, and tells which.
    pub fn steps(&mut self, n: usize) -> Vec<String> {
        (0..n).map(|_| self.step()).collect()
    }

    /// Makes a change of the named kind; `None` when there is nothing to do it to now.
    pub fn step_of(&mut self, name: &str) -> Option<String> {
        let mut kinds = FAMILIES.iter().flat_map(|family| family.iter());
        let kind = kinds.find(|kind| kind.name == name);
        self.attempt(kind.unwrap_or_else(|| panic!("there is no kind of change {name}")))
    }

    fn attempt(&mut self, kind: &Kind) -> Option<String> {
        if kind.superuser && !self.superuser {
            return None;
        }
        let messages = (kind.plan)(self)?;
        for message in &messages {
            if self.send(message).is_err() {
                self.client.exec("ROLLBACK");
                return None;
            }
        }
        Some(format!("{}: {}", kind.name, messages.join("; ")))
    }

    fn send(&mut self, message: &str) -> Result<(), String> {
        match message.split_once("FROM STDIN\n") {
            Some((copy, data)) => self.client.try_copy_in(&format!("{copy}FROM STDIN"), data),
            None => self.client.try_exec(message),
        }
    }

    fn lay_foundations(&mut self) {
        if !self
            .client
            .column("SELECT 'x' FROM pg_catalog.pg_namespace WHERE nspname = 'm0'")
            .is_empty()
        {
            return;
        }
        self.client.exec(
            "CREATE SCHEMA m0; CREATE SCHEMA m1; CREATE SCHEMA m2;
             CREATE TYPE m0.mood AS ENUM ('a', 'b', 'c');
             CREATE TYPE m0.pt AS (x int, y text);
             CREATE DOMAIN m0.amount AS int;
             CREATE SEQUENCE m0.volatile_default;
             CREATE FUNCTION m0.stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
        );
        for name in [
            "new table",
            "new table",
            "new table",
            "new table",
            "new partitioned table",
        ] {
            let _ = self.step_of(name);
        }
        for _ in 0..6 {
            let _ = self.step_of("insert many");
        }
    }
}

// Choices.
impl Mutator {
    /// splitmix64: small, and good enough to choose with.
    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.random ^ (self.random >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn choose<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// A number that was not used before, for new names and values.
    fn fresh(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    fn schema(&mut self) -> &'static str {
        self.choose(&["m0", "m1", "m2"])
    }

    /// A new qualified name, now and then one that needs quotes.
    fn fresh_name(&mut self, kind: &str) -> String {
        let (schema, n) = (self.schema(), self.fresh());
        let name = match self.below(6) {
            0 => format!("{} \"{n}\"", kind.to_uppercase()),
            1 => format!("{kind}.{n} ñ"),
            _ => format!("{kind}{n}"),
        };
        format!("{schema}.{}", ident(&name))
    }

    /// One of the values of a query's first column.
    fn pick(&mut self, query: &str) -> Option<String> {
        let values = self
            .client
            .try_rows(query)
            .unwrap_or_else(|e| panic!("{e} in {query}"));
        let mut values: Vec<_> = values
            .into_iter()
            .filter_map(|mut row| row.swap_remove(0))
            .collect();
        values.sort();
        if values.is_empty() {
            None
        } else {
            Some(values.swap_remove(self.below(values.len())))
        }
    }

    fn count(&mut self, query: &str) -> usize {
        self.client.one(query).parse().unwrap()
    }

    /// A relation of the mutator's schemas that meets `condition` (over `c`, a row of pg_class).
    fn relation(&mut self, condition: &str) -> Option<String> {
        self.pick(&format!(
            "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname IN ('m0', 'm1', 'm2') AND {condition}"
        ))
    }

    /// A table that stands alone: no partition, nobody's parent or child.
    fn table(&mut self) -> Option<Table> {
        let name = self.relation(
            "c.relkind = 'r' AND NOT c.relispartition AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i \
             WHERE c.oid IN (i.inhrelid, i.inhparent))",
        )?;
        Some(self.described(name))
    }

    /// Any table that takes rows: also partitioned ones, partitions, parents and children.
    fn any_table(&mut self) -> Option<Table> {
        let name = self.relation("c.relkind IN ('r', 'p')")?;
        Some(self.described(name))
    }

    fn described(&mut self, name: String) -> Table {
        let rows = self.client.rows(&format!(
            "SELECT pg_catalog.quote_ident(a.attname), pg_catalog.format_type(a.atttypid, a.atttypmod) \
             FROM pg_catalog.pg_attribute a WHERE a.attrelid = {}::pg_catalog.regclass AND a.attnum > 0 \
             AND NOT a.attisdropped AND a.attname <> 'id' AND a.attgenerated = '' ORDER BY a.attnum",
            literal(&name)
        ));
        let column = |row: Vec<Option<String>>| {
            let [name, kind] = <[_; 2]>::try_from(row).unwrap().map(Option::unwrap);
            Column { name, kind }
        };
        Table {
            name,
            columns: rows.into_iter().map(column).collect(),
        }
    }

    /// One of the columns of `table`, besides `id`, whose type starts with `kind`.
    fn column(&mut self, table: &Table, kind: &str) -> Option<Column> {
        let fitting: Vec<_> = table
            .columns
            .iter()
            .filter(|c| c.kind.starts_with(kind))
            .collect();
        if fitting.is_empty() {
            None
        } else {
            Some(fitting[self.below(fitting.len())].clone())
        }
    }

    /// An expression over the integer `g` that gives a value of type `kind`.
    fn value(&mut self, kind: &str) -> String {
        let k = self.fresh() % 9973;
        match kind {
            "integer" | "bigint" | "m0.amount" => format!("(g * {k} % 30011)::int"),
            "boolean" => format!("(g + {k}) % 2 = 0"),
            "bytea" => format!("pg_catalog.decode(pg_catalog.md5((g * {k})::text), 'hex')"),
            "jsonb" => format!("pg_catalog.jsonb_build_object('k', {k}, 'g', g)"),
            "integer[]" => format!("ARRAY[g, NULL, {k}]::int[]"),
            "timestamp with time zone" => {
                format!("'2026-01-01 00:00+00'::timestamptz + g * interval '{k} seconds'")
            }
            "m0.pt" => format!("pg_catalog.jsonb_populate_record(NULL::m0.pt, '{{\"x\": {k}}}')"),
            "m0.mood" => format!(
                "(SELECT (pg_catalog.enum_range(NULL::m0.mood))[1 + (g + {k}) % \
                 pg_catalog.array_length(pg_catalog.enum_range(NULL::m0.mood), 1)])"
            ),
            kind if kind.starts_with("numeric") => format!("(g * {k} / 7.0)::numeric(12,3)"),
            "text" if k.is_multiple_of(11) => {
                format!("pg_catalog.repeat(pg_catalog.md5((g + {k})::text), 200)")
            }
            kind if kind == "text" || kind.starts_with("character") => {
                format!("pg_catalog.format('t%s\t%s\\', {k}, g)")
            }
            _ => "NULL".to_owned(),
        }
    }

    /// Rows for `table`: `n` of them, with ids above the present ones.
    fn insert(&mut self, table: &Table, n: usize) -> String {
        let names: String = table
            .columns
            .iter()
            .map(|c| format!(", {}", c.name))
            .collect();
        let values: Vec<_> = table
            .columns
            .iter()
            .map(|c| format!(", {}", self.value(&c.kind)))
            .collect();
        format!(
            "INSERT INTO {t} (id{names}) OVERRIDING SYSTEM VALUE \
             SELECT (SELECT coalesce(max(id), 0) FROM {t}) + g{} FROM generate_series(1, {n}) g",
            values.concat(),
            t = table.name
        )
    }
}
