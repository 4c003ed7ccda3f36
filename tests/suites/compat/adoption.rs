//! Backups made by the existing system, taken over: restored without its losses, into the target
//! that was named, and never the base of a backup of ours.

use std::fs;

use chrono::NaiveDate;
use respaldo_tests::Cluster;
use respaldo_tests::app_fixture::AppService;

use super::scene::{OWNER, Scene, files_below};

const CHILDREN: &str = "SELECT count(*) FROM app.documento_detalle";

#[test]
fn a_chain_of_the_existing_system_is_adopted_and_restored_without_its_losses() {
    let cluster = Cluster::start();
    let scene = Scene::with_application(&cluster);
    let day = NaiveDate::from_ymd_opt(2026, 1, 2).unwrap();
    let mut app = AppService::new(
        &cluster,
        &cluster.url_as(OWNER, &scene.db),
        scene.respaldo.folder(),
    );
    app.full_backup(day.and_hms_opt(0, 0, 0).unwrap());
    let (children, state) = (
        scene.sql(CHILDREN),
        "SELECT max(observaciones) FROM app.documento",
    );
    scene.sql("UPDATE app.documento SET observaciones = 'cambiado'");
    app.incremental_backup(day.and_hms_opt(23, 0, 0).unwrap(), &["app.documento"]);
    fs::write(
        scene.repository().join("full/full_20260103_000000.backup"),
        "not an archive",
    )
    .unwrap();
    let archives = archives(&scene);

    let adopted = scene.respaldo.run(&["catalog", "adopt", "--json"]);
    let report = adopted.expect_code(3).json();
    assert_eq!(
        report["adoptados"].as_array().unwrap().len(),
        2,
        "{report:#}"
    );
    assert_eq!(
        report["rechazados"].as_array().unwrap().len(),
        1,
        "{report:#}"
    );
    let again = scene.respaldo.run(&["catalog", "adopt", "--json"]).json();
    assert_eq!(again["adoptados"].as_array().unwrap().len(), 0, "{again:#}");

    let name = "inc_20260102_230000.backup";
    let shown = scene.respaldo.ok(&["show", name, "--json"]).json();
    assert_eq!(shown["cobertura"]["completa"], false, "{shown:#}");
    let validated = scene
        .respaldo
        .ok(&["validate", name, "--level", "chain", "--json"]);
    assert_eq!(validated.json()["validos"], 1);
    scene.respaldo.ok(&["preview", "--id", name, "--json"]);

    scene.sql("DELETE FROM app.documento_detalle");
    let restored = scene.respaldo.run(&[
        "restore",
        "--id",
        name,
        "--target-db",
        "adoptada",
        "--create",
        "--json",
    ]);
    assert!(restored.is_done(), "{restored:#?}");
    assert_eq!(cluster.psql("adoptada", CHILDREN), children);
    assert_eq!(cluster.psql("adoptada", state), "cambiado");
    assert_eq!(scene.sql(CHILDREN), "0", "the live database was touched");

    let file = scene.respaldo.folder().join("adoptada.dump");
    let path = file.to_str().unwrap();
    // Written, and partial as the backup is.
    scene
        .respaldo
        .run(&["export", "--id", name, "-o", path])
        .expect_code(3);
    let url = cluster.owned_database("exportada", OWNER);
    let mut stock = cluster.tool("pg_restore");
    let done = stock.args(["-d", &url, path]).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    // Its own archives leave out a table that a view of theirs reads.
    let errors: Vec<_> = said.lines().filter(|line| line.contains("ERROR")).collect();
    assert!(
        errors.iter().all(|line| line.contains("seguridad.")),
        "{said}"
    );
    assert_eq!(cluster.psql("exportada", CHILDREN), children);
    assert_eq!(cluster.psql("exportada", state), "cambiado");

    let next = scene.backup("inc");
    assert_eq!(next.json["tipo"], "FULL", "{:#}", next.json);
    assert_eq!(next.json["motivo_full"], "otra_linea", "{:#}", next.json);
    let kept = archives
        .iter()
        .all(|(path, bytes)| fs::read(path).unwrap() == *bytes);
    assert!(kept, "an archive of the existing system was changed");
}

/// The backups that a preview takes rows of these tables from.
fn sources(scene: &Scene<'_>, name: &str, tables: [&str; 2]) -> Vec<String> {
    let preview = scene
        .respaldo
        .run(&["preview", "--id", name, "--json"])
        .json();
    assert_eq!(preview["existe"], true, "{preview:#}");
    let all = preview["tablas"].as_array().unwrap();
    let source = |table: &str| {
        let found = all.iter().find(|entry| entry["tabla"] == table);
        found.unwrap_or_else(|| panic!("{table}: {preview:#}"))["backup"].clone()
    };
    let text = |source: serde_json::Value| source.as_str().unwrap().to_owned();
    tables.iter().map(|table| text(source(table))).collect()
}

#[test]
fn what_the_existing_system_adds_to_an_adopted_chain_is_adopted_later() {
    let cluster = Cluster::start();
    let scene = Scene::with_application(&cluster);
    let at = |day, hour| {
        let day = NaiveDate::from_ymd_opt(2026, 1, day).unwrap();
        day.and_hms_opt(hour, 0, 0).unwrap()
    };
    let url = cluster.url_as(OWNER, &scene.db);
    let mut app = AppService::new(&cluster, &url, scene.respaldo.folder());
    let adopt = || {
        let adopted = scene.respaldo.ok(&["catalog", "adopt", "--json"]).json();
        adopted["adoptados"].as_array().unwrap().len()
    };
    let says = |text: &str| {
        scene.sql(&format!(
            "UPDATE app.documento SET observaciones = '{text}'"
        ))
    };
    app.full_backup(at(2, 0));
    says("del inc");
    app.incremental_backup(at(2, 23), &["app.documento"]);
    assert_eq!(adopt(), 2);
    scene.sql("UPDATE ref.lista_precio SET nombre = 'dif ' || nombre");
    says("del dif");
    app.differential_backup(at(4, 23), &["app.documento", "ref.lista_precio"]);
    says("del segundo");
    app.incremental_backup(at(5, 23), &["app.documento"]);
    assert_eq!(adopt(), 2);
    // MANUAL makes a full under the name of one.
    says("del manual");
    app.full_backup(at(6, 12));
    assert_eq!(adopt(), 1);
    assert_eq!(adopt(), 0);

    let (dif, inc) = ("dif_20260104_230000.backup", "inc_20260105_230000.backup");
    let manual = "full_20260106_120000.backup";
    let listed = scene.respaldo.ok(&["list", "--json"]).json();
    let names: Vec<&str> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b["nombre"].as_str().unwrap())
        .collect();
    assert!(
        [dif, inc, manual].iter().all(|name| names.contains(name)),
        "{names:?}"
    );
    let tables = ["app.documento", "ref.lista_precio"];
    assert_eq!(sources(&scene, dif, tables), [dif, dif]);
    assert_eq!(sources(&scene, inc, tables), [inc, dif]);
    assert_eq!(sources(&scene, manual, tables), [manual, manual]);
    for (name, said) in [
        (dif, "del dif"),
        (inc, "del segundo"),
        (manual, "del manual"),
    ] {
        let target = format!("de_{}", &name[..3]);
        let args = [
            "restore",
            "--id",
            name,
            "--target-db",
            &target,
            "--create",
            "--json",
        ];
        let restored = scene.respaldo.run(&args);
        assert!(restored.is_done(), "{restored:#?}");
        let rows = "SELECT DISTINCT observaciones FROM app.documento";
        assert_eq!(cluster.psql(&target, rows), said, "{name}");
        let are_all = "SELECT bool_and(nombre LIKE 'dif %') FROM ref.lista_precio";
        assert_eq!(cluster.psql(&target, are_all), "t", "{name}");
    }
    assert_eq!(
        scene.sql("SELECT DISTINCT observaciones FROM app.documento"),
        "del manual"
    );
}

#[test]
fn the_kit_of_an_archive_that_does_not_say_what_must_wait_makes_indexes_over_one_connection() {
    let cluster = Cluster::start();
    let scene = Scene::with_application(&cluster);
    scene.sql(
        "CREATE TABLE app.venta (id int, dia int, PRIMARY KEY (id, dia)) PARTITION BY RANGE (dia); \
         CREATE TABLE app.venta_1 PARTITION OF app.venta FOR VALUES FROM (1) TO (2); \
         CREATE TABLE app.venta_2 PARTITION OF app.venta FOR VALUES FROM (2) TO (3)",
    );
    let mut app = AppService::new(
        &cluster,
        &cluster.url_as(OWNER, &scene.db),
        scene.respaldo.folder(),
    );
    let day = NaiveDate::from_ymd_opt(2026, 1, 2).unwrap();
    app.full_backup(day.and_hms_opt(0, 0, 0).unwrap());
    scene.respaldo.ok(&["catalog", "adopt"]);
    let kit = scene.respaldo.folder().join("kit");
    let name = "full_20260102_000000.backup";
    let made = ["escape-kit", "--id", name, "-o", kit.to_str().unwrap()];
    assert!(scene.respaldo.run(&made).is_done());
    let script = fs::read_to_string(kit.join("restore.sh")).unwrap();
    assert!(
        script.contains("\nrestore --jobs=1 --section=post-data"),
        "{script}"
    );
}

/// Every archive in the repository with its bytes.
fn archives(scene: &Scene<'_>) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    files_below(&scene.repository())
        .into_iter()
        .filter(|name| name.ends_with(".backup"))
        .map(|name| {
            let path = scene.repository().join(name);
            let bytes = fs::read(&path).unwrap();
            (path, bytes)
        })
        .collect()
}
