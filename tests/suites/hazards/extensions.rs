//! Tables of extensions that hold rows of ours, and extensions that are updated (scenarios 19
//! and 16).

use respaldo_tests::{Client, Cluster, Journey};

/// Two tables: of `setting` the rows that are not the extension's own are ours, of `internal` none.
/// And a type.
const FIRST: &str = "
    CREATE TABLE setting (name text, value text, built_in bool NOT NULL DEFAULT false);
    INSERT INTO setting VALUES ('limit', '10', true), ('colour', 'red', true);
    SELECT pg_catalog.pg_extension_config_dump('setting', 'WHERE NOT built_in');
    CREATE TABLE internal AS SELECT 1 AS id;
    CREATE TYPE degree;
    CREATE FUNCTION degree_in(cstring) RETURNS degree AS 'int4in' LANGUAGE internal IMMUTABLE STRICT;
    CREATE FUNCTION degree_out(degree) RETURNS cstring AS 'int4out' LANGUAGE internal IMMUTABLE STRICT;
    CREATE TYPE degree (INPUT = degree_in, OUTPUT = degree_out, LIKE = int4);
";

/// What each update does, to versions 1.1, 1.2 and so on.
const UPDATES: [&str; 3] = [
    "SELECT pg_catalog.pg_extension_config_dump('setting', 'WHERE NOT built_in AND value <> ''secret''');",
    "SELECT pg_catalog.pg_extension_config_dump('internal', 'WHERE id > 1');",
    "CREATE OR REPLACE FUNCTION degree_in(cstring) RETURNS degree AS 'oidin' LANGUAGE internal IMMUTABLE STRICT;
     CREATE OR REPLACE FUNCTION degree_out(degree) RETURNS cstring AS 'oidout' LANGUAGE internal IMMUTABLE STRICT;",
];

/// A server that knows the extension `kit`.
fn with_extension() -> Cluster {
    let cluster = Cluster::builder().own_extensions().start();
    cluster.write_extension_file("kit--1.0.sql", FIRST);
    for (n, update) in UPDATES.iter().enumerate() {
        let name = format!("kit--1.{n}--1.{}.sql", n + 1);
        cluster.write_extension_file(&name, update);
    }
    publish(&cluster, "1.0");
    cluster
}

/// The version that a package brings, which restores create.
fn publish(cluster: &Cluster, version: &str) {
    let control = format!("default_version = '{version}'\nrelocatable = true\n");
    cluster.write_extension_file("kit.control", &control);
}

fn live(cluster: &Cluster) -> Client {
    let mut client = Client::connect(&cluster.new_database("live"));
    client.exec("CREATE EXTENSION kit");
    client.exec(
        "INSERT INTO setting VALUES ('mine', '1'), ('other', 'secret');
         CREATE TABLE t AS SELECT '-1'::degree AS d; CREATE TABLE quiet AS SELECT 1 AS id",
    );
    client
}

#[test]
fn rows_of_ours_in_a_table_of_an_extension_are_backed_up_when_they_change() {
    let cluster = with_extension();
    let mut client = live(&cluster);
    let mut journey = Journey::new(&cluster, "live");
    let full = journey.backup("full");
    assert!(full.dumped().contains(&"public.setting"), "{full:#?}");
    assert!(!full.dumped().contains(&"public.internal"), "{full:#?}");
    assert_eq!(journey.backup("inc").dumped(), [""; 0]);
    for change in [
        "UPDATE setting SET value = '2' WHERE name = 'mine'",
        "INSERT INTO setting VALUES ('new', 'x')",
        "DELETE FROM setting WHERE NOT built_in",
        "INSERT INTO setting VALUES ('again', NULL)",
    ] {
        client.exec(change);
        assert_eq!(
            journey.backup("inc").dumped(),
            ["public.setting"],
            "{change}"
        );
        client.exec("UPDATE quiet SET id = id + 1");
        let other = journey.backup("inc");
        assert_eq!(other.dumped(), ["public.quiet"]);
    }
    journey.check();
}

#[test]
fn an_extension_that_is_updated_may_change_which_rows_are_ours_and_how_values_print() {
    let cluster = with_extension();
    let mut client = live(&cluster);
    let mut journey = Journey::new(&cluster, "live");
    journey.backup("full");
    client.exec("UPDATE quiet SET id = 2");
    journey.backup("inc");
    journey.check();
    let expected = [
        vec!["public.setting"],  // other rows of it are ours
        vec!["public.internal"], // rows of it may be ours
        vec!["public.t"],        // its values print differently
    ];
    for (n, changed) in expected.iter().enumerate() {
        let version = format!("1.{}", n + 1);
        client.exec(&format!("ALTER EXTENSION kit UPDATE TO '{version}'"));
        publish(&cluster, &version);
        let point = journey.backup("inc");
        for table in changed {
            assert!(point.dumped().contains(table), "{version}: {point:#?}");
        }
        assert!(
            !point.dumped().contains(&"public.quiet"),
            "{version}: {point:#?}"
        );
        assert_eq!(journey.differences(&point), [""; 0], "{version}");
        client.exec("INSERT INTO internal VALUES (7)");
        let next = journey.backup("inc");
        assert_eq!(journey.differences(&next), [""; 0], "{version}");
    }
}
