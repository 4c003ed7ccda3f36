//! A database of 5,000 tables: more than fit on a command line, and nothing to wait for. And one of
//! 10,000, which takes little memory.

use std::time::{Duration, Instant};

use respaldo_tests::{Client, Cluster, Respaldo};

const TABLES: usize = 5_000;

/// Most memory of the engine, whatever the size of the database; pg_dump takes its own. The shipped program is 16 MiB of
/// the 64 that there may be.
const MEMORY_KIB: u64 = 48 * 1024;

fn make_tables(url: &str, count: usize) {
    let mut client = Client::connect(url);
    client.exec("CREATE SCHEMA many; CREATE SCHEMA \"many more tables\"");
    for block in 0..count / 500 {
        client.exec(&format!(
            "DO $$ BEGIN FOR n IN {} .. {} LOOP
               EXECUTE format('CREATE TABLE %s.table_with_a_long_name_number_%s AS
                   SELECT %s AS n', CASE WHEN n % 2 = 0 THEN 'many' ELSE '\"many more tables\"' END, n, n);
             END LOOP; END $$",
            block * 500 + 1,
            (block + 1) * 500
        ));
    }
}

#[test]
fn five_thousand_tables_are_backed_up_and_restored_in_reasonable_time() {
    let cluster = Cluster::start();
    let url = cluster.owned_database("wide", "dueno");
    make_tables(&url, TABLES);
    let respaldo = Respaldo::for_url(&cluster, &url).limit(Duration::from_mins(3));
    let timed = |args: &[&str]| {
        let start = Instant::now();
        let outcome = respaldo.run(args);
        assert!(outcome.is_done(), "{args:?}: {outcome:#?}");
        println!("{args:?}: {:.1} s", start.elapsed().as_secs_f64());
        outcome.json()
    };
    let full = timed(&["backup", "full", "--json"]);
    assert!(full["tablas_volcadas"].as_u64().unwrap() as usize >= TABLES);
    let nothing = timed(&["backup", "inc", "--json"]);
    assert_eq!(
        (&nothing["tipo"], &nothing["tablas_volcadas"]),
        (&"INCREMENTAL".into(), &0.into())
    );

    let mut client = Client::connect(&url);
    client.exec("INSERT INTO many.table_with_a_long_name_number_2500 VALUES (-1)");
    client.exec("DROP TABLE \"many more tables\".table_with_a_long_name_number_4999");
    let inc = timed(&["backup", "inc", "--json"]);
    assert_eq!(inc["tablas_volcadas"], 1, "{}", inc["mensaje"]);
    timed(&[
        "restore",
        "--at",
        "latest",
        "--target-db",
        "copy",
        "--create",
        "--json",
    ]);
    let sum = |db: &str| {
        cluster.psql(
            db,
            "SELECT count(*), sum((xpath('//c/text()', query_to_xml(
                 format('SELECT coalesce(sum(n), 0) AS c FROM %I.%I', schemaname, tablename),
                 false, true, '')))[1]::text::int)
             FROM pg_tables WHERE schemaname LIKE 'many%'",
        )
    };
    assert_eq!(sum("wide"), sum("copy"));
}

#[test]
fn the_engine_takes_no_more_than_64_mib_of_memory_for_10_000_tables() {
    let cluster = Cluster::start();
    let url = cluster.owned_database("wide", "dueno");
    make_tables(&url, 2 * TABLES);
    let respaldo = Respaldo::for_url(&cluster, &url).limit(Duration::from_mins(5));
    for kind in ["full", "inc", "inc", "dif"] {
        let peak = respaldo.peak_own_kib(&["backup", kind, "--json"]);
        println!("{kind}: {peak} KiB");
        assert!(peak <= MEMORY_KIB, "{kind}: {peak} KiB");
    }
}
