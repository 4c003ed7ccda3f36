//! What differs between two restore points, without a look at the database.

use respaldo_tests::{Cluster, Journey};
use serde_json::{Value, json};

const BEFORE: &str = "
CREATE TABLE kept (id int PRIMARY KEY, v text);
CREATE TABLE changed (a int, b text, v text, w numeric, PRIMARY KEY (b, a));
CREATE TABLE gone (id int);
CREATE TABLE \"Old Name\" (id int);
CREATE TABLE keyless (v int);
INSERT INTO kept SELECT n, 'x' FROM generate_series(1, 10) n;
INSERT INTO changed SELECT n, 'k' || n % 3, E'tab\\t' || n, n FROM generate_series(1, 5000) n;
INSERT INTO gone VALUES (1);
INSERT INTO \"Old Name\" VALUES (1);
INSERT INTO keyless VALUES (1);";

const CHANGES: &str = "
UPDATE changed SET v = NULL, w = 0.5 WHERE a = 7;
DELETE FROM changed WHERE a IN (1, 2);
INSERT INTO changed VALUES (9001, 'new', 'x', 1);
ALTER TABLE changed ADD COLUMN extra int DEFAULT 5;
DROP TABLE gone;
CREATE TABLE fresh (id int PRIMARY KEY);
ALTER TABLE \"Old Name\" RENAME TO renamed;
UPDATE keyless SET v = 2;";

fn diff(journey: &Journey<'_>, more: &[&str]) -> Value {
    let [before, after] = journey.points() else {
        panic!("two backups are compared");
    };
    // Without the server there is no catalog, and no numbers.
    let args = [&["diff", before.archive(), after.archive(), "--json"], more].concat();
    journey.respaldo().ok(&args).json()
}

fn of<'v>(found: &'v Value, table: &str) -> &'v Value {
    let tables = found["tablas"].as_array().unwrap();
    tables.iter().find(|t| t["tabla"] == table).unwrap()
}

#[test]
fn tables_and_rows_that_differ_between_two_backups_are_told() {
    let cluster = Cluster::start();
    cluster.owned_database("shop", "dueno");
    cluster.psql("shop", BEFORE);
    let mut journey = Journey::new(&cluster, "shop");
    journey.backup("full");
    cluster.psql("shop", CHANGES);
    journey.backup("inc");
    cluster.stop();

    let found = diff(&journey, &[]);
    assert_eq!(found["tablas_distintas"], 5, "{found:#}");
    let change = |table| of(&found, table)["cambio"].clone();
    assert_eq!(change("public.kept"), "igual");
    assert_eq!(change("public.changed"), "distinta");
    assert_eq!(change("public.gone"), "solo_primero");
    assert_eq!(change("public.fresh"), "solo_segundo");
    assert_eq!(
        of(&found, "public.renamed")["nombre_anterior"],
        "public.\"Old Name\""
    );
    assert_eq!(of(&found, "public.changed")["columnas_distintas"], true);

    let rows = diff(&journey, &["--table", "public.changed"])["filas"].clone();
    assert_eq!(rows["clave"], json!(["b", "a"]));
    let counts = ["agregadas", "quitadas", "cambiadas"].map(|count| rows[count].as_u64().unwrap());
    assert_eq!(counts, [1, 2, 1], "{rows:#}");
    let detail = rows["detalle"].as_array().unwrap();
    let seven = detail
        .iter()
        .find(|row| row["cambio"] == "cambiada")
        .unwrap();
    assert_eq!(seven["clave"], json!(["k1", "7"]));
    let expected = json!([
        {"columna": "v", "primero": "tab\t7", "segundo": null},
        {"columna": "w", "primero": "7", "segundo": "0.5"},
    ]);
    assert_eq!(seven["columnas"], expected);

    let few = diff(&journey, &["--table", "public.changed", "--rows", "1"]);
    assert_eq!(few["filas"]["detalle"].as_array().unwrap().len(), 1);
    let names = [journey.points()[0].archive(), journey.points()[1].archive()];
    let refused = |table: &str| {
        let args = ["diff", names[0], names[1], "--table", table, "--json"];
        let outcome = journey.respaldo().run(&args);
        outcome.expect_code(2);
        outcome.json()["error"]["codigo"].clone()
    };
    assert_eq!(refused("public.keyless"), "no-primary-key");
    assert_eq!(refused("public.nowhere"), "unknown-table");
    assert_eq!(refused("public.gone"), "unknown-table");
}
