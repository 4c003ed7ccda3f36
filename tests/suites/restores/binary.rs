//! Rows that reach the server in binary, and those that had better come as text.

use respaldo_tests::{Cluster, Respaldo, diff, journey};

/// Tables large enough to be loaded by statements of their own. `sure`: only values that are. `odd`: in the middle a moment
/// of a year with five digits. `wide`: in the middle a row of two megabytes. `other`: a type that is always sent as text.
const TABLES: &str = "
    CREATE TABLE public.sure AS SELECT g AS id, md5(g::text)::uuid AS a, md5((g * 3)::text)::varchar(40) AS b, now() + g * interval '1 s' AS at,
        g * 1.05 AS n, sqrt(g) AS f, jsonb_build_object('g', g, 'tab', chr(9)) AS j, nullif(g % 7, 0) % 2 = 0 AS t
        FROM generate_series(1, 20000) g;
    CREATE TABLE public.odd AS SELECT id, a, CASE id WHEN 9876 THEN '12023-01-01' ELSE at END AS at FROM public.sure;
    CREATE TABLE public.wide AS SELECT id, CASE id WHEN 9876 THEN repeat(b, 65536) ELSE b END AS b FROM public.sure;
    CREATE TABLE public.other AS SELECT id, a, id * interval '1 s' AS i FROM public.sure;
";

const RESTORE: [&str; 7] = [
    "restore",
    "--at",
    "latest",
    "--target-db",
    "copy",
    "--create",
    "--json",
];

/// The tables backed up, on a server that logs what it is asked.
fn backed_up() -> (Cluster, Respaldo) {
    let cluster = Cluster::start();
    cluster.owned_database("live", "dueno");
    cluster.psql_as("dueno", "live", TABLES);
    let respaldo = Respaldo::new(&cluster, "live");
    assert!(respaldo.run(&["backup", "full", "--json"]).is_done());
    cluster.psql("postgres", "ALTER SYSTEM SET log_statement = 'all'");
    cluster.psql("postgres", "SELECT pg_reload_conf()");
    (cluster, respaldo)
}

/// Restores, and compares what is there with what should be.
fn restore(cluster: &Cluster, respaldo: &Respaldo) {
    let outcome = respaldo.run(&RESTORE);
    assert!(outcome.is_done(), "{outcome:#?}");
    let image = journey::image(&cluster.url("live"));
    let found = diff(&image, &journey::image(&cluster.url("copy")));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// How rows of a table were sent, in the order of the statements. One that fails is logged again, in capitals.
fn manners(cluster: &Cluster, table: &str) -> Vec<&'static str> {
    let log = cluster.log();
    let start = format!("statement: COPY \"public\".\"{table}\" (");
    let copies = log
        .lines()
        .filter(|line| line.contains(&start) && line.contains("FROM stdin"));
    let manner = |line: &str| match line.ends_with("WITH (FREEZE, FORMAT binary)") {
        true => "binary",
        false if line.ends_with("WITH (FREEZE)") => "text",
        false => "neither",
    };
    copies.map(manner).collect()
}

#[test]
fn rows_go_in_binary_and_as_text_from_the_first_on_that_is_not_sure() {
    let (cluster, respaldo) = backed_up();
    restore(&cluster, &respaldo);
    assert_eq!(manners(&cluster, "sure"), ["binary"]);
    assert_eq!(manners(&cluster, "odd"), ["binary", "text"]);
    assert_eq!(manners(&cluster, "wide"), ["binary", "text"]);
    assert_eq!(manners(&cluster, "other"), ["text"]);
}

#[test]
fn a_table_whose_rows_the_server_refuses_in_binary_gets_them_as_text() {
    let (cluster, respaldo) = backed_up();
    // What new databases are made of: their varchar is read by a function that takes nothing.
    cluster.psql(
        "postgres",
        "ALTER DATABASE template0 ALLOW_CONNECTIONS true",
    );
    cluster.psql(
        "template0",
        "UPDATE pg_type SET typreceive = 'enum_recv'::regproc WHERE oid = 'varchar'::regtype",
    );
    cluster.psql(
        "postgres",
        "ALTER DATABASE template0 ALLOW_CONNECTIONS false",
    );
    restore(&cluster, &respaldo);
    assert_eq!(manners(&cluster, "sure"), ["binary", "text"]);
}
