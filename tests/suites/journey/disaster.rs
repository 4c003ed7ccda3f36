//! The server is gone; a repository and an empty server are all there is.

use respaldo_tests::journey::{image, is_done};
use respaldo_tests::{Cluster, Journey, Mutator, Respaldo, diff, schema};
use serde_json::Value;

/// A driver on another server, with nothing but a repository.
fn survivor(cluster: &Cluster, db: &str, lost: &Journey<'_>) -> Respaldo {
    let repository = lost.respaldo().folder().join("backups_incrementales");
    Respaldo::new(cluster, db).env("RESPALDO_REPOSITORY__DIR", repository.to_str().unwrap())
}

#[test]
fn a_repository_alone_brings_everything_back_on_a_fresh_server() {
    let lost = Cluster::start();
    lost.owned_database("live", "dueno");
    schema::load(&lost, "live", "dueno");
    let mut journey = Journey::new(&lost, "live");
    let mut mutator = Mutator::new(&lost.url("live"), 77);
    journey.backup("full");
    for kind in ["inc", "dif", "inc"] {
        mutator.steps(12);
        journey.backup(kind);
    }
    lost.stop_immediately();

    let fresh = Cluster::builder().own_identity().start();
    let driver = survivor(&fresh, "live", &journey);
    for point in journey.points() {
        let name = format!("copy of {}", point.archive());
        let args = [
            "restore",
            "--id",
            point.archive(),
            "--target-db",
            &name,
            "--create",
            "--create-roles",
            "--json",
        ];
        let outcome = driver.run(&args);
        assert!(is_done(&outcome), "{outcome:#?}");
        let found = diff(&point.image, &image(&fresh.url(&name)));
        assert!(found.is_empty(), "{}: {found:#?}", point.archive());
    }

    // The configured database itself, by its name, as of the newest backup.
    let outcome = driver.run(&[
        "restore",
        "--at",
        "latest",
        "--create",
        "--create-roles",
        "--json",
    ]);
    assert!(is_done(&outcome), "{outcome:#?}");
    let newest = journey.points().last().unwrap();
    let found = diff(&newest.image, &image(&fresh.url("live")));
    assert!(found.is_empty(), "{found:#?}");

    // Life goes on there, in a line of its own, and the catalog knows all of it.
    let mut onward = Journey::with(&fresh, "live", driver);
    let first = onward.backup("inc");
    assert_eq!(first.kind(), "FULL");
    assert_eq!(first.made["motivo_full"], "otra_linea");
    assert_eq!(onward.backup("inc").kind(), "INCREMENTAL");
    let entries = onward.respaldo().ok(&["list", "--json"]).json();
    assert_eq!(entries.as_array().unwrap().len(), 6);
    onward.check();
}

#[test]
fn the_list_and_the_status_do_not_need_the_server() {
    let cluster = Cluster::start();
    cluster.owned_database("live", "dueno");
    let mut journey = Journey::new(&cluster, "live");
    let (full, inc) = (journey.backup("full"), journey.backup("inc"));
    let driver = journey.respaldo();
    let listed = |args: &[&str]| driver.ok(args).json();
    let catalogued = listed(&["list", "--json"]);
    cluster.stop_immediately();
    let stored = listed(&["list", "--json"]);
    for (mut from_catalog, from_storage) in rows(&catalogued).into_iter().zip(rows(&stored)) {
        from_catalog["id"] = Value::Null;
        from_catalog["backup_base_id"] = Value::Null;
        for time in ["fecha_inicio", "fecha_fin"] {
            from_catalog[time] = from_storage[time].clone();
        }
        assert_eq!(from_catalog, from_storage);
    }
    let names = |list: &Value| -> Vec<String> {
        let name = |row: Value| row["nombre"].as_str().unwrap().to_owned();
        rows(list).into_iter().map(name).collect()
    };
    assert_eq!(names(&stored), [inc.archive(), full.archive()]);
    let fulls = listed(&["list", "--kind", "full", "--limit", "1", "--json"]);
    assert_eq!(names(&fulls), [full.archive()]);
    assert!(driver.ok(&["list"]).stdout.contains(inc.archive()));
    let status = driver.run(&["status", "--json"]).json();
    assert_eq!(status["ultimo_backup"]["nombre"], inc.archive());
}

fn rows(list: &Value) -> Vec<Value> {
    list.as_array().unwrap().clone()
}
