//! Names that are legal and unusual: quotes, spaces, dots, upper case, emoji, new lines, 63 bytes;
//! of databases, schemas, tables, columns, sequences and roles.

use respaldo_tests::cluster::{ident, literal};
use respaldo_tests::{Cluster, Respaldo, Snapshot, assert_equal};

/// One of each kind of strangeness; the last two are as long as PostgreSQL allows.
fn names() -> Vec<String> {
    let mut names: Vec<String> = [
        "two words",
        "UPPER",
        "sin ñandú",
        "a \"quoted\" one",
        "it's",
        "dotted.name",
        "emoji 🐘🙂",
        "back\\slash",
        "new\nline",
        "car\rriage",
        "tab\there",
        "$body$",
        "percent%s%d",
        "*",
        "-dash",
        "select",
        "{curly}",
        "semi;colon",
        " lead and trail ",
        "../up",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push("x".repeat(63));
    names.push("ñ".repeat(31) + "y");
    names
}

/// A schema, a table, columns, a sequence, a foreign key and rows under each name.
fn objects(names: &[String], owner: &str) -> String {
    let mut script = String::new();
    for (n, name) in names.iter().enumerate() {
        let (name, text, owner) = (ident(name), literal(name), ident(owner));
        let statements = format!(
            "CREATE SCHEMA {name} AUTHORIZATION {owner};
             CREATE TABLE {name}.{name} (\"id\" serial PRIMARY KEY, {name} text NOT NULL DEFAULT {text},
                 CONSTRAINT {name} CHECK ({name} <> 'no'));
             CREATE TABLE {name}.other (ref int REFERENCES {name}.{name}, {name} int);
             CREATE INDEX ON {name}.{name} ({name});
             COMMENT ON TABLE {name}.{name} IS {text};
             CREATE VIEW {name}.seen AS SELECT {name} FROM {name}.{name};
             INSERT INTO {name}.{name} ({name}) SELECT {text} || g FROM generate_series(1, {n} + 2) g;
             INSERT INTO {name}.other SELECT 1, g FROM generate_series(1, 3) g;\n"
        );
        script.push_str(&statements);
    }
    script
}

#[test]
fn objects_of_any_name_are_backed_up_and_restored() {
    let names = names();
    let cluster = Cluster::start();
    let role = "Dueño \"el\" 'jefe'.🙂";
    cluster.psql(
        "postgres",
        &format!("CREATE ROLE {} LOGIN CREATEDB", ident(role)),
    );
    let db = "La \"base\" de 'Ana'.ñ🙂 ";
    let url = cluster.owned_database(db, role);
    cluster.psql_as(role, db, &objects(&names, role));
    let respaldo = Respaldo::for_url(&cluster, &url);
    let made = respaldo.run(&["backup", "full", "--json"]);
    assert!(made.is_done(), "{made:#?}");

    let changed: Vec<&String> = names.iter().step_by(2).collect();
    for name in &changed {
        let name = ident(name);
        cluster.psql_as(
            role,
            db,
            &format!("INSERT INTO {name}.{name} DEFAULT VALUES"),
        );
    }
    let made = respaldo.run(&["backup", "inc", "--json"]);
    assert!(made.is_done(), "{made:#?}");
    assert_eq!(made.json()["tipo"], "INCREMENTAL", "{made:#?}");
    let tables = made.json()["tablas"].as_array().unwrap().clone();
    let dumped = tables
        .iter()
        .filter(|table| table["volcada"] == true)
        .count();
    assert!(
        (changed.len()..2 * names.len()).contains(&dumped),
        "{dumped} of {}",
        tables.len()
    );

    let image = Snapshot::take(&cluster.url(db));
    for target in ["otra \"base\".ñ", &"z".repeat(63)] {
        let args = [
            "restore",
            "--at",
            "latest",
            "--target-db",
            target,
            "--create",
            "--json",
        ];
        let outcome = respaldo.run(&args);
        assert!(outcome.is_done(), "{target}: {outcome:#?}");
        assert_equal(&image, &Snapshot::take(&cluster.url(target)));
    }
    let in_place = respaldo.run(&["restore", "--at", "latest", "--replace", "--yes", "--json"]);
    assert!(in_place.is_done(), "{in_place:#?}");
    assert_equal(&image, &Snapshot::take(&cluster.url(db)));
    for args in [
        &["list"][..],
        &["validate", "--all"],
        &["status"],
        &["preview", "--at", "latest"],
    ] {
        let outcome = respaldo.run(args);
        assert!(outcome.is_done(), "{args:?}: {outcome:#?}");
    }
}

#[test]
fn one_table_of_any_name_can_be_restored_beside_the_live_one() {
    let cluster = Cluster::start();
    let url = cluster.owned_database("names", "dueno");
    let picked = ["a \"quoted\" one", "dotted.name", "UPPER", "emoji 🐘🙂"].map(str::to_owned);
    cluster.psql_as("dueno", "names", &objects(&picked, "dueno"));
    let respaldo = Respaldo::for_url(&cluster, &url);
    respaldo.ok(&["backup", "full"]);
    let image = Snapshot::take(&cluster.url("names"));
    for name in &picked {
        let table = format!("{0}.{0}", ident(name));
        let schema = format!("copia de {name}");
        let args = [
            "restore",
            "--at",
            "latest",
            "--table",
            &table,
            "--into-schema",
            &schema,
            "--json",
        ];
        let outcome = respaldo.run(&args);
        assert!(outcome.is_done(), "{name}: {outcome:#?}");
        let count = format!("SELECT count(*) FROM {}.{}", ident(&schema), ident(name));
        let live = format!("SELECT count(*) FROM {table}");
        assert_eq!(
            cluster.psql("names", &count),
            cluster.psql("names", &live),
            "{name}"
        );
    }
    let rows = image.section("rows").len() + picked.len();
    assert_eq!(
        Snapshot::take(&cluster.url("names")).section("rows").len(),
        rows
    );
}

#[test]
fn a_database_whose_name_holds_a_new_line_is_backed_up_or_refused_clearly() {
    let cluster = Cluster::start();
    let db = "two\nlines";
    let url = cluster.owned_database(db, "dueno");
    cluster.psql_as(
        "dueno",
        db,
        "CREATE TABLE public.t AS SELECT g FROM generate_series(1, 9) g",
    );
    let respaldo = Respaldo::for_url(&cluster, &url);
    let made = respaldo.run(&["backup", "full", "--json"]);
    super::assert_decent(&made);
    if made.is_done() {
        let args = [
            "restore",
            "--at",
            "latest",
            "--target-db",
            "copy",
            "--create",
            "--json",
        ];
        let outcome = respaldo.run(&args);
        assert!(outcome.is_done(), "{outcome:#?}");
        assert_equal(
            &Snapshot::take(&cluster.url(db)),
            &Snapshot::take(&cluster.url("copy")),
        );
    } else {
        assert_ne!(made.error_code(), "internal", "{made:#?}");
    }
}
