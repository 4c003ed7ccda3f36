//! Rows made binary on the client's side are those which the server itself writes.

use respaldo_domain::table::{Column, TableName};
use respaldo_postgres::{BinaryRows, ConnInfo, Session, SessionOptions, sql};
use respaldo_tests::{Client, Cluster};

/// Types, and expressions over `n` (1, 2, 3...) and `r` (from 0 to 1, at random) for their values.
const VALUES: [(&str, &str); 24] = [
    ("bool", "r < 0.5"),
    ("int2", "(r * 65535 - 32768)::int"),
    ("int4", "(r * 4294967295 - 2147483648)::int8"),
    (
        "int8",
        "(array[0, 1, -1, 9223372036854775807, -9223372036854775808, (r * 1e18)::int8])[1 + n % 6]",
    ),
    ("oid", "(r * 4294967295)::int8"),
    (
        "float4",
        "(array['0', '-0', 'NaN', 'Infinity', '-Infinity', '1e-45', '3.4028235e38']::float4[] || (r * 10 ^ (r * 70 - 35))::float4)[1 + n % 8]",
    ),
    (
        "float8",
        "(array['0', '-0', 'NaN', 'Infinity', '-Infinity', '5e-324', '1.7976931348623157e308']::float8[] || r * 10 ^ (r * 600 - 300))[1 + n % 8]",
    ),
    (
        "numeric",
        "(array[0, 0.000, 'NaN', 1e40, -1e-40, 10000, 99999999.9999, 0.0001, 0.00010]::numeric[] || round((r * 10 ^ (r * 40 - 20))::numeric * (n % 7 - 3), n % 25))[1 + n % 10]",
    ),
    ("numeric(14,4)", "(r * 1e9)::numeric * (n % 5 - 2)"),
    (
        "text",
        "repeat(chr(1 + n % 300), n % 40) || E'\\t\\\\N\\n\\\\.' || repeat('\\', n % 3)",
    ),
    ("varchar(20)", "left(md5(r::text), n % 20)"),
    ("char(12)", "left(md5(r::text), n % 12)"),
    ("json", "json_build_object('a', r, E'b\\n\\\\', n)"),
    (
        "jsonb",
        "jsonb_build_object('a', r, E'b\\n\\\\', array[n, n], 'ñ', null)",
    ),
    ("bytea", "decode(repeat(md5(r::text), n % 5), 'hex')"),
    ("uuid", "md5(r::text)::uuid"),
    (
        "date",
        "(array['infinity', '-infinity', '0001-01-01', '9999-12-31', '2000-02-29']::date[] || date '0001-01-01' + (r * 3652058)::int)[1 + n % 6]",
    ),
    ("time", "time '00:00' + r * interval '1 day'"),
    ("time(3)", "time '00:00' + r * interval '1 day'"),
    (
        "timestamp",
        "(array['infinity', '-infinity', '0001-01-01', '9999-12-31 23:59:59.999999']::timestamp[] || timestamp '0001-01-01' + r * interval '3652058 days')[1 + n % 5]",
    ),
    (
        "timestamp(0)",
        "timestamp '2023-01-01' + r * interval '400 days'",
    ),
    (
        "timestamptz",
        "(array['infinity', '-infinity', '0001-01-03', '9999-12-30']::timestamptz[] || timestamptz '0001-01-03' + r * interval '3652050 days')[1 + n % 5]",
    ),
    (
        "kinds.mood",
        "(array['so so', E'it''s\\ta\\\\b', 'größer']::kinds.mood[])[1 + n % 3]",
    ),
    ("int4", "null"),
];

/// Zones in which text of the same moments is written otherwise; Amsterdam had seconds once.
const ZONES: [&str; 4] = [
    "UTC",
    "Asia/Kolkata",
    "America/St_Johns",
    "Europe/Amsterdam",
];

fn connect(url: &str) -> Session {
    let info = ConnInfo::parse(url).unwrap();
    Session::connect(&info, &SessionOptions::default()).unwrap()
}

fn copied(session: &mut Session, statement: &str) -> Vec<u8> {
    let mut all = Vec::new();
    let each = |piece: &[u8]| {
        all.extend_from_slice(piece);
        Ok::<_, respaldo_postgres::PgError>(())
    };
    session.copy_out(statement, each).unwrap();
    all
}

fn columns(names: &[String]) -> Vec<Column> {
    let column = |name: &String| Column {
        name: name.clone(),
        sql_type: String::new(),
    };
    names.iter().map(column).collect()
}

/// A table of all types, a tenth of whose values are NULL.
fn fill(url: &str, rows: u32) -> Vec<String> {
    let names: Vec<String> = (1..=VALUES.len()).map(|at| format!("c{at}")).collect();
    let table: Vec<String> = names
        .iter()
        .zip(VALUES)
        .map(|(name, (of, _))| format!("{name} {of}"))
        .collect();
    let values: Vec<String> = VALUES
        .iter()
        .enumerate()
        .map(|(at, (of, value))| format!("CASE WHEN (n + {at}) % 10 > 0 THEN ({value})::{of} END"))
        .collect();
    Client::connect(url).exec(&format!(
        "CREATE SCHEMA kinds;
         CREATE TYPE kinds.mood AS ENUM ('so so', E'it''s\\ta\\\\b', 'größer');
         CREATE TABLE kinds.every ({});
         SELECT setseed(0.42);
         INSERT INTO kinds.every SELECT {} FROM (SELECT n, random() AS r FROM generate_series(1, {rows}) n) s",
        table.join(", "),
        values.join(", ")
    ));
    names
}

#[test]
fn rows_of_every_type_become_what_the_server_writes_in_binary() {
    let cluster = Cluster::start();
    let url = cluster.new_database("kinds");
    let names = fill(&url, 20_000);
    let mut session = connect(&url);
    let table = TableName::new("kinds", "every");
    let rows = BinaryRows::of(&mut session, &table, &columns(&names))
        .unwrap()
        .unwrap();
    let expected = copied(&mut session, "COPY kinds.every TO STDOUT (FORMAT binary)");
    for zone in ZONES {
        session
            .execute(sql(format!("SET TimeZone = '{zone}'")))
            .unwrap();
        let text = copied(&mut session, "COPY kinds.every TO STDOUT");
        let mut binary = BinaryRows::HEADER.to_vec();
        let taken = rows.convert(&text, &mut binary);
        let left = String::from_utf8_lossy(&text[taken..]);
        assert_eq!(taken, text.len(), "{zone}: {:?}", left.lines().next());
        binary.extend_from_slice(BinaryRows::TRAILER);
        assert!(binary == expected, "{zone}");
    }
}

#[test]
fn columns_are_taken_in_the_order_asked_for_and_only_of_types_that_are_sure() {
    let cluster = Cluster::start();
    let url = cluster.new_database("sure");
    Client::connect(&url).exec(
        "CREATE DOMAIN public.even AS int CHECK (value % 2 = 0);
         CREATE TYPE public.two AS (a int, b int);
         CREATE TABLE public.t (a int, gone int, b text, c interval, d int[], e public.even, f public.two, g regclass, h xml, i inet);
         ALTER TABLE public.t DROP COLUMN gone;",
    );
    let mut session = connect(&url);
    let mut sure = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let table = TableName::new("public", "t");
        BinaryRows::of(&mut session, &table, &columns(&names)).unwrap()
    };
    let rows = sure(&["b", "a"]).unwrap();
    let mut binary = Vec::new();
    assert_eq!(rows.convert(b"x\t7\n", &mut binary), 4);
    assert_eq!(binary, [0, 2, 0, 0, 0, 1, b'x', 0, 0, 0, 4, 0, 0, 0, 7]);
    for other in ["c", "d", "e", "f", "g", "h", "i", "gone", "missing"] {
        assert_eq!(sure(&["a", other]), None, "{other}");
    }
}
