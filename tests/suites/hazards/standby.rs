//! A standby as the source, and a standby that was promoted (cases 70 and 49).

use respaldo_tests::journey::{image, is_done};
use respaldo_tests::{Client, Cluster, DbImage, Journey, Respaldo, diff};

use crate::NO_CATALOG;

fn live(cluster: &Cluster) -> Client {
    let mut client = Client::connect(&cluster.new_database("live"));
    client.exec(
        "CREATE TABLE a AS SELECT g AS id, 'a' || g AS v FROM generate_series(1, 50) g;
         CREATE TABLE b AS SELECT g AS id, 'b' || g AS v FROM generate_series(1, 50) g;
         SELECT lo_from_bytea(4711, 'large')",
    );
    client
}

/// What a restore of `archive` on `server` brings.
fn restored(driver: &Respaldo, server: &Cluster, archive: &str) -> DbImage {
    let (url, copy) = (server.url("postgres"), format!("copy of {archive}"));
    let outcome = driver.run(&[
        "restore",
        "--id",
        archive,
        "--target-url",
        &url,
        "--target-db",
        &copy,
        "--create",
        "--json",
    ]);
    assert!(is_done(&outcome), "{outcome:#?}");
    image(&server.url(&copy))
}

#[test]
fn a_standby_is_backed_up_by_fingerprints_and_restored_elsewhere() {
    let primary = Cluster::start();
    drop(live(&primary));
    let standby = primary.standby();
    let driver = Respaldo::new(&standby, "live").config(NO_CATALOG);
    let changes = [
        ("full", "SELECT 1", "FULL"),
        ("inc", "UPDATE a SET v = 'new' WHERE id = 7", "INCREMENTAL"),
        (
            "inc",
            "SELECT lo_put(4711, 0, 'L'); VACUUM FULL b",
            "INCREMENTAL",
        ),
        (
            "dif",
            "TRUNCATE b; INSERT INTO b VALUES (1, 'one')",
            "DIFERENCIAL",
        ),
    ];
    let mut points = Vec::new();
    for (kind, change, made) in changes {
        for statement in change.split("; ") {
            Client::connect(&primary.url("live")).exec(statement);
        }
        primary.wait_for_replay(&standby);
        let outcome = driver.run(&["backup", kind, "--json"]);
        assert!(is_done(&outcome), "{outcome:#?}");
        let result = outcome.json();
        assert_eq!(result["tipo"], made);
        points.push((result, image(&primary.url("live"))));
    }
    let dumped = |at: usize| points[at].0["tablas_volcadas"].as_u64().unwrap();
    assert_eq!((dumped(1), dumped(2)), (1, 0), "{:#}", points[2].0);
    for (made, truth) in &points {
        let archive = made["nombre"].as_str().unwrap();
        let found = diff(truth, &restored(&driver, &primary, archive));
        assert!(found.is_empty(), "{archive}: {found:#?}");
    }
}

#[test]
fn after_a_promotion_the_chain_goes_on_and_unlogged_tables_are_empty() {
    let primary = Cluster::start();
    drop(live(&primary));
    let standby = primary.standby();
    let mut client = Client::connect(&primary.url("live"));
    client.exec("CREATE UNLOGGED TABLE volatile AS SELECT 1 AS id");
    let mut before = Journey::new(&primary, "live");
    before.backup("full");
    client.exec("UPDATE a SET v = 'later' WHERE id = 3");
    before.backup("inc");
    primary.wait_for_replay(&standby);
    drop(client);
    primary.stop();
    standby.promote();

    let repository = before.respaldo().folder().join("backups_incrementales");
    let driver = Respaldo::new(&standby, "live")
        .env("RESPALDO_REPOSITORY__DIR", repository.to_str().unwrap());
    let mut after = Journey::with(&standby, "live", driver);
    Client::connect(&standby.url("live")).exec("DELETE FROM b WHERE id = 1");
    let point = after.backup("inc");
    assert_eq!(point.kind(), "INCREMENTAL");
    assert!(point.dumped().contains(&"public.b"), "{point:#?}");
    assert_eq!(
        point
            .image
            .rows_of("public.volatile")
            .unwrap()
            .split(' ')
            .next(),
        Some("0")
    );
    after.check();
    for point in before.points() {
        let mut by_name = point.clone();
        by_name.id = point.archive().to_owned();
        assert_eq!(after.differences(&by_name), [""; 0], "{}", point.archive());
    }
}

#[test]
fn unlogged_tables_of_a_standby_are_a_gap() {
    let primary = Cluster::start();
    live(&primary).exec("CREATE UNLOGGED TABLE volatile AS SELECT 1 AS id");
    let standby = primary.standby();
    let driver = Respaldo::new(&standby, "live").config(NO_CATALOG);
    let refused = driver.run(&["backup", "full", "--json"]);
    refused.expect_code(12);
    assert!(refused.stdout.contains("public.volatile"), "{refused:#?}");

    let partial = driver.run(&["backup", "full", "--allow-partial", "--json"]);
    partial.expect_code(3);
    let made = partial.json();
    let gaps = made["cobertura"]["faltantes"].as_array().unwrap();
    assert_eq!((gaps.len(), &gaps[0]["causa"]), (1, &"sin_registro".into()));
    let archive = made["nombre"].as_str().unwrap();
    let copy = restored(&driver, &primary, archive);
    let empty = copy.rows_of("public.volatile").unwrap();
    assert!(empty.starts_with("0 rows"), "{empty}");
}
