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

/// Text of databases that know other letters, or know none.
#[test]
fn text_in_other_encodings_becomes_what_the_server_writes_in_binary() {
    let cluster = Cluster::start();
    for encoding in ["LATIN1", "EUC_JP", "SQL_ASCII"] {
        let name = encoding.to_lowercase();
        cluster.psql(
            "postgres",
            &format!("CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"),
        );
        let url = cluster.url(&name);
        Client::connect(&url).exec(
            "CREATE TABLE public.t AS SELECT n, 'x' || E'\\t\\\\' || n AS a FROM generate_series(1, 100) n",
        );
        let mut session = connect(&url);
        session
            .execute(sql("UPDATE public.t SET a = a || '§' || a"))
            .unwrap();
        let columns = columns(&["n".to_owned(), "a".to_owned()]);
        let rows = BinaryRows::of(&mut session, &TableName::new("public", "t"), &columns);
        let expected = copied(&mut session, "COPY public.t TO STDOUT (FORMAT binary)");
        let text = copied(&mut session, "COPY public.t TO STDOUT");
        let mut binary = BinaryRows::HEADER.to_vec();
        assert_eq!(
            rows.unwrap().unwrap().convert(&text, &mut binary),
            text.len(),
            "{encoding}"
        );
        binary.extend_from_slice(BinaryRows::TRAILER);
        assert!(binary == expected, "{encoding}");
    }
}

/// Values by their type that no server writes so, among some that are.
const STRANGE: [(&str, &[&str]); 10] = [
    (
        "int4",
        &["7", "-7", "007", "+7", "0x7", "7_0", " 7", "2147483648"],
    ),
    (
        "float8",
        &[
            "1.", "1.50e3", "1e+3", "00.5", ".5", "1e-400", "1e400", "infinity", "1.0e05", "1e0_0",
        ],
    ),
    (
        "float4",
        &[
            "0.1000000014901161193847656",
            "16777217",
            "3.4028236e38",
            "1e-46",
            "7.0064923216240854e-46",
        ],
    ),
    (
        "numeric",
        &[
            "1.50",
            "-0",
            "0.00",
            "1e3",
            "00",
            "1.",
            "0.00000000000000001",
            "Infinity",
            "123456789012345678901234567890.5",
        ],
    ),
    (
        "timestamptz",
        &[
            "2023-06-01 12:00:00+05:00:00",
            "2023-06-01 12:00:00.500000+00",
            "2023-06-01 12:00:00-00",
            "2023-06-01 12:00+00",
            "2023-06-01 24:00:00+00",
            "2023-06-01 12:00:00+15:59",
            "2023-02-29 12:00:00+00",
            "2023-06-01 12:00:00+0530",
        ],
    ),
    (
        "timestamp",
        &[
            "0001-01-01 00:00:00",
            "2023-06-01 12:00:00.1",
            "2023-06-01 12:00:00+05",
            "0000-01-01 00:00:00",
        ],
    ),
    (
        "date",
        &["2023-06-01", "2023-6-1", "20230601", "epoch", "infinity"],
    ),
    (
        "time",
        &["12:00:00.000001", "12:00:00.1234567", "24:00:00", "12:00"],
    ),
    (
        "bytea",
        &["\\\\x00ff", "\\\\xAB", "\\\\x0", "\\\\001", "abc"],
    ),
    (
        "text",
        &["a\rb", "a\\x41", "a\\101", "a\\N", "a\\\\N", "\\."],
    ),
];

/// What is taken of them must be what a server reads.
#[test]
fn whatever_is_taken_means_what_the_server_takes_it_for() {
    let cluster = Cluster::start();
    let mut session = connect(&cluster.new_database("strange"));
    let table = TableName::new("public", "t");
    for (of, values) in STRANGE {
        session
            .batch(&format!(
                "DROP TABLE IF EXISTS public.t; CREATE TABLE public.t (v {of})"
            ))
            .unwrap();
        let rows = BinaryRows::of(&mut session, &table, &columns(&["v".to_owned()]));
        let rows = rows.unwrap().unwrap();
        let mut taken = 0;
        for value in values {
            let line = format!("{value}\n");
            let mut binary = BinaryRows::HEADER.to_vec();
            if rows.convert(line.as_bytes(), &mut binary) == 0 {
                continue;
            }
            binary.extend_from_slice(BinaryRows::TRAILER);
            taken += 1;
            session.batch("TRUNCATE public.t").unwrap();
            for (form, bytes) in [("text", line.as_bytes()), ("binary", &binary)] {
                let statement = format!("COPY public.t FROM stdin (FORMAT {form})");
                let mut copy = session.copy_in(&statement).unwrap();
                copy.send(bytes).unwrap();
                assert_eq!(copy.finish().unwrap(), 1, "{of} {value:?} as {form}");
            }
            let stored = copied(&mut session, "COPY public.t TO STDOUT");
            let stored = String::from_utf8(stored).unwrap();
            let both: Vec<&str> = stored.lines().collect();
            assert_eq!(both[0], both[1], "{of} {value:?}");
        }
        assert!(0 < taken && taken < values.len(), "{of}: {taken}");
    }
}

#[test]
fn columns_are_taken_in_the_order_asked_for_and_only_of_types_that_are_sure() {
    let cluster = Cluster::start();
    let url = cluster.new_database("sure");
    Client::connect(&url).exec(
        "CREATE DOMAIN public.even AS int CHECK (value % 2 = 0);
         CREATE TYPE public.two AS (a int, b int);
         CREATE TABLE public.t (a int, gone int, b text, c interval, d int[], e public.even, f public.two, g regclass, h xml, i inet,
             j name, k \"char\", l xid, m money, n varbit);
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
    for other in [
        "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "gone", "missing",
    ] {
        assert_eq!(sure(&["a", other]), None, "{other}");
    }
}
