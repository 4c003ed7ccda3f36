//! Single tables, as of any backup, beside the live ones.

use respaldo_tests::{Client, Cluster, Journey};

#[test]
fn tables_of_any_point_come_back_beside_the_live_ones() {
    let cluster = Cluster::start();
    let mut client = Client::connect(&cluster.new_database("live"));
    client.exec(
        "CREATE TYPE mood AS ENUM ('a', 'b');
         CREATE TABLE kept (id int PRIMARY KEY, v text);
         CREATE TABLE \"Odd \"\"name\" (id int GENERATED ALWAYS AS IDENTITY, m mood, g int GENERATED ALWAYS AS (7) STORED);
         CREATE TABLE doomed (id int, v text);
         INSERT INTO kept SELECT g, 'old' FROM generate_series(1, 20) g;
         INSERT INTO \"Odd \"\"name\" (m) VALUES ('a'), ('b');
         INSERT INTO doomed VALUES (1, 'gone')",
    );
    let mut journey = Journey::new(&cluster, "live");
    let full = journey.backup("full");
    client.exec("UPDATE kept SET v = 'new' WHERE id < 5");
    let inc = journey.backup("inc");
    client.exec("DROP TABLE doomed; DELETE FROM kept");
    let live = journey.image_of("live").section("rows");

    for (point, schema, new) in [(&full, "before", 0), (&inc, "Between \"", 4)] {
        journey.respaldo().ok(&[
            "restore",
            "--id",
            &point.id,
            "--into-schema",
            schema,
            "--table",
            "public.kept",
            "--table",
            "public.\"Odd \"\"name\"",
            "--table",
            "public.doomed",
        ]);
        let schema = format!("\"{}\"", schema.replace('"', "\"\""));
        let count = |table: &str, cond: &str, client: &mut Client| {
            client.one(&format!(
                "SELECT count(*) FROM {schema}.{table} WHERE {cond}"
            ))
        };
        assert_eq!(count("kept", "true", &mut client), "20");
        assert_eq!(count("kept", "v = 'new'", &mut client), new.to_string());
        assert_eq!(
            count(
                "\"Odd \"\"name\"",
                "m IN ('a', 'b') AND id < 3",
                &mut client
            ),
            "2"
        );
        assert_eq!(count("doomed", "v = 'gone'", &mut client), "1");
    }
    let after = journey.image_of("live").section("rows");
    for (table, rows) in live {
        assert_eq!(
            after.get(&table),
            Some(&rows),
            "{table}: the live tables are left alone"
        );
    }
}

#[test]
fn a_table_that_the_backup_does_not_hold_is_refused_before_anything_is_made() {
    let cluster = Cluster::start();
    let mut client = Client::connect(&cluster.new_database("live"));
    client.exec("CREATE TABLE there AS SELECT 1 AS a");
    let mut journey = Journey::new(&cluster, "live");
    let full = journey.backup("full");
    let args = [
        "restore",
        "--id",
        &full.id,
        "--into-schema",
        "s",
        "--table",
        "public.there",
        "--table",
        "public.nowhere",
        "--json",
    ];
    let outcome = journey.respaldo().run(&args);
    outcome.expect_code(2);
    assert_eq!(outcome.json()["error"]["codigo"], "unknown-table");
    assert_eq!(
        client.one("SELECT count(*) FROM pg_namespace WHERE nspname = 's'"),
        "0"
    );
}
