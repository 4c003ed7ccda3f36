//! Servers whose history is not what it seems (cases 44 to 47, 50 to 52, 54), and restores in place.

use respaldo_tests::respaldo::wait_until;
use respaldo_tests::{Client, Cluster, Journey, Respaldo};

use crate::{COUNTERS_DECIDE, NO_CATALOG};

const TABLES: &str = "
    CREATE TABLE a AS SELECT g AS id, 'a' || g AS v FROM generate_series(1, 50) g;
    CREATE TABLE b AS SELECT g AS id, 'b' || g AS v FROM generate_series(1, 50) g;
    CREATE UNLOGGED TABLE volatile AS SELECT g AS id FROM generate_series(1, 20) g";

fn live(cluster: &Cluster) {
    Client::connect(&cluster.new_database("live")).exec(TABLES);
}

fn exec(cluster: &Cluster, sql: &str) {
    Client::connect(&cluster.url("live")).exec(sql);
}

/// A driver on `cluster` over the repository of another journey.
fn sharing(cluster: &Cluster, other: &Journey<'_>) -> Respaldo {
    let repository = other.respaldo().folder().join("backups_incrementales");
    Respaldo::new(cluster, "live").env("RESPALDO_REPOSITORY__DIR", repository.to_str().unwrap())
}

#[test]
fn after_a_crash_unlogged_tables_are_empty_and_nothing_else_is_missed() {
    let cluster = Cluster::start();
    live(&cluster);
    let driver = Respaldo::new(&cluster, "live").config(COUNTERS_DECIDE);
    let mut journey = Journey::with(&cluster, "live", driver);
    journey.backup("full");
    // Counters are zero after a crash, and zero again after the next.
    for n in 1..=2 {
        exec(
            &cluster,
            &format!("UPDATE a SET v = 'crash {n}' WHERE id = {n}"),
        );
        cluster.crash();
        let point = journey.backup("inc");
        assert!(point.dumped().contains(&"public.a"), "{point:#?}");
        assert!(
            !point.dumped().contains(&"public.b"),
            "the witness is there: {point:#?}"
        );
    }
    journey.check();
}

#[test]
fn a_killed_backend_is_a_crash() {
    let cluster = Cluster::start();
    live(&cluster);
    let driver = Respaldo::new(&cluster, "live").config(COUNTERS_DECIDE);
    let mut journey = Journey::with(&cluster, "live", driver);
    journey.backup("full");
    let mut victim = Client::connect(&cluster.url("live"));
    victim.exec("DELETE FROM b WHERE id = 1");
    let pid = victim.pid();
    cluster.kill_backend(pid);
    let ready = "database system is ready to accept connections";
    let back = || cluster.log().matches(ready).count() == 2;
    assert!(victim.try_exec("SELECT 1").is_err());
    assert!(wait_until(std::time::Duration::from_secs(30), back));
    let point = journey.backup("inc");
    assert!(point.dumped().contains(&"public.b"), "{point:#?}");
    journey.check();
}

#[test]
fn after_a_clean_restart_the_witness_keeps_the_chain_small() {
    let cluster = Cluster::start();
    live(&cluster);
    let mut journey = Journey::new(&cluster, "live");
    journey.backup("full");
    cluster.restart();
    let point = journey.backup("inc");
    assert_eq!(point.kind(), "INCREMENTAL");
    assert_eq!(point.dumped(), [""; 0]);
    journey.check();
}

#[test]
fn without_a_witness_a_restart_proves_nothing() {
    let cluster = Cluster::start();
    live(&cluster);
    let driver = Respaldo::new(&cluster, "live").config(NO_CATALOG);
    let mut journey = Journey::with(&cluster, "live", driver);
    journey.backup("full");
    cluster.restart();
    let point = journey.backup("inc");
    assert_eq!(point.kind(), "INCREMENTAL");
    assert_eq!(point.reason("public.a"), "otra_linea");
    assert_eq!(point.dumped().len(), 3);
    assert_eq!(journey.backup("inc").dumped(), [""; 0]);
    journey.check();
}

/// Updates a row; gives its transaction id.
fn write(cluster: &Cluster, value: &str) -> String {
    let mut client = Client::connect(&cluster.url("live"));
    client.exec(&format!("UPDATE a SET v = '{value}' WHERE id = 1"));
    client.one("SELECT xmin FROM a WHERE id = 1")
}

#[test]
fn a_cold_copy_that_went_its_own_way_is_not_taken_for_the_original() {
    let original = Cluster::start();
    live(&original);
    let copy = original.cold_copy();
    assert_eq!(
        write(&original, "of the original"),
        write(&copy, "of the copy"),
        "the same transaction id means two things"
    );
    let mut journey = Journey::new(&original, "live");
    journey.backup("full");
    journey.backup("inc");
    let mut other = Journey::with(&copy, "live", sharing(&copy, &journey));
    let point = other.backup("inc");
    assert!(point.dumped().contains(&"public.a"), "{point:#?}");
    other.backup("inc");
    other.check();
    // And back: the newest backups are of the copy now.
    let again = journey.backup("inc");
    assert!(again.dumped().contains(&"public.a"), "{again:#?}");
    journey.check();
}

#[test]
fn a_clone_and_its_original_are_not_taken_for_each_other() {
    let no_witness = format!("{COUNTERS_DECIDE}{NO_CATALOG}");
    for config in ["", &no_witness] {
        let original = Cluster::start();
        live(&original);
        let driver = Respaldo::new(&original, "live").config(config);
        let mut journey = Journey::with(&original, "live", driver);
        journey.backup("full");
        let clone = original.hot_copy();
        let driver = sharing(&clone, &journey).config(config);
        let mut other = Journey::with(&clone, "live", driver);
        assert_eq!(
            write(&original, "of the original"),
            write(&clone, "of the clone"),
            "the same transaction id means two things"
        );
        // Each finds the other's newest backup before its own.
        for (journey, side) in [(&mut journey, "original"), (&mut other, "clone")] {
            let point = journey.backup("inc");
            assert!(point.dumped().contains(&"public.a"), "{side}: {point:#?}");
            assert_eq!(journey.backup("inc").dumped(), [""; 0], "{side}");
            write(journey.cluster(), side);
        }
        let point = journey.backup("inc");
        assert!(point.dumped().contains(&"public.a"), "{point:#?}");
        other.backup("dif");
        journey.check();
        other.check();
    }
}

#[test]
fn another_database_under_the_same_name_begins_with_a_full() {
    let cluster = Cluster::start();
    live(&cluster);
    let mut journey = Journey::new(&cluster, "live");
    journey.backup("full");
    let admin = |sql: &str| {
        cluster.terminate_sessions("live");
        cluster.psql("postgres", sql);
    };
    admin("CREATE DATABASE twin TEMPLATE live"); // the same oids and files inside
    admin("DROP DATABASE live");
    admin("ALTER DATABASE twin RENAME TO live");
    exec(&cluster, "UPDATE a SET v = 'twin' WHERE id = 1");
    let point = journey.backup("inc");
    assert_eq!(point.kind(), "FULL");
    assert_eq!(point.made["motivo_full"], "otra_linea");
    journey.check();
}

#[test]
fn another_server_with_the_same_names_begins_with_a_full() {
    let first = Cluster::start();
    live(&first);
    let mut journey = Journey::new(&first, "live");
    journey.backup("full");
    let second = Cluster::builder().own_identity().start();
    live(&second);
    let mut other = Journey::with(&second, "live", sharing(&second, &journey));
    let point = other.backup("dif");
    assert_eq!(point.kind(), "FULL");
    assert_eq!(point.made["motivo_full"], "otra_linea");
    other.check();
}

#[test]
fn after_a_restore_in_place_the_next_backup_is_a_full_of_another_line() {
    let cluster = Cluster::start();
    live(&cluster);
    let mut journey = Journey::new(&cluster, "live");
    let full = journey.backup("full");
    exec(&cluster, "DELETE FROM a");
    journey.backup("inc");
    let args = ["restore", "--id", &full.id, "--replace", "--yes", "--json"];
    let outcome = journey.respaldo().run(&args);
    assert!(respaldo_tests::journey::is_done(&outcome), "{outcome:#?}");
    let next = journey.backup("inc");
    assert_eq!(next.kind(), "FULL");
    assert_eq!(next.made["motivo_full"], "otra_linea");
    assert_eq!(next.image.section("rows"), full.image.section("rows"));
    exec(&cluster, "DELETE FROM b");
    assert_eq!(journey.backup("inc").dumped(), ["public.b"]);
    let list = journey.respaldo().ok(&["list", "--json"]).json();
    assert_eq!(list.as_array().unwrap().len(), 4);
    journey.check();
}
