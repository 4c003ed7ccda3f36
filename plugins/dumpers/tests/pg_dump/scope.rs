//! Exactly the tables in scope, whatever their names, and everything else that is not rows.

use std::collections::HashSet;
use std::fmt::Write;

use respaldo_archive::{ArchiveReader, BlockKind};
use respaldo_domain::table::{TableFacts, TableName, quote_identifier};
use respaldo_dumpers::DumperOptions;
use respaldo_engine::ports::Definitions;

use crate::bench::{Bench, Dumped, fingerprint};

/// Names that break careless quoting or match each other as patterns.
const NAMES: [&str; 24] = [
    "a",
    "b",
    "a|b",
    "(a)",
    "a.b",
    "A",
    "ab",
    "a*",
    "a?",
    "a ",
    " a",
    "$a$",
    "a$",
    "a\\b",
    "[ab]",
    "a\"b",
    "\"a\"",
    "a'b",
    "a\nb",
    "a\tb",
    "emoji😀",
    "a{1}^+",
    "-a",
    "sesenta_y_tres_bytes_sesenta_y_tres_bytes_sesenta_y_tres_bytes_",
];

fn weird() -> Bench {
    let mut script = String::new();
    for schema in ["public", "Otro \"esquema\".|(x)"] {
        let schema = quote_identifier(schema);
        writeln!(script, "CREATE SCHEMA IF NOT EXISTS {schema};").unwrap();
        for (number, name) in NAMES.iter().enumerate() {
            let table = format!("{schema}.{}", quote_identifier(name));
            write!(script,
                "CREATE TABLE {table} (id serial, \"la, columna\" text, b bytea);
                 INSERT INTO {table} (\"la, columna\", b) \
                 SELECT E'tab\\t nl\\n \\\\ ' || i, decode('00ff', 'hex') FROM generate_series(1, {number}) i;\n"
            ).unwrap();
        }
    }
    script.push_str("ALTER ROLE dueno SET bytea_output = 'escape';");
    Bench::new(&script)
}

fn names_with_rows(bench: &Bench, dumped: &Dumped) -> HashSet<TableName> {
    assert!(!bench.listed(dumped, "TABLE DATA").is_empty());
    let file = std::fs::File::open(&dumped.path).unwrap();
    let mut reader = ArchiveReader::new(file).unwrap();
    let toc = reader.toc().clone();
    let mut found = HashSet::new();
    while let Some(block) = reader.next_block().unwrap() {
        if block.kind() == BlockKind::Data {
            let entry = toc.entry(block.dump_id()).unwrap();
            let namespace = entry.namespace.as_ref().unwrap().as_str().unwrap();
            found.insert(TableName::new(namespace, entry.tag.as_str().unwrap()));
        }
    }
    found
}

/// Every other table, and the others.
fn halves(bench: &Bench, options: &DumperOptions) {
    for rest in [0, 1] {
        let mut snapshot = bench.snapshot();
        let all: Vec<TableName> = snapshot
            .tables()
            .unwrap()
            .into_iter()
            .map(|t| t.name.clone())
            .collect();
        let place = |name: &TableName| all.iter().position(|other| other == name).unwrap();
        let request = bench.request(&mut snapshot, |table| place(&table.name) % 2 == rest);
        let dumped = bench.dump(&request, options).unwrap();
        let wanted: HashSet<TableName> = request.tables.iter().map(|t| t.name.clone()).collect();
        assert_eq!(names_with_rows(bench, &dumped), wanted);
        assert_eq!(bench.listed(&dumped, "SEQUENCE SET").len(), 2 * NAMES.len());
        assert_eq!(dumped.receipt.tables.len(), wanted.len());
        for table in &dumped.receipt.tables {
            let name = &request
                .tables
                .iter()
                .find(|t| t.oid == table.oid)
                .unwrap()
                .name;
            assert_eq!(table.columns, ["id", "la, columna", "b"]);
            assert_eq!(
                table.fingerprint,
                fingerprint(&bench.info, name, &table.columns),
                "{name}"
            );
        }
    }
}

#[test]
fn weird_names_are_excluded_and_included_exactly() {
    halves(&weird(), &DumperOptions::default());
}

#[test]
fn the_same_holds_where_names_do_not_fit_one_command_line() {
    halves(
        &weird(),
        &DumperOptions {
            argument_bytes: 1_200,
            ..DumperOptions::default()
        },
    );
}

const EVERYTHING: &str = "
    CREATE TABLE sin_columnas (); INSERT INTO sin_columnas DEFAULT VALUES;
    CREATE TABLE cliente (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, nombre text UNIQUE,
        doble int GENERATED ALWAYS AS (1 * 2) STORED);
    INSERT INTO cliente (nombre) SELECT 'c' || i FROM generate_series(1, 1000) i;
    CREATE TABLE factura (id serial PRIMARY KEY, cliente int REFERENCES cliente);
    INSERT INTO factura (cliente) SELECT i FROM generate_series(1, 500) i;
    CREATE UNLOGGED TABLE efimera (v int); INSERT INTO efimera VALUES (7);
    CREATE TABLE mes (d date) PARTITION BY RANGE (d);
    CREATE TABLE mes_1 PARTITION OF mes FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    INSERT INTO mes VALUES ('2026-01-15');
    CREATE SCHEMA aparte; CREATE TABLE aparte.t (i int); INSERT INTO aparte.t VALUES (1);
    CREATE MATERIALIZED VIEW resumen AS SELECT count(*) AS n FROM cliente;
    CREATE MATERIALIZED VIEW antes AS SELECT n + 1 AS n FROM resumen;
    CREATE SEQUENCE suelta; SELECT setval('suelta', 42);
    SELECT lo_from_bytea(4242, 'hola'); COMMENT ON LARGE OBJECT 4242 IS 'grande';
    GRANT SELECT ON LARGE OBJECT 4242 TO lector;
    SELECT lo_create(4343);
";

/// Tables out of scope, whose names alone take more than the smallest limit used here.
fn everything() -> Bench {
    let out = |i| {
        format!(
            "CREATE TABLE fuera_{}_{i} AS SELECT 1;",
            "de_alcance_".repeat(4)
        )
    };
    Bench::new(&(EVERYTHING.to_owned() + &(1..=12).map(out).collect::<String>()))
}

fn is_wanted(table: &TableFacts) -> bool {
    !table.name.name.starts_with("fuera_")
}

fn restores_equal(options: &DumperOptions) {
    let bench = everything();
    let mut snapshot = bench.snapshot();
    let mut request = bench.request(&mut snapshot, is_wanted);
    request.large_objects = true;
    let dumped = bench.dump(&request, options).unwrap();
    assert_eq!(bench.listed(&dumped, "MATERIALIZED VIEW DATA").len(), 2);
    let restored = bench.restore(&dumped, "destino");
    for table in &dumped.receipt.tables {
        let name = &request
            .tables
            .iter()
            .find(|t| t.oid == table.oid)
            .unwrap()
            .name;
        assert_eq!(
            table.fingerprint,
            fingerprint(&restored, name, &table.columns),
            "{name}"
        );
        assert!(table.fingerprint.rows > 0, "{name}");
    }
    let state = "SELECT (SELECT n FROM antes), nextval('suelta'), nextval('factura_id_seq'), \
        lo_get(4242), obj_description(4242, 'pg_largeobject'), (SELECT count(*) FROM pg_largeobject_metadata)";
    assert_eq!(
        bench.cluster.psql("destino", state),
        "1001|43|501|\\x686f6c61|grande|2"
    );
}

#[test]
fn an_archive_restores_with_stock_pg_restore_in_parallel() {
    restores_equal(&DumperOptions::default());
}

#[test]
fn an_archive_joined_from_several_runs_restores_just_so() {
    restores_equal(&DumperOptions {
        argument_bytes: 480,
        ..DumperOptions::default()
    });
}

#[test]
fn an_archive_of_any_level_says_so_and_restores() {
    for level in [0, 1, 9] {
        let options: DumperOptions =
            serde_json::from_value(serde_json::json!({ "level": level })).unwrap();
        restores_equal(&options);
    }
}

#[test]
fn without_large_objects_nothing_of_them_is_in_the_archive() {
    let bench = Bench::new(EVERYTHING);
    let mut snapshot = bench.snapshot();
    let request = bench.request(&mut snapshot, |table| table.name.name == "cliente");
    let dumped = bench.dump(&request, &DumperOptions::default()).unwrap();
    for word in ["BLOB", "LARGE OBJECT"] {
        assert_eq!(bench.listed(&dumped, word), Vec::<String>::new());
    }
}

#[test]
fn schemas_and_relations_left_out_are_not_in_the_archive_at_all() {
    let bench = everything();
    bench.cluster.psql(
        "origen",
        "CREATE TABLE secreta (i int); CREATE SEQUENCE cerrada",
    );
    let mut snapshot = bench.snapshot();
    let mut request = bench.request(&mut snapshot, |table| {
        is_wanted(table) && table.name.schema == "public" && table.name.name != "secreta"
    });
    request.exclude_schemas.push("aparte".to_owned());
    request.leave_out = ["secreta", "cerrada"]
        .map(|name| TableName::new("public", name))
        .to_vec();
    for argument_bytes in [100_000, 520] {
        let options = DumperOptions {
            argument_bytes,
            ..DumperOptions::default()
        };
        let dumped = bench.dump(&request, &options).unwrap();
        assert_eq!(bench.listed(&dumped, "aparte"), Vec::<String>::new());
        assert_eq!(bench.listed(&dumped, "secreta"), Vec::<String>::new());
        assert_eq!(
            bench.listed(&dumped, "cerrada").len(),
            1,
            "its definition needs no right"
        );
    }
}

/// The table of contents of an archive.
fn contents(dumped: &Dumped) -> Vec<u8> {
    let bytes = std::fs::read(&dumped.path).unwrap();
    bytes[..dumped.receipt.contents_bytes as usize].to_vec()
}

fn file_of(bytes: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

#[test]
fn definitions_that_are_brought_are_taken_and_get_rows_and_values_of_now() {
    let bench = Bench::new(EVERYTHING);
    let mut snapshot = bench.snapshot();
    let mut request = bench.request(&mut snapshot, |_| true);
    request.large_objects = true;
    let older = contents(&bench.dump(&request, &DumperOptions::default()).unwrap());
    bench
        .cluster
        .psql("origen", "SELECT setval('suelta', 77, false)");
    let mut request = bench.request(&mut snapshot, |table| table.name.name == "cliente");
    let older = file_of(&older);
    request.contents = Some(older.path().to_owned());
    let dumped = bench.dump(&request, &DumperOptions::default()).unwrap();
    assert_eq!(dumped.receipt.definitions, Definitions::TakenOver);
    assert_eq!(bench.listed(&dumped, "TABLE DATA").len(), 1);
    assert_eq!(bench.listed(&dumped, "BLOB"), Vec::<String>::new());
    bench.restore(&dumped, "destino");
    let state = "SELECT (SELECT count(*) FROM cliente), last_value, is_called FROM suelta";
    assert_eq!(
        bench.cluster.psql("destino", state),
        bench.cluster.psql("origen", state)
    );
}

#[test]
fn contents_that_are_not_understood_are_written_anew() {
    let bench = Bench::new(EVERYTHING);
    let mut snapshot = bench.snapshot();
    let mut request = bench.request(&mut snapshot, |_| true);
    let whole = contents(&bench.dump(&request, &DumperOptions::default()).unwrap());
    let cut = whole[..whole.len() - 1].to_vec();
    let longer = [&whole[..], &[0]].concat();
    for bad in [Vec::new(), b"PGDMP".to_vec(), cut, longer] {
        let bad = file_of(&bad);
        request.contents = Some(bad.path().to_owned());
        let dumped = bench.dump(&request, &DumperOptions::default()).unwrap();
        assert_eq!(dumped.receipt.definitions, Definitions::Written);
    }
}

#[test]
fn a_block_is_where_the_receipt_says_with_that_hash() {
    use std::io::{Read, Seek, SeekFrom};
    let bench = Bench::new(EVERYTHING);
    let mut snapshot = bench.snapshot();
    let request = bench.request(&mut snapshot, |_| true);
    let dumped = bench.dump(&request, &DumperOptions::default()).unwrap();
    let mut reader = ArchiveReader::new(std::fs::File::open(&dumped.path).unwrap())
        .unwrap()
        .with_hashes();
    let mut blocks = std::collections::HashMap::new();
    while let Some(block) = reader.next_block().unwrap() {
        let report = block.finish().unwrap();
        blocks.insert(report.info.offset, report);
    }
    let mut file = std::fs::File::open(&dumped.path).unwrap();
    for table in &dumped.receipt.tables {
        let found = &blocks[&table.block.offset];
        assert_eq!(found.info.length, table.block.length);
        assert_eq!(found.sha256, Some(table.block.sha256.0));
        file.seek(SeekFrom::Start(table.block.offset)).unwrap();
        let mut kind = [0];
        file.read_exact(&mut kind).unwrap();
        assert_eq!(kind, [1]);
    }
}
