//! Where the rows of each table lie along a chain (scenarios 72 to 75 of tests/README.md).

use respaldo_tests::{Client, Cluster, Journey, Respaldo, RestorePoint};

/// Counters decide wherever they can: no floor, no spot check, and scans look expensive.
pub const COUNTERS_DECIDE: &str = "
    [detector]
    use = \"pg-stat\"
    floor_bytes = 0
    spot_check_bytes = 0
    spot_check_fraction = 0.0
    scan_bytes_per_s = 1
    barrier_deadline_s = 20.0
";

fn two_tables(cluster: &Cluster) -> Client {
    let mut client = Client::connect(&cluster.new_database("live"));
    client.exec(
        "CREATE TABLE a AS SELECT g AS id, 'a' || g AS v FROM generate_series(1, 50) g;
         CREATE TABLE b AS SELECT g AS id, 'b' || g AS v FROM generate_series(1, 50) g",
    );
    client
}

#[test]
fn each_table_is_read_from_the_backup_that_dumped_it_last() {
    let cluster = Cluster::start();
    let mut client = two_tables(&cluster);
    let mut journey = Journey::new(&cluster, "live");
    let full = journey.backup("full");
    client.exec("UPDATE b SET v = 'k' WHERE id = 1");
    let one = journey.backup("dif");
    client.exec("UPDATE a SET v = 'k + 1' WHERE id = 2");
    let two = journey.backup("inc");
    let three = journey.backup("inc");
    client.exec("DELETE FROM b WHERE id = 3");
    let four = journey.backup("inc");
    let dif = journey.backup("dif");

    let kinds: Vec<_> = journey.points().iter().map(RestorePoint::kind).collect();
    assert_eq!(
        kinds,
        [
            "FULL",
            "DIFERENCIAL",
            "INCREMENTAL",
            "INCREMENTAL",
            "INCREMENTAL",
            "DIFERENCIAL"
        ]
    );
    let expected = [
        (&full, &full, &full),
        (&one, &full, &one),
        (&two, &two, &one),
        (&three, &two, &one),
        (&four, &two, &four),
        (&dif, &dif, &dif), // a differential refers to nothing but its full
    ];
    for (point, a, b) in expected {
        let lie_in = |table: &str| journey.rows_lie_in(point, table);
        assert_eq!(lie_in("public.a"), a.archive(), "{}", point.archive());
        assert_eq!(lie_in("public.b"), b.archive(), "{}", point.archive());
    }
    assert_eq!(three.dumped(), [""; 0]);
    journey.check();
}

#[test]
fn a_table_whose_counters_were_refuted_is_compared_with_its_new_baseline() {
    let cluster = Cluster::start();
    let mut client = two_tables(&cluster);
    client.leave();
    let driver = Respaldo::new(&cluster, "live").config(COUNTERS_DECIDE);
    let mut journey = Journey::with(&cluster, "live", driver);
    let full = journey.backup("full");
    client = Client::connect(&cluster.url("live"));
    client.exec("BEGIN; UPDATE a SET v = 'never'; ROLLBACK"); // counted, but nothing changed
    client.leave(); // the counts of a session that has ended are seen at once
    let refuted = journey.backup("inc");
    assert_eq!(refuted.reason("public.a"), "xmin_igual");
    let unchanged = journey.backup("inc");
    if cluster.major() >= 15 {
        assert_eq!(unchanged.reason("public.a"), "contadores_iguales");
        assert_eq!(unchanged.reason("public.b"), "contadores_iguales");
    }
    assert_eq!(journey.rows_lie_in(&unchanged, "public.a"), full.archive());
    client = Client::connect(&cluster.url("live"));
    client.exec("UPDATE a SET v = 'now' WHERE id = 1");
    drop(client);
    let changed = journey.backup("inc");
    assert_eq!(changed.dumped(), ["public.a"]);
    journey.check();
}

#[test]
fn a_table_created_between_the_first_reading_and_the_snapshot_is_in_every_backup() {
    let cluster = Cluster::start();
    let mut client = two_tables(&cluster);
    let driver = Respaldo::new(&cluster, "live").config(COUNTERS_DECIDE);
    let mut journey = Journey::with(&cluster, "live", driver);
    journey.backup("full");
    let args = ["backup", "inc", "--json"];
    let held = journey.respaldo().hold_at_step("backup.snapshot", &args);
    client.exec("CREATE TABLE late AS SELECT 1 AS id");
    let outcome = held.release();
    let late = journey.remember(&outcome);
    assert_eq!(late.reason("public.late"), "nueva");
    client.exec("UPDATE late SET id = 2");
    drop(client);
    let changed = journey.backup("inc");
    assert!(changed.dumped().contains(&"public.late"), "{changed:#?}");
    journey.check();
}

#[test]
fn a_backup_that_failed_moves_no_baseline() {
    let cluster = Cluster::start();
    let mut client = two_tables(&cluster);
    for (step, config) in [
        ("backup.dumped", ""),
        ("backup.store", COUNTERS_DECIDE),
        ("backup.manifest", COUNTERS_DECIDE),
    ] {
        let driver = Respaldo::new(&cluster, "live").config(config);
        let mut journey = Journey::with(&cluster, "live", driver);
        journey.backup("full");
        client.exec("UPDATE a SET v = v || '!'");
        let fault = format!("{step}=fail");
        let failed = journey
            .respaldo()
            .run_with_fault(&fault, &["backup", "inc", "--json"]);
        assert_ne!(failed.code, Some(0), "{step}: {failed:#?}");
        let next = journey.backup("inc");
        assert!(next.dumped().contains(&"public.a"), "{step}: {next:#?}");
        journey.check();
    }
}

#[test]
fn sequences_come_back_as_they_were_at_each_point() {
    let cluster = Cluster::start();
    let mut client = Client::connect(&cluster.new_database("live"));
    client.exec(
        "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY, v int);
         CREATE SEQUENCE never_called START 5; CREATE SEQUENCE down INCREMENT -2; CREATE SEQUENCE lone",
    );
    let mut journey = Journey::new(&cluster, "live");
    for (kind, change) in [
        (
            "full",
            "INSERT INTO t (v) SELECT 1 FROM generate_series(1, 9)",
        ),
        ("inc", "SELECT nextval('lone')"), // no table changed
        ("inc", "SELECT setval('down', -77, false)"),
        ("dif", "SELECT nextval('t_id_seq'); SELECT nextval('down')"),
        (
            "inc",
            "ALTER SEQUENCE lone RESTART 100; ALTER SEQUENCE never_called INCREMENT 3",
        ),
    ] {
        client.exec(change);
        journey.backup(kind);
    }
    journey.check();
}
